namespace Minigrad.Autodiff;

/// <summary>
/// C = op(A) · op(B). With G the gradient of C, A gets G · op(B)ᵀ and B gets op(A)ᵀ · G; a transposed operand gets the
/// transpose of that, by swapping the factors. Nothing is ever transposed in memory.
/// </summary>
internal sealed class MatrixProductNode(Tensor a, Tensor b, bool transposeLeft, bool transposeRight) : Node(a, b)
{
    private SavedTensor left = new(a);
    private SavedTensor right = new(b);

    /// <inheritdoc/>
    public override string Operation => "MatMul";

    /// <inheritdoc/>
    public override void Backward(Tensor gradient)
    {
        if (Needs(0))
        {
            Tensor b = right.Read(this);
            Tensor flow = transposeLeft
                ? Tensor.MatrixProduct(b, gradient, transposeRight, true)
                : Tensor.MatrixProduct(gradient, b, false, !transposeRight);
            Give(0, flow.SumTo(left.Shape));
        }

        if (Needs(1))
        {
            Tensor a = left.Read(this);
            Tensor flow = transposeRight
                ? Tensor.MatrixProduct(gradient, a, true, transposeLeft)
                : Tensor.MatrixProduct(a, gradient, !transposeLeft, false);
            Give(1, flow.SumTo(right.Shape));
        }
    }

    /// <inheritdoc/>
    protected override void ReleaseSaved()
    {
        left.Release();
        right.Release();
    }
}
