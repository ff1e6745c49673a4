using Minigrad.Autodiff;
using Minigrad.Backends;

namespace Minigrad;

/// <content>Operations that move numbers without computing. Reshape, Flatten, Squeeze and Unsqueeze share the numbers; the others copy, whatever the shape.</content>
public sealed partial class Tensor
{
    /// <summary>Tensors one after another along an existing axis.</summary>
    /// <param name="tensors">At least one tensor; shapes agree but for the axis.</param>
    /// <param name="axis">The axis, negative from the last.</param>
    /// <exception cref="ShapeException">The list is empty or the shapes do not agree.</exception>
    /// <exception cref="ArgumentException">A tensor is null.</exception>
    public static Tensor Concatenate(IReadOnlyList<Tensor> tensors, int axis = 0)
    {
        ArgumentNullException.ThrowIfNull(tensors);
        if (tensors.Count == 0)
        {
            throw new ShapeException("Concatenate was given no tensors; it needs at least one to know the shape.");
        }

        CheckNotNull(tensors, nameof(Concatenate));
        Shape first = tensors[0].Shape;
        if (first.Rank == 0)
        {
            throw new ShapeException("Concatenate: a scalar has no axis to be joined along; use Stack instead.");
        }

        axis = first.Axis(axis, nameof(Concatenate));
        long length = 0;
        for (int i = 0; i < tensors.Count; i++)
        {
            Shape shape = tensors[i].Shape;
            if (shape.Rank != first.Rank || !shape.With(axis, 0).Equals(first.With(axis, 0)))
            {
                throw new ShapeException(
                    $"Concatenate: tensor {i} has shape {shape} and tensor 0 has {first}; all dimensions but {axis} must agree.");
            }

            CommonBackend(tensors[0], tensors[i], nameof(Concatenate));
            length += shape.Dimensions[axis];
        }

        if (length > int.MaxValue)
        {
            throw new ShapeException(
                $"Concatenate: {tensors.Count} tensors as the first, of shape {first}, have length {length:N0} together along dimension {axis}; {int.MaxValue:N0} is the most.");
        }

        Tensor y = Allocate(first.With(axis, (int)length), tensors[0].Backend);
        int[] strides = StridedLayout.RowMajor(y.Shape).Strides;
        int start = 0;
        foreach (Tensor part in tensors)
        {
            StridedLayout target = new(start * strides[axis], strides);
            y.Backend.Copy(part.Storage, StridedLayout.RowMajor(part.Shape), y.Storage, target, part.Shape);
            start += part.Shape.Dimensions[axis];
        }

        return IsRecorded(tensors)
            ? new ConcatenateNode([.. tensors], axis).Output(y)
            : y;
    }

    /// <summary>Tensors of one shape side by side along a new axis.</summary>
    /// <param name="tensors">At least one tensor, all of the same shape.</param>
    /// <param name="axis">Where the new axis goes, from −rank − 1 to rank.</param>
    /// <exception cref="ShapeException">The list is empty or the shapes differ.</exception>
    /// <exception cref="ArgumentException">A tensor is null.</exception>
    public static Tensor Stack(IReadOnlyList<Tensor> tensors, int axis = 0)
    {
        ArgumentNullException.ThrowIfNull(tensors);
        CheckNotNull(tensors, nameof(Stack));
        for (int i = 1; i < tensors.Count; i++)
        {
            if (!tensors[i].Shape.Equals(tensors[0].Shape))
            {
                throw new ShapeException(
                    $"Stack: tensor {i} has shape {tensors[i].Shape} and tensor 0 has {tensors[0].Shape}; all must be the same.");
            }
        }

        return tensors.Count == 0
            ? throw new ShapeException("Stack was given no tensors; it needs at least one to know the shape.")
            : Concatenate([.. tensors.Select(tensor => tensor.Unsqueeze(axis))], axis < 0 ? axis + tensors[0].Rank + 1 : axis);
    }

    /// <summary>The same numbers under another shape; they are shared, not copied.</summary>
    /// <param name="shape">The dimensions; one of them may be −1 and is worked out.</param>
    /// <exception cref="ShapeException">The shape has another number of elements.</exception>
    public Tensor Reshape(params ReadOnlySpan<int> shape) =>
        shape.SequenceEqual(Shape.Dimensions) ? this : ReshapeTo(Resolve(shape));

