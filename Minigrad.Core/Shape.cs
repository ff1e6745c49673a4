using System.Collections;
using System.Runtime.CompilerServices;

namespace Minigrad;

/// <summary>
/// The dimensions of a tensor, outermost first; a scalar has none. Every rule about shapes, and every message about
/// shapes that do not fit, is here.
/// </summary>
[CollectionBuilder(typeof(Shape), nameof(Create))]
public sealed class Shape : IReadOnlyList<int>, IEquatable<Shape>
{
    private const int RememberedShapes = 64;

    /// <summary>Shapes made lately on this thread: a training step needs the same few again and again, and they never change.</summary>
    [ThreadStatic]
    private static Shape?[]? remembered;

    private readonly int[] dimensions;

    private Shape(int[] dimensions, int size)
    {
        this.dimensions = dimensions;
        Size = size;
    }

    /// <summary>The shape of a single number: no dimensions, one element.</summary>
    public static Shape Scalar { get; } = new([], 1);

    /// <summary>The number of dimensions.</summary>
    public int Rank => dimensions.Length;

    /// <summary>The number of elements: the product of the dimensions.</summary>
    public int Size { get; }

    /// <summary>The dimensions, outermost first.</summary>
    public ReadOnlySpan<int> Dimensions => dimensions;

    /// <summary>The number of dimensions, as for any list.</summary>
    public int Count => dimensions.Length;

    /// <summary>The length of one dimension; negative counts from the last, −1.</summary>
    /// <param name="axis">−rank ≤ axis &lt; rank.</param>
    /// <exception cref="ShapeException">There is no such dimension.</exception>
    public int this[int axis] => Rank > 0
        ? dimensions[Axis(axis, "Shape")]
        : throw new ShapeException($"Shape: dimension {axis} does not exist in a scalar, which has none.");

    /// <summary>The dimensions as a span, for methods that take dimensions.</summary>
    public static implicit operator ReadOnlySpan<int>(Shape shape)
    {
        ArgumentNullException.ThrowIfNull(shape);
        return shape.dimensions;
    }

    /// <summary>A shape from its dimensions.</summary>
    /// <param name="dimensions">The dimensions, none negative.</param>
    /// <exception cref="ShapeException">A dimension is negative, or the elements are more than an array can hold.</exception>
    public static Shape Create(params ReadOnlySpan<int> dimensions)
    {
        if (dimensions.Length == 0)
        {
            return Scalar;
        }

        uint hash = 0;
        foreach (int dimension in dimensions)
        {
            hash = (hash * 31) + (uint)dimension;
        }

        ref Shape? slot = ref (remembered ??= new Shape?[RememberedShapes])[hash % RememberedShapes];
        if (slot is not { } known || !known.Dimensions.SequenceEqual(dimensions))
        {
            slot = Checked(dimensions);
        }

        return slot;
    }

