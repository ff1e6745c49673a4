using Minigrad.Autodiff;
using Minigrad.Backends;
using Minigrad.Operations;

namespace Minigrad;

/// <content>Reductions and running sums.</content>
public sealed partial class Tensor
{
    /// <summary>The sum of all elements.</summary>
    public Tensor Sum() => Sum([]);

    /// <summary>The sum along some axes.</summary>
    /// <param name="axes">The axes; none means all.</param>
    /// <param name="keepDimensions">Whether summed axes stay, with length 1.</param>
    /// <exception cref="ShapeException">There is no such dimension, or one is given twice.</exception>
    public Tensor Sum(ReadOnlySpan<int> axes, bool keepDimensions = false)
    {
        Tensor y = Reduce(axes, keepDimensions, default(Sum), out Shape kept);
        return IsRecorded(this) ? new SumNode(this, kept).Output(y) : y;
    }

    /// <summary>The mean of all elements; NaN over none.</summary>
    public Tensor Mean() => Mean([]);

    /// <summary>The mean along some axes; NaN over none.</summary>
    /// <param name="axes">The axes; none means all.</param>
    /// <param name="keepDimensions">Whether averaged axes stay, with length 1.</param>
    /// <exception cref="ShapeException">There is no such dimension, or one is given twice.</exception>
    public Tensor Mean(ReadOnlySpan<int> axes, bool keepDimensions = false) =>
        Sum(axes, keepDimensions) / Count(axes, nameof(Mean));

    /// <summary>The variance along some axes: Σ (x − mean)² / (n − 1), or / n if not unbiased.</summary>
    /// <param name="axes">The axes; none means all.</param>
    /// <param name="unbiased">Whether to divide by n − 1 (Bessel's correction).</param>
    /// <param name="keepDimensions">Whether reduced axes stay, with length 1.</param>
    /// <exception cref="ShapeException">There is no such dimension, or one is given twice.</exception>
    public Tensor Variance(ReadOnlySpan<int> axes, bool unbiased = true, bool keepDimensions = false)
    {
        Tensor centred = this - Mean(axes, keepDimensions: true);
        float divisor = Math.Max(0f, Count(axes, nameof(Variance)) - (unbiased ? 1f : 0f));
        return centred.Square().Sum(axes, keepDimensions) / divisor;
    }

    /// <summary>
    /// The p-norm (Σ |x|ᵖ)^(1/p) along some axes; max |x| for p = ∞. The gradient at a norm of 0 is 0.
    /// </summary>
    /// <param name="axes">The axes; none means all.</param>
    /// <param name="order">p, a positive number or +∞.</param>
    /// <param name="keepDimensions">Whether reduced axes stay, with length 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">The order is not positive.</exception>
    /// <exception cref="ShapeException">There is no such dimension, or one is given twice.</exception>
    public Tensor Norm(ReadOnlySpan<int> axes, float order = 2f, bool keepDimensions = false)
    {
        if (!(order > 0))
        {
            throw new ArgumentOutOfRangeException(nameof(order), order, "The order of a norm must be positive: 1, 2, another number, or +∞ for the largest magnitude.");
        }

        Tensor y = ReduceToNorm(axes, order, out Shape kept);
        y = IsRecorded(this) ? new NormNode(this, y, order).Output(y) : y;
        return keepDimensions ? y : y.Reshape(Shape.Without(Shape.Axes(axes, nameof(Norm)), keepDimensions: false));
    }

    /// <summary>The largest value along an axis; NaN if one is NaN. The gradient goes to the first place that has it.</summary>
    /// <param name="axis">The axis; null for all elements.</param>
    /// <param name="keepDimensions">Whether the axis stays, with length 1.</param>
    /// <exception cref="ShapeException">The axis has length 0.</exception>
    public Tensor Max(int? axis = null, bool keepDimensions = false) => Extreme(axis, keepDimensions, 1f, nameof(Max));

