using Minigrad.Operations;

namespace Minigrad.Backends;

/// <summary>What the host says about one deferred step.</summary>
/// <param name="Scale">What every gradient is multiplied by before anything else.</param>
/// <param name="Bad">What to do about gradients that no update can be made with.</param>
/// <param name="LargestUsable">The norm from which on a finite gradient is no longer usable.</param>
/// <param name="Acknowledged">The last attempt whose failure the host knows of.</param>
public readonly record struct StepSettings(double Scale, BadGradients Bad, double LargestUsable, int Acknowledged)
{
    /// <summary>Whether the gradients are multiplied by the loss scale that the record of the step before has.</summary>
    public bool IsLossScaled { get; init; }

    /// <summary>What becomes of that scale. Where it changes, a gradient that is not finite withholds the step, whatever else is said.</summary>
    public LossScaleRule LossScaling { get; init; }
}