    /// <summary>The same numbers under a shape that is known to have as many elements, and which is shared.</summary>
    internal Tensor ReshapeTo(Shape shape)
    {
        if (shape.Equals(Shape))
        {
            return this;
        }

        Tensor y = new(shape, Storage);
        return IsRecorded(this) ? new ReshapeNode(this).Output(y) : y;
    }

    /// <summary>All elements as one dimension, or all dimensions from one on joined.</summary>
    /// <param name="startAxis">The first axis to join.</param>
    /// <exception cref="ShapeException">There is no such dimension.</exception>
    public Tensor Flatten(int startAxis = 0)
    {
        startAxis = Shape.Axis(startAxis, nameof(Flatten));
        return Reshape([.. Shape.Dimensions[..Math.Min(startAxis, Rank)], Shape.Product(startAxis, Rank)]);
    }

    /// <summary>Without dimensions of length 1: one of them, or all.</summary>
    /// <param name="axis">The axis to remove if its length is 1; null for all such.</param>
    /// <exception cref="ShapeException">There is no such dimension.</exception>
    public Tensor Squeeze(int? axis = null)
    {
        if (axis is { } one)
        {
            int place = Shape.Axis(one, nameof(Squeeze));
            return Rank == 0 || Shape.Dimensions[place] != 1 ? this : Reshape(Shape.Without([place], keepDimensions: false));
        }

        return Reshape([.. Shape.Where(dimension => dimension != 1)]);
    }

    /// <summary>With a new dimension of length 1.</summary>
    /// <param name="axis">Where it goes, from −rank − 1 to rank.</param>
    /// <exception cref="ShapeException">There is no such place.</exception>
    public Tensor Unsqueeze(int axis)
    {
        if (axis < -Rank - 1 || axis > Rank)
        {
            throw new ShapeException(
                $"Unsqueeze: a new dimension {axis} cannot go into a tensor of shape {Shape}; it must be from {-Rank - 1} to {Rank}.");
        }

        int place = axis < 0 ? axis + Rank + 1 : axis;
        return Reshape([.. Shape.Dimensions[..place], 1, .. Shape.Dimensions[place..]]);
    }

    /// <summary>Repeats dimensions of length 1 to a larger shape.</summary>
    /// <param name="shape">The dimensions; −1 keeps one as it is. New ones may stand in front.</param>
    /// <exception cref="ShapeException">A dimension that is not 1 would change.</exception>
    public Tensor Expand(params ReadOnlySpan<int> shape)
    {
        int extra = shape.Length - Rank;
        int[] dimensions = shape.ToArray();
        int[] strides = new int[shape.Length];
        int[] own = StridedLayout.RowMajor(Shape).Strides;
        for (int axis = 0; axis < shape.Length; axis++)
        {
            int length = axis < extra ? 1 : Shape.Dimensions[axis - extra];
            if (dimensions[axis] == -1 && axis >= extra)
            {
                dimensions[axis] = length;
            }

            if (extra < 0 || (length != 1 && length != dimensions[axis]))
            {
                throw new ShapeException(
                    $"Expand: a tensor of shape {Shape} cannot be expanded to {Shape.Text(shape)}; only dimensions of length 1 repeat, and new ones go in front.");
            }

            strides[axis] = length == 1 ? 0 : own[axis - extra];
        }

        if (extra < 0)
        {
            throw new ShapeException(
                $"Expand: a tensor of shape {Shape} has more dimensions than {Shape.Text(shape)}; squeeze or sum some first.");
        }

        Tensor y = Copy(new StridedLayout(0, strides), Shape.Create(dimensions));
        return IsRecorded(this) ? new ExpandNode(this).Output(y) : y;
    }

    /// <summary>Two axes exchanged; of a matrix, the rows become the columns.</summary>
    /// <param name="first">One axis.</param>
    /// <param name="second">The other.</param>
    /// <remarks>This copies. A matrix product takes a transposed operand without copying: see <see cref="MatMul"/>.</remarks>
    /// <exception cref="ShapeException">There is no such dimension.</exception>
    public Tensor Transpose(int first = -2, int second = -1)
    {
        int a = Shape.Axis(first, nameof(Transpose));
        int b = Shape.Axis(second, nameof(Transpose));
        int[] order = [.. Enumerable.Range(0, Rank)];
        if (Rank > 0)
        {
            (order[a], order[b]) = (order[b], order[a]);
        }

        return Permute(order);
    }