    /// <summary>The smallest value along an axis; NaN if one is NaN. The gradient goes to the first place that has it.</summary>
    /// <param name="axis">The axis; null for all elements.</param>
    /// <param name="keepDimensions">Whether the axis stays, with length 1.</param>
    /// <exception cref="ShapeException">The axis has length 0.</exception>
    public Tensor Min(int? axis = null, bool keepDimensions = false) => Extreme(axis, keepDimensions, -1f, nameof(Min));

    /// <summary>Where along an axis the largest value is, the first of several; a NaN counts as the largest.</summary>
    /// <param name="axis">The axis.</param>
    /// <returns>The places, of this shape without the axis.</returns>
    /// <exception cref="ShapeException">The axis has length 0.</exception>
    public Indices ArgMax(int axis = -1) => ArgExtreme(axis, 1f, nameof(ArgMax));

    /// <summary>Where along an axis the smallest value is, the first of several; a NaN counts as the smallest.</summary>
    /// <param name="axis">The axis.</param>
    /// <returns>The places, of this shape without the axis.</returns>
    /// <exception cref="ShapeException">The axis has length 0.</exception>
    public Indices ArgMin(int axis = -1) => ArgExtreme(axis, -1f, nameof(ArgMin));

    /// <summary>ln Σ eˣ along some axes, without overflow.</summary>
    /// <param name="axes">The axes; none means all.</param>
    /// <param name="keepDimensions">Whether reduced axes stay, with length 1.</param>
    /// <exception cref="ShapeException">There is no such dimension, or one is given twice.</exception>
    public Tensor LogSumExp(ReadOnlySpan<int> axes, bool keepDimensions = false)
    {
        Shape.Axes(axes, nameof(LogSumExp)); // So that an error has this name.

        // Any shift gives the same value and gradient, so the maximum is a constant here. Over no elements it is −∞.
        Tensor shift;
        using (Recording.Untraced())
        {
            shift = Detach().Reduce(axes, true, default(Largest), out _).Map(new KeepBelow(float.PositiveInfinity));
        }

        shift = Constant(nameof(LogSumExp), shift, this);
        Tensor sum = (this - shift).Exp().Sum(axes, keepDimensions: true);
        Tensor result = sum.Log() + shift;
        return keepDimensions
            ? result
            : result.Reshape(Shape.Without(Shape.Axes(axes, nameof(LogSumExp)), keepDimensions: false));
    }

    /// <summary>Running sums along an axis: yᵢ = x₀ + … + xᵢ.</summary>
    /// <param name="axis">The axis.</param>
    /// <param name="reverse">Whether to sum from the end: yᵢ = xᵢ + … + xₙ.</param>
    /// <exception cref="ShapeException">There is no such dimension.</exception>
    public Tensor CumulativeSum(int axis, bool reverse = false)
    {
        axis = Shape.Axis(axis, nameof(CumulativeSum));
        Tensor y = Allocate(Shape, Backend);
        Loops.CumulativeSum(Storage, Shape.Around(axis), reverse, y.Storage);
        return IsRecorded(this) ? new CumulativeSumNode(this, axis, reverse).Output(y) : y;
    }

    /// <summary>Reduces some axes; not recorded.</summary>
    private Tensor Reduce<TReduction>(
        ReadOnlySpan<int> axes, bool keepDimensions, TReduction reduction, out Shape kept)
        where TReduction : unmanaged, IReduction
    {
        int[] reduced = Shape.Axes(axes, OperationName.Of<TReduction>());
        kept = Shape.Without(reduced, keepDimensions: true);
        Tensor y = Allocate(keepDimensions ? kept : Shape.Without(reduced, keepDimensions: false), Backend);
        if (reduced.Length == 0)
        {
            Loops.Reduce(reduction, Storage, new AxisLayout(Length, 1, 1), y.Storage);
            return y;
        }

        bool isOneRun = reduced[^1] - reduced[0] == reduced.Length - 1;
        Tensor source = this;
        if (!isOneRun)
        {
            using Recording.Scope untraced = Recording.Untraced();
            source = Detach().Permute(WithLast(reduced));
        }

        int start = isOneRun ? reduced[0] : Rank - reduced.Length;
        AxisLayout layout = new(
            source.Shape.Product(0, start),
            source.Shape.Product(start, start + reduced.Length),
            source.Shape.Product(start + reduced.Length, Rank));
        Loops.Reduce(reduction, source.Storage, layout, y.Storage);
        return y;
    }

