namespace Minigrad.Autodiff;

/// <summary>
/// A further output of a sequence, its last hidden values or cell states: hands its gradient to the sequence's node, which
/// the walk visits afterwards.
/// </summary>
internal sealed class StateNode(Tensor sequence, ISequenceNode node, bool isCellState) : Node(sequence)
{
    /// <inheritdoc/>
    public override string Operation => isCellState ? "LastCellState" : "LastHidden";

    /// <inheritdoc/>
    public override void Backward(Tensor gradient) => node.ReceiveLast(gradient, isCellState);
}
