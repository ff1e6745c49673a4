namespace Minigrad.Autodiff;

/// <summary>A node with further outputs, whose gradients arrive from nodes of their own.</summary>
internal interface ISequenceNode
{
    /// <summary>Takes the gradient of the last hidden values, or of the last cell states.</summary>
    void ReceiveLast(Tensor gradient, bool isCellState);
}