    /// <summary>The axes in another order.</summary>
    /// <param name="axes">For each axis of the result, the axis it is of this tensor.</param>
    /// <exception cref="ShapeException">The axes are not each given once.</exception>
    public Tensor Permute(params ReadOnlySpan<int> axes)
    {
        if (axes.Length != Rank)
        {
            throw new ShapeException(
                $"Permute: {axes.Length} axes, {Shape.Text(axes)}, were given for a tensor of shape {Shape}; give each of its {Rank} axes once.");
        }

        Shape.Axes(axes, nameof(Permute));
        int[] own = StridedLayout.RowMajor(Shape).Strides;
        int[] strides = new int[Rank];
        int[] dimensions = new int[Rank];
        for (int axis = 0; axis < Rank; axis++)
        {
            int source = Shape.Axis(axes[axis], nameof(Permute));
            strides[axis] = own[source];
            dimensions[axis] = Shape.Dimensions[source];
        }

        return Take(new StridedLayout(0, strides), Shape.Create(dimensions), nameof(Permute));
    }

    /// <summary>The elements along some axes in reverse order.</summary>
    /// <param name="axes">The axes; none means all.</param>
    /// <exception cref="ShapeException">There is no such dimension, or one is given twice.</exception>
    public Tensor Flip(params ReadOnlySpan<int> axes)
    {
        int[] strides = StridedLayout.RowMajor(Shape).Strides;
        int offset = 0;
        foreach (int axis in Shape.Axes(axes, nameof(Flip)))
        {
            offset += (Shape.Dimensions[axis] - 1) * strides[axis];
            strides[axis] = -strides[axis];
        }

        return Take(new StridedLayout(offset, strides), Shape, nameof(Flip));
    }

    /// <summary>A range of one axis, with PyTorch's rules: negative places count from the end, and places past it are cut.</summary>
    /// <param name="axis">The axis.</param>
    /// <param name="start">The first place.</param>
    /// <param name="stop">Where to stop; it is not included. Null means the end.</param>
    /// <param name="step">How far apart the places are, at least 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">The step is not positive.</exception>
    /// <exception cref="ShapeException">There is no such dimension.</exception>
    public Tensor Slice(int axis, int start = 0, int? stop = null, int step = 1)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(step);
        if (Rank == 0)
        {
            throw new ShapeException("Slice: a scalar has no dimension to take a range of.");
        }

