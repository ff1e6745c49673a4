namespace Minigrad.Autodiff;

/// <summary>y is several tensors one after another along an axis: each takes its part of the gradient.</summary>
internal sealed class ConcatenateNode(Tensor[] parts, int axis) : Node(parts)
{
    private readonly int[] lengths = [.. parts.Select(part => part.Shape[axis])];

    /// <inheritdoc/>
    public override string Operation => "Concatenate";

    /// <inheritdoc/>
    public override void Backward(Tensor gradient)
    {
        int start = 0;
        for (int part = 0; part < lengths.Length; part++)
        {
            if (Needs(part))
            {
                Give(part, gradient.Slice(axis, start, start + lengths[part]));
            }

            start += lengths[part];
        }
    }
}
