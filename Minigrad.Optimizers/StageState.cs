namespace Minigrad.Optimizers;

/// <summary>What a clipping stage remembers.</summary>
/// <param name="Stage">The stage, as <c>GlobalNorm(percentile 10 of 1000)</c>.</param>
/// <param name="Asked">How many steps it was asked for, which a schedule of its threshold follows.</param>
/// <param name="Memories">What its rule remembers of all gradients together, or of each parameter in order.</param>
public sealed record StageState(string Stage, int Asked, IReadOnlyList<double[]> Memories);