        axis = Shape.Axis(axis, nameof(Slice));
        int length = Shape.Dimensions[axis];
        int first = Math.Clamp(start < 0 ? start + length : start, 0, length);
        int last = Math.Clamp(stop is not { } end ? length : end < 0 ? end + length : end, first, length);
        int count = (int)(((long)last - first + step - 1) / step);
        int[] strides = StridedLayout.RowMajor(Shape).Strides;
        int offset = first * strides[axis];
        strides[axis] *= count > 1 ? step : 1;
        return Take(new StridedLayout(offset, strides), Shape.With(axis, count), nameof(Slice));
    }

    /// <summary>One place of an axis, without that axis.</summary>
    /// <param name="axis">The axis.</param>
    /// <param name="index">The place, negative from the end.</param>
    /// <exception cref="ShapeException">There is no such place.</exception>
    public Tensor Select(int axis, int index)
    {
        if (Rank == 0)
        {
            throw new ShapeException("Select: a scalar has no dimension to select a place of.");
        }

        axis = Shape.Axis(axis, nameof(Select));
        int place = CheckedIndex(index, axis, nameof(Select));
        return Slice(axis, place, place + 1).Reshape(Shape.Without([axis], keepDimensions: false));
    }

    /// <summary>The lower triangle of each matrix, zeros above a diagonal.</summary>
    /// <param name="diagonal">The last diagonal kept: 0 is the main one, positive ones lie above it.</param>
    /// <exception cref="ShapeException">There are fewer than two dimensions.</exception>
    public Tensor Tril(int diagonal = 0) => Triangle(nameof(Tril), (row, column) => column - row <= diagonal);

    /// <summary>The upper triangle of each matrix, zeros below a diagonal.</summary>
    /// <param name="diagonal">The first diagonal kept: 0 is the main one, positive ones lie above it.</param>
    /// <exception cref="ShapeException">There are fewer than two dimensions.</exception>
    public Tensor Triu(int diagonal = 0) => Triangle(nameof(Triu), (row, column) => column - row >= diagonal);

    /// <summary>A strided part of this tensor as a tensor of its own.</summary>
    internal Tensor Take(StridedLayout layout, Shape shape, string operation)
    {
        Tensor y = Copy(layout, shape);
        return IsRecorded(this) ? new TakeNode(this, layout, operation).Output(y) : y;
    }

    /// <summary>Zeros, with this tensor placed in a strided part of them.</summary>
    internal Tensor Place(StridedLayout layout, Shape shape, string operation)
    {
        Tensor y = Allocate(shape, Backend);
        if (Length != shape.Size)
        {
            Backend.Fill(y.Storage, 0f);
        }

        Backend.Copy(Storage, StridedLayout.RowMajor(Shape), y.Storage, layout, Shape);
        return IsRecorded(this) ? new PlaceNode(this, layout, operation).Output(y) : y;
    }

    private Tensor Copy(StridedLayout layout, Shape shape)
    {
        Tensor y = Allocate(shape, Backend);
        Backend.Copy(Storage, layout, y.Storage, StridedLayout.RowMajor(shape), shape);
        return y;
    }

    private Tensor Triangle(string operation, Func<int, int, bool> keep)
    {
        if (Rank < 2)
        {
            throw new ShapeException($"{operation} needs matrices, but the tensor has shape {Shape}.");
        }

        int rows = Shape[-2];
        int columns = Shape[-1];
        float[] mask = new float[Shape.Create(rows, columns).Size]; // Of an empty batch the matrices may be too large for one.
        for (int place = 0; place < mask.Length; place++)
        {
            mask[place] = keep(place / columns, place % columns) ? 1f : 0f;
        }

        return Where(Of(mask, rows, columns).To(Backend), this, Filled([], 0f, Backend));
    }

    private static void CheckNotNull(IReadOnlyList<Tensor> tensors, string operation)
    {
        for (int i = 0; i < tensors.Count; i++)
        {
            if (tensors[i] is null)
            {
                throw new ArgumentException($"{operation}: tensor {i} of {tensors.Count} is null.", nameof(tensors));
            }
        }
    }

    private int CheckedIndex(int index, int axis, string operation)
    {
        int length = Rank == 0 ? 1 : Shape.Dimensions[axis];
        return index >= -length && index < length
            ? index < 0 ? index + length : index
            : throw new ShapeException(
                $"{operation}: index {index} is outside dimension {axis} of a tensor of shape {Shape}, which has length {length}"
                + (length == 0 ? "." : $"; it must be from {-length} to {length - 1}."));
    }

    private Shape Resolve(ReadOnlySpan<int> shape)
    {
        int open = shape.IndexOf(-1);
        int[] dimensions = shape.ToArray();
        if (open >= 0)
        {
            long known = 1;
            for (int axis = 0; axis < dimensions.Length; axis++)
            {
                known *= axis == open ? 1 : dimensions[axis];
            }

            if (known <= 0 || Length % known != 0 || dimensions.Count(dimension => dimension == -1) > 1)
            {
                throw new ShapeException(
                    $"Reshape: the −1 in {Shape.Text(shape)} cannot be worked out for a tensor of shape {Shape}, {Length} elements"
                    + (known > 0 ? $": they are not a multiple of {known}, or there is more than one −1." : "."));
            }

            dimensions[open] = (int)(Length / known);
        }

        Shape result = Shape.Create(dimensions);
        return result.Size == Length
            ? result
            : throw new ShapeException(
                $"Reshape: a tensor of shape {Shape} has {Length} elements, but shape {Shape.Text(shape)} has {result.Size}. The numbers must be as many; −1 in place of one dimension lets it be worked out.");
    }
}
