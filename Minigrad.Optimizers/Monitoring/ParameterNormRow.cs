namespace Minigrad.Optimizers.Monitoring;

/// <summary>The gradient norm of every parameter at one step.</summary>
/// <param name="Step">The step's number.</param>
/// <param name="Norms">The L2 norms before clipping, in the order of <see cref="StepHistory.ParameterNames"/>; null, or missing at the end, for a parameter without a gradient.</param>
public readonly record struct ParameterNormRow(int Step, IReadOnlyList<double?> Norms);
