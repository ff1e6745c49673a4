namespace Minigrad.Optimizers;

/// <summary>Everything an optimizer remembers, as plain data that a serializer writes and reads back bit for bit.</summary>
/// <param name="Optimizer">The kind of optimizer it is from.</param>
/// <param name="Step">How many steps were made.</param>
/// <param name="SkippedSteps">How many were skipped.</param>
/// <param name="ConsecutiveSkips">How many of them in a row, up to now.</param>
/// <param name="LearningRate">The optimizer's learning rate.</param>
/// <param name="WeightDecay">The optimizer's weight decay.</param>
/// <param name="Groups">The groups' own settings, in order.</param>
/// <param name="Parameters">What is remembered of each parameter, in order.</param>
public sealed record OptimizerState(
    string Optimizer,
    int Step,
    int SkippedSteps,
    int ConsecutiveSkips,
    double LearningRate,
    double WeightDecay,
    IReadOnlyList<GroupState> Groups,
    IReadOnlyList<ParameterState> Parameters)
{
    /// <summary>
    /// What the clipping stages remember that remember something, in the order in which they act, then the threshold of
    /// <see cref="Spam"/>, and then the clips of updates.
    /// </summary>
    public IReadOnlyList<StageState> Stages { get; init; } = [];

    /// <summary>Where a dynamic loss scale stands; null for an optimizer without one.</summary>
    public LossScaleState? LossScale { get; init; }
}
