namespace Minigrad.Optimizers;

/// <summary>What one clipping stage measured and did in a step.</summary>
/// <param name="Stage">The stage, as <c>GlobalNorm(1)</c>; one of a group has the group before it, as <c>head: Value(1)</c>.</param>
/// <param name="Norm">
/// What was compared with the threshold; the largest of several, where each parameter or unit is compared by itself. A value
/// stage under a number or a schedule compares each element as it is read; here stands the L2 norm then.
/// </param>
/// <param name="Threshold">The threshold in force; the smallest of several. NaN of a stage of one's own.</param>
/// <param name="Coefficient">The factor; the smallest of several.</param>
/// <param name="Acted">
/// Whether the stage changed a gradient. Of a value stage under a number or a schedule: whether it may have, because a gradient's
/// norm is above the bound.
/// </param>
public readonly record struct StageReport(string Stage, double Norm, double Threshold, double Coefficient, bool Acted);
