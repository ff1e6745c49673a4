namespace Minigrad.Optimizers.Monitoring;

/// <summary>
/// A row of a <see cref="StepHistory"/>: what one step measured, and for the steps after it that the row stands for as well what
/// must not get lost, the largest norm and how many were clipped and skipped.
/// </summary>
/// <param name="Step">The step's number; a skipped one has the number that it would have had.</param>
/// <param name="Norm">The L2 norm of all gradients together before clipping.</param>
/// <param name="ClippedNorm">
/// The norm after clipping; NaN where a value stage would have needed another pass over the gradients to know it (see
/// <see cref="StepHistory.NormInterval"/>).
/// </param>
/// <param name="Coefficient">The product of the coefficients of global norm stages; 1 if none acted.</param>
/// <param name="Threshold">The threshold in force of <paramref name="Stage"/>; NaN without stages.</param>
/// <param name="Stage">The stage that scaled gradients most or, if none acted, the first; null without stages.</param>
/// <param name="WasClipped">Whether a stage acted on this step.</param>
/// <param name="WasSkipped">Whether this step was not made.</param>
/// <param name="Loss">The loss, if it was given.</param>
/// <param name="Steps">How many steps the row stands for, this one and those after it.</param>
/// <param name="LargestNorm">The largest norm among them; NaN if one was.</param>
/// <param name="ClippedSteps">How many of them were clipped.</param>
/// <param name="SkippedSteps">How many of them were skipped.</param>
public readonly record struct StepRow(
    int Step,
    double Norm,
    double ClippedNorm,
    double Coefficient,
    double Threshold,
    string? Stage,
    bool WasClipped,
    bool WasSkipped,
    double? Loss,
    int Steps,
    double LargestNorm,
    int ClippedSteps,
    int SkippedSteps)
{
    /// <summary>The largest norm among those of the steps that were made; 0 if none was, NaN if one was.</summary>
    internal double LargestMadeNorm { get; init; }

    /// <summary>This row, standing for the steps of the next one too.</summary>
    internal StepRow With(in StepRow next) => this with
    {
        Loss = Loss ?? next.Loss,
        Steps = Steps + next.Steps,
        LargestNorm = Math.Max(LargestNorm, next.LargestNorm),
        LargestMadeNorm = Math.Max(LargestMadeNorm, next.LargestMadeNorm),
        ClippedSteps = ClippedSteps + next.ClippedSteps,
        SkippedSteps = SkippedSteps + next.SkippedSteps,
    };
}
