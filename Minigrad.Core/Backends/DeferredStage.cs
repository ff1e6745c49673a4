namespace Minigrad.Backends;

/// <summary>One stage of clipping of a deferred step.</summary>
/// <param name="Number">Which stage of the step it is, from 0.</param>
/// <param name="Scope">What it compares with its threshold.</param>
/// <param name="Order">The order of the norms that it decides from.</param>
/// <param name="Set">The set of gradients that it sees.</param>
/// <param name="IsLast">Whether it is the step's last, after which it is settled whether the update is made.</param>
/// <param name="Memory">What <see cref="DeferredSteps.Remember"/> gave for it, or −1 if it remembers nothing.</param>
public readonly record struct DeferredStage(
    int Number, ThresholdScope Scope, double Order, int Set, bool IsLast, int Memory);
