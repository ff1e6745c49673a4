using System.Runtime.CompilerServices;
using Minigrad.Autodiff;
using Minigrad.Backends;

namespace Minigrad;

/// <content>Picking elements out by place.</content>
public sealed partial class Tensor
{
    /// <summary>
    /// A part of the tensor, with C#'s indices and ranges, one for each leading axis: <c>x[0]</c>, <c>x[1..3]</c>,
    /// <c>x[.., ^1]</c>. Reading copies and is recorded; assigning changes this tensor in place,
    /// to numbers alone: no gradient flows to how they were computed. To build a tensor of recorded parts, use <see cref="Concatenate"/>
    /// or <see cref="Stack"/>.
    /// </summary>
    /// <param name="places">An index removes its axis, a range keeps it; axes left out are whole.</param>
    /// <exception cref="ShapeException">There are more places than axes, one is outside its axis, or what is assigned does not expand to the part.</exception>
    /// <exception cref="GradientException">Set on a tensor that is recorded, or asks for a gradient outside <see cref="NoGrad"/>.</exception>
    [IndexerName("Part")]
    public Tensor this[params ReadOnlySpan<TensorIndex> places]
    {
        get
        {
            CheckPlaces(places);
            Tensor result = this;
            int axis = 0;
            foreach (TensorIndex place in places)
            {
                int length = result.Shape.Dimensions[axis];
                if (place.IsRange)
                {
                    (int start, int count) = place.Range(length, axis, Shape);
                    result = result.SliceOrAll(axis++, start, start + count);
                }
                else
                {
                    result = result.Select(axis, place.Offset(length));
                }
            }

            return ReferenceEquals(result, this) ? Take(StridedLayout.RowMajor(Shape), Shape, "Indexing") : result;
        }

        set
        {
            ArgumentNullException.ThrowIfNull(value);
            CheckPlaces(places);
            int[] rows = StridedRows(places, out Shape part);
            Shape.Broadcast(value.Shape, part, "Assigning to a part");
            Tensor source = value.Detach().To(Backend).Expand(part);
            ChangeInPlace("Assigning to a part");
            float[] all = ToArray();
            float[] values = source.ToArray();
            for (int i = 0; i < values.Length; i++)
            {
                all[rows[i]] = values[i];
            }

            Backend.Upload(all, Storage);
        }
    }

    /// <summary>Places of one axis, in any order and with repeats: y[…, k, …] = x[…, indices[k], …].</summary>
    /// <param name="axis">The axis.</param>
    /// <param name="indices">The places, negative from the end.</param>
    /// <exception cref="ShapeException">A place is outside the axis.</exception>
    public Tensor IndexSelect(int axis, params ReadOnlySpan<int> indices)
    {
        if (Rank == 0)
        {
            throw new ShapeException("IndexSelect: a scalar has no dimension to select places of.");
        }

        axis = Shape.Axis(axis, nameof(IndexSelect));
        Backends.AxisLayout layout = Shape.Around(axis);
        Shape selected = Shape.With(axis, indices.Length); // That there may be so many is checked before room is made for them.
        int[] rows = new int[layout.Outer * indices.Length];
        for (int k = 0; k < indices.Length; k++)
        {
            int place = CheckedIndex(indices[k], axis, nameof(IndexSelect));
            for (int outer = 0; outer < layout.Outer; outer++)
            {
                rows[(outer * indices.Length) + k] = (outer * layout.Axis) + place;
            }
        }

        return GatherRows(rows, layout.Inner, selected, nameof(IndexSelect));
    }

    /// <summary>Picks one element of an axis for each place of an index: y[i, j] = x[index[i, j], j] for axis 0.</summary>
    /// <param name="axis">The axis.</param>
    /// <param name="index">Places of the axis; in every other dimension no longer than this tensor.</param>
    /// <exception cref="ShapeException">The shapes do not fit or a place is outside the axis.</exception>
    public Tensor Gather(int axis, Indices index)
    {
        ArgumentNullException.ThrowIfNull(index);
        axis = Shape.Axis(axis, nameof(Gather));
        bool fits = index.Shape.Rank == Rank;
        for (int other = 0; fits && other < Rank; other++)
        {
            fits = other == axis || index.Shape.Dimensions[other] <= Shape.Dimensions[other];
        }

        if (!fits)
        {
            throw new ShapeException(
                $"Gather along dimension {axis}: the index has shape {index.Shape} and the tensor {Shape}; both need the same number of dimensions, and the index may be longer along dimension {axis} only.");
        }

        if (Rank == 0)
        {
            return GatherRows([CheckedIndex(index.Values[0], 0, nameof(Gather))], 1, Shape, nameof(Gather));
        }

        int[] strides = Backends.StridedLayout.RowMajor(Shape).Strides;
        int stride = strides[axis];
        strides[axis] = 0; // The index says where along the axis, whatever its own place there.
        int[] rows = new int[index.Shape.Size];
        int[] counter = new int[Rank];
        int start = 0;
        for (int i = 0; i < rows.Length; i++)
        {
            rows[i] = start + (CheckedIndex(index.Values[i], axis, nameof(Gather)) * stride);
            start += Advance(counter, index.Shape, strides);
        }

        return GatherRows(rows, 1, index.Shape, nameof(Gather));
    }

