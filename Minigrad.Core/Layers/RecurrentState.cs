namespace Minigrad.Layers;

/// <summary>What a recurrent layer carries from one step to the next, and so from one part of a sequence to the next.</summary>
/// <param name="Hidden">
/// The hidden values: <c>[layers · directions, batch, hidden]</c>; of each layer the forward direction, then the backward one.
/// </param>
/// <param name="Cell">The cell states of an <see cref="Lstm"/>, of the same shape; null for other layers.</param>
public sealed record RecurrentState(Tensor Hidden, Tensor? Cell = null)
{
    /// <summary>The hidden values.</summary>
    public Tensor Hidden { get; init; } = Hidden ?? throw new ArgumentNullException(nameof(Hidden));

    /// <summary>
    /// The same numbers without the memory of how they were computed. Carried to the next part of a long sequence,
    /// backward then ends where this part began: truncated backpropagation through time (Williams and Peng, 1990).
    /// </summary>
    public RecurrentState Detach() => new(Hidden.Detach(), Cell?.Detach());
}
