namespace Minigrad.Autodiff;

/// <summary>Stands for a tensor that the user made and asked a gradient for: gradients end here.</summary>
internal sealed class LeafNode : Node
{
    /// <summary>A node for a tensor.</summary>
    public LeafNode(Tensor tensor)
    {
        Tensor = tensor;
        OutputShape = tensor.Shape;
    }

    /// <inheritdoc/>
    public override string Operation => Tensor.Name ?? "leaf";

    /// <summary>The tensor whose gradient gathers here.</summary>
    public Tensor Tensor { get; }

    /// <summary>Which loss scale that gradient is multiplied by; null for none.</summary>
    public ScaleMark? Mark { get; set; }

    /// <inheritdoc/>
    public override void Backward(Tensor gradient) =>
        throw new InvalidOperationException("A leaf has nowhere to push a gradient.");
}
