namespace Minigrad.Optimizers;

/// <summary>What one clipping stage, or one clip of updates, measured and did in a step.</summary>
/// <param name="Stage">
/// The stage, as <c>GlobalNorm(1)</c>; one of a group has the group before it, as <c>head: Value(1)</c>. A clip of updates is
/// <c>update Rms(1)</c>, a threshold of <see cref="Spam"/> that follows the past <c>Spam(percentile 90 of 1000)</c>.
/// </param>
/// <param name="Norm">
/// What was compared with the threshold; the largest of several, where each parameter or unit is compared by itself. Of a clip of
/// updates it is the size of an update, as <see cref="UpdateClip"/> says it; of <see cref="Spam"/> g² / v of an element. A value stage under a number or a schedule compares each element as it is read; here stands the L2 norm then.
/// </param>
/// <param name="Threshold">The threshold in force; the smallest of several. NaN of a stage of one's own.</param>
/// <param name="Coefficient">The factor; the smallest of several. Of <see cref="Spam"/> it is what is left of g² / v, of which the gradient has the root.</param>
/// <param name="Acted">
/// Whether the stage changed a gradient, or the clip an update. A value stage's bound is applied as gradients are read, or when
/// a later stage has them written: then it is seen whether any element was outside. So a step that was not made, and read nothing,
/// has a value stage that did not act.
/// </param>
public readonly record struct StageReport(string Stage, double Norm, double Threshold, double Coefficient, bool Acted);
