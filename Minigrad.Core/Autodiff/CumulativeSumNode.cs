namespace Minigrad.Autodiff;

/// <summary>yᵢ = Σ x₀..ᵢ along an axis: xᵢ gets the sum of the gradients from i to the end.</summary>
internal sealed class CumulativeSumNode(Tensor x, int axis, bool reverse) : Node(x)
{
    /// <inheritdoc/>
    public override string Operation => "CumulativeSum";

    /// <inheritdoc/>
    public override void Backward(Tensor gradient) => Give(0, gradient.CumulativeSum(axis, !reverse));
}
