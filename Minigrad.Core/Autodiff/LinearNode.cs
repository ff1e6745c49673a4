namespace Minigrad.Autodiff;

/// <summary>
/// Y = X · Wᵀ + b in one pass. With G the gradient of Y, X gets G · W, W gets Gᵀ · X and b the sum of G over its rows.
/// </summary>
internal class LinearNode(Tensor x, Tensor weight, Tensor bias) : Node(x, weight, bias)
{
    private readonly Shape biasShape = bias.Shape;
    private SavedTensor input = new(x);
    private SavedTensor weight = new(weight);

    /// <inheritdoc/>
    public override string Operation => "Linear";

    /// <inheritdoc/>
    public override void Backward(Tensor gradient)
    {
        if (Needs(0))
        {
            Give(0, Tensor.MatrixProduct(gradient, weight.Read(this), false, false));
        }

        if (Needs(1))
        {
            Give(1, Tensor.MatrixProduct(gradient, input.Read(this), true, false));
        }

        if (Needs(2))
        {
            Give(2, gradient.SumTo(biasShape));
        }
    }

    /// <inheritdoc/>
    protected override void ReleaseSaved()
    {
        input.Release();
        weight.Release();
    }
}