    /// <summary>Whether two shapes have the same dimensions.</summary>
    /// <param name="other">The other shape.</param>
    public bool Equals(Shape? other) =>
        other is not null && (ReferenceEquals(this, other) || dimensions.AsSpan().SequenceEqual(other.dimensions));

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as Shape);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        HashCode hash = default;
        foreach (int dimension in dimensions)
        {
            hash.Add(dimension);
        }

        return hash.ToHashCode();
    }

    /// <inheritdoc/>
    public IEnumerator<int> GetEnumerator() => ((IEnumerable<int>)dimensions).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>The dimensions in brackets: <c>[2, 3]</c>; a scalar is <c>[]</c>.</summary>
    public override string ToString() => Text(dimensions);

    /// <summary>The dimensions in brackets, before they are known to be a shape.</summary>
    internal static string Text(ReadOnlySpan<int> dimensions) => $"[{string.Join(", ", dimensions.ToArray())}]";

    /// <summary>Where an element of a given number in row-major order is: one index for each dimension.</summary>
    internal int[] Place(int element)
    {
        int[] place = new int[Rank];
        for (int axis = Rank - 1; axis >= 0; axis--)
        {
            place[axis] = element % dimensions[axis];
            element /= dimensions[axis];
        }

        return place;
    }

    /// <summary>The number in row-major order of the element that is broadcast to a place of a larger shape.</summary>
    internal int ElementAt(ReadOnlySpan<int> place)
    {
        int element = 0;
        for (int axis = 0; axis < Rank; axis++)
        {
            int length = dimensions[axis];
            element = (element * length) + (length == 1 ? 0 : place[place.Length - Rank + axis]);
        }

        return element;
    }

    /// <summary>The axis that a possibly negative number means.</summary>
    internal int Axis(int axis, string operation)
    {
        int rank = Math.Max(1, Rank); // A scalar is treated as having one dimension, as in PyTorch.
        if (axis < -rank || axis >= rank)
        {
            string range = Rank == 0 ? "a scalar has none but 0" : $"it must be from {-Rank} to {Rank - 1}";
            throw new ShapeException(
                $"{operation}: dimension {axis} does not exist in a tensor of shape {this}; {range}.");
        }

        return axis < 0 ? axis + rank : axis;
    }

    /// <summary>The distinct axes that possibly negative numbers mean, in ascending order; none given means all.</summary>
    internal int[] Axes(ReadOnlySpan<int> axes, string operation)
    {
        int[] result = new int[axes.Length == 0 ? Rank : axes.Length];
        for (int i = 0; i < result.Length; i++)
        {
            int axis = axes.Length == 0 ? i : Axis(axes[i], operation);
            if (result.AsSpan(0, i).Contains(axis))
            {
                throw new ShapeException(
                    $"{operation}: dimension {axes[i]} is given twice in {Text(axes)}; each may appear once.");
            }

            result[i] = axis;
        }

        Array.Sort(result);
        return Rank == 0 ? [] : result;
    }

    /// <summary>The common shape that two operands are broadcast to.</summary>
    internal static Shape Broadcast(Shape a, Shape b, string operation)
    {
        if (a.Equals(b))
        {
            return a;
        }

        int[] result = new int[Math.Max(a.Rank, b.Rank)];
        for (int axis = 1; axis <= result.Length; axis++)
        {
            int ofA = axis <= a.Rank ? a.dimensions[^axis] : 1;
            int ofB = axis <= b.Rank ? b.dimensions[^axis] : 1;
            if (ofA != ofB && ofA != 1 && ofB != 1)
            {
                throw new ShapeException(
                    $"{operation}: shapes {a} and {b} do not fit together: dimension {-axis} is {ofA} on the left and {ofB} on the right. "
                    + "Dimensions are compared from the last one; they must be equal or one of them 1. "
                    + Suggestion(a, b, axis));
            }

            result[^axis] = ofA == 1 ? ofB : ofA;
        }

        return Create(result);
    }

    /// <summary>The shape without some axes, or with those axes 1.</summary>
    internal Shape Without(ReadOnlySpan<int> axes, bool keepDimensions)
    {
        int[] result = new int[Rank];
        int count = 0;
        for (int axis = 0; axis < Rank; axis++)
        {
            if (!axes.Contains(axis))
            {
                result[count++] = dimensions[axis];
            }
            else if (keepDimensions)
            {
                result[count++] = 1;
            }
        }

        return Create(result.AsSpan(0, count));
    }

    /// <summary>The shape with one dimension replaced.</summary>
    internal Shape With(int axis, int length)
    {
        int[] result = [.. dimensions];
        result[axis] = length;
        return Create(result);
    }

    /// <summary>The product of the dimensions from one axis up to, not including, another.</summary>
    internal int Product(int start, int end)
    {
        long product = 1;
        for (int axis = start; axis < end; axis++)
        {
            product *= dimensions[axis];
            if (product > int.MaxValue)
            {
                // Where another dimension is 0, so that there are no elements.
                throw new ShapeException(
                    $"Dimensions {start} to {end - 1} of a tensor of shape {this} would be {product:N0} or more together; they can be {int.MaxValue:N0} at most.");
            }
        }

        return (int)product;
    }

    /// <summary>The tensor as seen around one axis. A scalar has one axis of length 1.</summary>
    internal Backends.AxisLayout Around(int axis) =>
        Rank == 0 ? new(1, 1, 1) : new(Product(0, axis), dimensions[axis], Product(axis + 1, Rank));

    private static string Suggestion(Shape a, Shape b, int axis)
    {
        if (a.Rank == 2 && b.Rank == 2 && a.dimensions[0] == b.dimensions[1] && a.dimensions[1] == b.dimensions[0])
        {
            return "One is the transpose of the other: call Transpose() on one of them.";
        }

        Shape shorter = a.Rank <= b.Rank ? a : b;
        Shape longer = a.Rank <= b.Rank ? b : a;
        return shorter.Rank == 1 && longer.Rank > 1 && longer.dimensions.Contains(shorter.dimensions[0])
            ? $"To line {shorter} up with dimension {Array.IndexOf(longer.dimensions, shorter.dimensions[0])} of {longer}, add dimensions of 1 behind it with Unsqueeze(-1)."
            : $"Reshape, Unsqueeze or slice one of them so that dimension {-axis} agrees.";
    }

    private static Shape Checked(ReadOnlySpan<int> dimensions)
    {
        long length = 1;
        foreach (int dimension in dimensions)
        {
            if (dimension < 0)
            {
                throw new ShapeException(
                    $"A shape was given as {Text(dimensions)}, but a dimension cannot be negative. (Only Reshape takes a −1, which it works out.)");
            }

            length *= dimension;
            if (length > Array.MaxLength)
            {
                throw new ShapeException(
                    $"A tensor of shape {Text(dimensions)} would have more than the {Array.MaxLength:N0} elements that one array can hold.");
            }
        }

        return new Shape(dimensions.ToArray(), (int)length);
    }
}
