namespace Minigrad.Optimizers;

/// <summary>What was measured and decided in a step, but for what each parameter had.</summary>
/// <param name="Step">Which step it was.</param>
/// <param name="Norm">The L2 norm of all gradients together before clipping.</param>
/// <param name="NormBeforeBounds">The norm after clipping, but before a bound.</param>
/// <param name="HasBound">Whether a stage's bound makes it necessary to measure the clipped norm.</param>
/// <param name="HasZeroed">Whether elements that are read as 0 make it necessary; they are no clipping.</param>
/// <param name="Coefficient">The product of the global coefficients.</param>
/// <param name="IsScaled">Whether a stage is known to have changed a gradient.</param>
/// <param name="WasSkipped">Whether the step was not made.</param>
/// <param name="LossScale">The loss scale in force.</param>
/// <param name="HasOverflowed">Whether a dynamic loss scale was the reason.</param>
internal readonly record struct StepMeasurement(
    int Step,
    double Norm,
    double NormBeforeBounds,
    bool HasBound,
    bool HasZeroed,
    double Coefficient,
    bool IsScaled,
    bool WasSkipped,
    double LossScale,
    bool HasOverflowed);
