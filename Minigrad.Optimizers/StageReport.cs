namespace Minigrad.Optimizers;

/// <summary>What a clipping stage measured and did in a step.</summary>
/// <param name="Stage">The stage, as <c>GlobalNorm(1)</c>.</param>
/// <param name="Norm">What it measured.</param>
/// <param name="Threshold">The threshold in force.</param>
/// <param name="Coefficient">What it multiplied gradients by.</param>
/// <param name="Acted">Whether it changed a gradient.</param>
public readonly record struct StageReport(string Stage, double Norm, double Threshold, double Coefficient, bool Acted);
