using ILGPU;
using Minigrad.Backends;
using Minigrad.Numerics;
using Minigrad.Operations;

namespace Minigrad.Gpu.Kernels;

/// <summary>The groups of a normalisation, their statistics and weights, as a kernel argument.</summary>
/// <param name="shape">The groups.</param>
/// <param name="x">The input.</param>
/// <param name="statistics">The means, then the variances.</param>
/// <param name="weight">The weights; any view if they are all 1.</param>
/// <param name="hasWeight">1 if there are weights, else 0.</param>
internal readonly struct NormalizationArguments(
    NormalizationShape shape, ArrayView<float> x, ArrayView<float> statistics, ArrayView<float> weight, int hasWeight)
{
    /// <summary>The input.</summary>
    public readonly ArrayView<float> X = x;

    /// <summary>The means, then the variances.</summary>
    public readonly ArrayView<float> Statistics = statistics;

    /// <summary>How many groups there are.</summary>
    public readonly int Groups = shape.Groups;

    /// <summary>The product of the dimensions after the groups.</summary>
    public readonly int Inner = shape.Inner;

    /// <summary>How many numbers a group has.</summary>
    public readonly int GroupLength = shape.GroupLength;

    /// <summary>1 if weight and bias belong to a group, 0 if to a place of the inner dimension.</summary>
    public readonly int IsWeightPerGroup = shape.IsWeightPerGroup ? 1 : 0;

    /// <summary>1 if the mean is subtracted, 0 if it is taken as 0.</summary>
    public readonly int IsCentred = shape.IsCentred ? 1 : 0;

    private readonly ArrayView<float> weight = weight;
    private readonly int hasWeight = hasWeight;
    private readonly float epsilon = shape.Epsilon;

    /// <summary>Where a group's number lies.</summary>
    /// <param name="group">The group.</param>
    /// <param name="number">Which of its numbers.</param>
    public int Place(int group, int number)
    {
        int outer = number / Inner;
        return (((outer * Groups) + group) * Inner) + number - (outer * Inner);
    }

    /// <summary>Which group an element belongs to.</summary>
    /// <param name="place">Where the element lies.</param>
    public int GroupOf(int place) => place / Inner % Groups;

    /// <summary>Which of the weights and biases is an element's.</summary>
    /// <param name="place">Where the element lies.</param>
    public int WeightPlace(int place) => IsWeightPerGroup != 0 ? GroupOf(place) : place % Inner;

    /// <summary>An element's weight.</summary>
    /// <param name="place">Where the element lies.</param>
    public Scalar Weight(int place)
    {
        float value = 1f;
        if (hasWeight != 0)
        {
            value = weight[WeightPlace(place)];
        }

        return new Scalar(value);
    }

    /// <summary>A group with its statistics.</summary>
    /// <param name="group">The group.</param>
    public StandardizedGroup<Scalar> Group(int group) =>
        new(new Scalar(Statistics[group]), new Scalar(Statistics[Groups + group]), epsilon);
}