    /// <summary>Rows of this table by number, as word vectors: y[…, :] = this[index[…], :].</summary>
    /// <param name="index">Row numbers, of any shape.</param>
    /// <param name="paddingIndex">A row that takes no gradient, or null.</param>
    /// <returns><c>[…index, width]</c>.</returns>
    /// <exception cref="ShapeException">This is not <c>[rows, width]</c>, or a number or the padding index is outside it.</exception>
    public Tensor Embedding(Indices index, int? paddingIndex = null)
    {
        ArgumentNullException.ThrowIfNull(index);
        if (Rank != 2)
        {
            throw new ShapeException($"Embedding looks rows up in a table [rows, width], but this tensor has shape {Shape}.");
        }

        int count = Shape.Dimensions[0];
        int width = Shape.Dimensions[1];
        if (paddingIndex is { } given && (given < 0 || given >= count))
        {
            throw new ShapeException($"Embedding: the padding index {given} is no row of a table of shape {Shape}; rows are numbered from 0 to {count - 1}.");
        }

        int[] rows = new int[index.Shape.Size];
        for (int i = 0; i < rows.Length; i++)
        {
            int row = index.Values[i];
            rows[i] = row >= 0 && row < count ? row : throw new ShapeException(
                $"Embedding: row number {row} at {Shape.Text(index.Shape.Place(i))} is not in a table of shape {Shape}; rows are numbered from 0 to {count - 1}.");
        }

        Tensor y = GatherRows(rows, width, Shape.Create([.. index.Shape.Dimensions, width]), nameof(Embedding));
        if (paddingIndex is { } padding && Array.IndexOf(rows, padding) >= 0)
        {
            float[] learns = Array.ConvertAll(rows, row => row == padding ? 0f : 1f);
            y = Where(Of(learns, [.. index.Shape.Dimensions, 1]).To(Backend), y, y.Detach());
        }

        if (EmulatedPrecision.Current == Precision.Full)
        {
            y.Lookup = new RowLookup(NodeForGradient, Shape, rows, paddingIndex, y.Storage);
        }

        return y;
    }

    /// <summary>Rows of the numbers seen as a table of a given width; the places are known to be right.</summary>
    internal Tensor GatherRows(int[] rows, int width, Shape shape, string operation) =>
        GatherRows(new RowNumbers(rows), width, shape, operation);

    /// <inheritdoc cref="GatherRows(int[], int, Shape, string)"/>
    internal Tensor GatherRows(RowNumbers rows, int width, Shape shape, string operation)
    {
        Tensor y = Allocate(shape, Backend);
        bool isRecorded = IsRecorded(this);
        rows.AreAdded |= isRecorded;
        Loops.Gather(Storage, rows, width, y.Storage);
        if (isRecorded)
        {
            return new GatherNode(this, rows, width, operation).Output(y);
        }

        rows.Release();
        return y;
    }

    /// <summary>Zeros, with rows of this tensor added to them; the adjoint of gathering.</summary>
    internal Tensor ScatterRows(int[] rows, int width, Shape shape, string operation) =>
        ScatterRows(new RowNumbers(rows), width, shape, operation);

    /// <inheritdoc cref="ScatterRows(int[], int, Shape, string)"/>
    internal Tensor ScatterRows(RowNumbers rows, int width, Shape shape, string operation)
    {
        Tensor y = Allocate(shape, Backend);
        Backend.Fill(y.Storage, 0f);
        Loops.ScatterAdd(Storage, rows, width, y.Storage);
        if (IsRecorded(this))
        {
            return new ScatterNode(this, rows, width, operation).Output(y);
        }

        rows.Release();
        return y;
    }

    /// <summary>Goes on to the next place of a shape in row-major order, and tells how far that is in a layout of these strides.</summary>
    private static int Advance(int[] counter, Shape shape, int[] strides)
    {
        int distance = 0;
        for (int axis = counter.Length - 1; axis >= 0; axis--)
        {
            counter[axis]++;
            distance += strides[axis];
            if (counter[axis] < shape.Dimensions[axis])
            {
                return distance;
            }

            distance -= counter[axis] * strides[axis];
            counter[axis] = 0;
        }

        return distance;
    }

    /// <summary>Some places of an axis one after the other; this tensor itself if they are all.</summary>
    internal Tensor SliceOrAll(int axis, int start, int stop) =>
        start == 0 && stop == Shape.Dimensions[axis] ? this : Slice(axis, start, stop);

    private void CheckPlaces(ReadOnlySpan<TensorIndex> places)
    {
        if (places.Length > Rank)
        {
            throw new ShapeException(
                $"Indexing: {places.Length} places were given for a tensor of shape {Shape}, which has {Rank} dimensions.");
        }
    }

    private int[] StridedRows(ReadOnlySpan<TensorIndex> places, out Shape part)
    {
        // The places of a part are what indexing finds in a tensor that holds its own places. They are exact in two
        // float32 halves, whatever the length.
        Tensor high = Of([.. Enumerable.Range(0, Length).Select(place => (float)(place >> 12))], Shape)[places];
        Tensor low = Of([.. Enumerable.Range(0, Length).Select(place => (float)(place & 0xFFF))], Shape)[places];
        part = low.Shape;
        return [.. high.ToArray().Zip(low.ToArray(), (upper, lower) => ((int)upper << 12) + (int)lower)];
    }
}
