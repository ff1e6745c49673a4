using Minigrad.Backends;

namespace Minigrad.Autodiff;

/// <summary>
/// Cross-entropy of the softmax of rows x with targets t, for each row or their sum divided by d: the gradient is
/// g / d · (softmax(x) · Σ t − t).
/// </summary>
internal sealed class CrossEntropyNode(Tensor x, Storage normalizers, ClassTargets targets, float divisor)
    : Node(targets.Weights is { } weights ? [x, new Tensor(Shape.Create(weights.Length), weights)] : [x])
{
    private SavedTensor logits = new(x);
    private Storage? normalizers = normalizers;

    /// <inheritdoc/>
    public override string Operation => "CrossEntropy";

    /// <inheritdoc/>
    public override void Backward(Tensor gradient)
    {
        Tensor x = logits.Read(this);
        if (!Recording.IsOn)
        {
            Give(0, Tensor.CrossEntropyBackward(x, normalizers!, targets, gradient, divisor));
            return;
        }

        // A row without a target has no gradient, whatever its logits: not NaN either. A divisor of 0 says that all rows are such.
        Tensor target = Target(x);
        Tensor total = target.Sum([-1], keepDimensions: true);
        Tensor counted = Tensor.Where(total, x, Tensor.Filled([], 0f, x.Backend));
        Tensor slope = (counted.Softmax() * total) - target;
        Tensor share = gradient / (divisor == 0f ? 1f : divisor);
        Give(0, slope * (gradient.Rank == 0 ? share : share.Unsqueeze(-1)));
    }

    /// <inheritdoc/>
    protected override void ReleaseSaved()
    {
        logits.Release();
        targets.Labels.Release();
        normalizers?.Recycle(); // No one else can see it.
        normalizers = null;
    }

    /// <summary>The targets as a constant of the logits' shape.</summary>
    private Tensor Target(Tensor x)
    {
        int columns = x.Shape[-1];
        float[] weights = new float[columns];
        Array.Fill(weights, 1f);
        targets.Weights?.Backend.Download(targets.Weights, weights);
        float[] values = new float[x.Length];
        for (int row = 0; row < targets.Labels.Count; row++)
        {
            int label = targets.Labels[row];
            for (int column = 0; label >= 0 && column < columns; column++)
            {
                float share = targets.ClassShare + (column == label ? targets.LabelShare : 0f);
                values[(row * columns) + column] = share * weights[column];
            }
        }

        return Tensor.Of(values, x.Shape).To(x.Backend);
    }
}