    /// <summary>All axes in order, but some of them moved to the end.</summary>
    private int[] WithLast(int[] last) => [.. Enumerable.Range(0, Rank).Except(last), .. last];

    private Tensor ReduceToNorm(ReadOnlySpan<int> axes, float order, out Shape kept)
    {
        using Recording.Scope untraced = Recording.Untraced();
        Tensor source = Detach();
        return order switch
        {
            1f => source.Reduce(axes, true, default(SumOfAbsolutes), out kept),
            2f => source.Reduce(axes, true, default(SumOfSquares), out kept).Sqrt(),
            float.PositiveInfinity => source.Reduce(axes, true, default(LargestAbsolute), out kept),
            _ => source.Abs().Pow(order).Reduce(axes, true, default(Sum), out kept).Pow(1f / order),
        };
    }

    private Tensor Extreme(int? axis, bool keepDimensions, float sign, string operation)
    {
        int place = axis is { } given ? Shape.Axis(given, operation) : 0;
        Tensor source = axis is null || Rank == 0 ? Reshape(-1) : this;
        source.CheckIsChoice(place, operation);
        Tensor y = IsRecorded(source) ? source.ExtremeByPlace(place, sign, operation)
            : sign > 0 ? source.Reduce([place], keepDimensions: true, default(Largest), out _)
            : source.Reduce([place], keepDimensions: true, default(Smallest), out _);
        Shape result = axis is null || Rank == 0
            ? keepDimensions ? Shape.Create([.. Enumerable.Repeat(1, Rank)]) : Shape.Scalar
            : Shape.Without([place], keepDimensions);
        return y.Reshape(result);
    }

    /// <summary>The largest or smallest along an axis, fetched from its place, where its gradient goes.</summary>
    private Tensor ExtremeByPlace(int axis, float sign, string operation)
    {
        AxisLayout layout = Shape.Around(axis);
        int[] rows = ArgExtreme(axis, sign, operation).Values; // Places along the axis, which become numbers of elements.
        for (int outer = 0; outer < layout.Outer; outer++)
        {
            int first = outer * layout.Inner;
            for (int inner = 0; inner < layout.Inner; inner++)
            {
                rows[first + inner] = (((outer * layout.Axis) + rows[first + inner]) * layout.Inner) + inner;
            }
        }

        return GatherRows(rows, 1, Shape.With(axis, 1), operation);
    }

    private void CheckIsChoice(int axis, string operation)
    {
        if (Shape.Around(axis).Axis == 0)
        {
            throw new ShapeException(
                $"{operation}: dimension {axis} of a tensor of shape {Shape} has no elements, so there is none to choose.");
        }
    }

    private Indices ArgExtreme(int axis, float sign, string operation)
    {
        int place = Shape.Axis(axis, operation);
        CheckIsChoice(place, operation);
        AxisLayout layout = Shape.Around(place);
        int[] indices = GC.AllocateUninitializedArray<int>(layout.Outer * layout.Inner);
        Loops.ArgMax(Storage, layout, sign, indices);
        return new Indices(indices, Rank == 0 ? Shape.Scalar : Shape.Without([place], keepDimensions: false));
    }

    private float Count(ReadOnlySpan<int> axes, string operation)
    {
        long count = 1;
        foreach (int axis in Shape.Axes(axes, operation))
        {
            count *= Shape.Dimensions[axis];
        }

        return count;
    }
}
