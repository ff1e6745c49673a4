using Minigrad.Backends;
using Minigrad.Operations;

namespace Minigrad.Autodiff;

/// <summary>
/// y = x̂ · weight + bias, where x̂ is x in groups of mean 0 and variance 1: see <see cref="StandardizedGroup{T}"/>. Input and
/// statistics are kept, not x̂.
/// </summary>
internal sealed class NormalizationNode : Node
{
    private readonly NormalizationShape shape;
    private readonly string operation;
    private readonly Shape? weightShape;
    private readonly Shape? biasShape;
    private readonly bool ownsStatistics;
    private SavedTensor input;
    private SavedTensor weight;
    private Storage? statistics;

    /// <summary>The record of a normalisation.</summary>
    /// <param name="operation">Its name.</param>
    /// <param name="shape">The groups.</param>
    /// <param name="x">The input.</param>
    /// <param name="weight">The weights, in their own shape, or null.</param>
    /// <param name="bias">The biases, in their own shape, or null.</param>
    /// <param name="statistics">Means and variances.</param>
    /// <param name="ownsStatistics">Whether nobody else holds them, so that their buffer may be used again.</param>
    public NormalizationNode(
        string operation, NormalizationShape shape, Tensor x, Tensor? weight, Tensor? bias, Storage statistics, bool ownsStatistics)
        : base(x, weight ?? x, bias ?? x)
    {
        this.operation = operation;
        this.shape = shape;
        this.statistics = statistics;
        this.ownsStatistics = ownsStatistics;
        weightShape = weight?.Shape;
        biasShape = bias?.Shape;
        input = new SavedTensor(x);
        this.weight = new SavedTensor(weight ?? x);
    }

    /// <inheritdoc/>
    public override string Operation => operation;

    private bool NeedsWeight => weightShape is not null && Needs(1);

    private bool NeedsBias => biasShape is not null && Needs(2);

    /// <inheritdoc/>
    public override void Backward(Tensor gradient)
    {
        Tensor x = input.Read(this);
        Tensor? w = weightShape is null ? null : weight.Read(this);
        if (Recording.IsOn)
        {
            GiveTraced(x, w, gradient);
            return;
        }

        Tensor? result = Needs(0) ? Tensor.Allocate(x.Shape, x.Backend) : null;
        Tensor? weightGradient = NeedsWeight ? Tensor.Allocate(weightShape!, x.Backend) : null;
        Tensor? biasGradient = NeedsBias ? Tensor.Allocate(biasShape!, x.Backend) : null;
        x.Loops.NormalizeBackward(
            shape, x.Storage, statistics!, w?.Storage, gradient.Storage, result?.Storage, weightGradient?.Storage, biasGradient?.Storage);
        if (result is not null)
        {
            Give(0, result);
        }

        if (weightGradient is not null)
        {
            Give(1, weightGradient);
        }

        if (biasGradient is not null)
        {
            Give(2, biasGradient);
        }
    }

    /// <inheritdoc/>
    protected override void ReleaseSaved()
    {
        input.Release();
        weight.Release();
        if (ownsStatistics)
        {
            statistics?.Recycle();
        }

        statistics = null;
    }

    /// <summary>The gradients as a graph of primitive operations, which can be differentiated again.</summary>
    private void GiveTraced(Tensor x, Tensor? w, Tensor gradient)
    {
        Tensor groups = x.Reshape(shape.Outer, shape.Groups, shape.Inner);
        Tensor g = gradient.Reshape(groups.Shape.Dimensions);
        Tensor h = w is null ? g : g * w.Reshape(shape.IsWeightPerGroup ? [1, shape.Groups, 1] : [1, 1, shape.Inner]);
        StandardizedGroup<Traced> traced = Tensor.Standardized(groups, shape.IsCentred, shape.Epsilon);
        Tensor standardized = traced.Value(new(groups)).ToTensor(groups);
        Traced meanGradient = shape.IsCentred ? new Traced(h.Mean([0, 2], keepDimensions: true)) : 0f;
        Traced meanProduct = new((h * standardized).Mean([0, 2], keepDimensions: true));
        Tensor result = traced.InputGradient(new(groups), new(h), meanGradient, meanProduct).ToTensor(groups);
        Give(0, result.Reshape(x.Shape.Dimensions));
        int[] shared = shape.IsWeightPerGroup ? [0, 2] : [0, 1];
        if (NeedsWeight)
        {
            Give(1, (g * standardized).Sum(shared).Reshape(weightShape!.Dimensions));
        }

        if (NeedsBias)
        {
            Give(2, g.Sum(shared).Reshape(biasShape!.Dimensions));
        }
    }
}
