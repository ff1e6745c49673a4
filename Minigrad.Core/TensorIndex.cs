namespace Minigrad;

/// <summary>One place in <c>x[1, ..3, ^1]</c>: an index, which removes its axis, or a range, which keeps it.</summary>
public readonly struct TensorIndex
{
    private readonly Index index;
    private readonly Range range;

    private TensorIndex(Index index, Range range, bool isRange)
    {
        this.index = index;
        this.range = range;
        IsRange = isRange;
    }

    /// <summary>Whether this is a range.</summary>
    internal bool IsRange { get; }

    /// <summary>A place, negative from the end.</summary>
    public static implicit operator TensorIndex(int index) =>
        new(index < 0 ? new Index((int)-Math.Max(index, -(long)int.MaxValue), fromEnd: true) : new Index(index), default, isRange: false);

    /// <summary>A place, as in <c>^1</c>.</summary>
    public static implicit operator TensorIndex(Index index) => new(index, default, isRange: false);

    /// <summary>A range, as in <c>1..^1</c>.</summary>
    public static implicit operator TensorIndex(Range range) => new(default, range, isRange: true);

    /// <summary>The place that an index means, which may be outside the axis.</summary>
    internal int Offset(int length) => index.IsFromEnd ? -index.Value + (index.Value > length ? 0 : length) : index.Value;

    /// <summary>The start and length that a range means.</summary>
    internal (int Start, int Count) Range(int length, int axis, Shape shape)
    {
        int start = range.Start.GetOffset(length);
        int end = range.End.GetOffset(length);
        return start >= 0 && end <= length && start <= end
            ? (start, end - start)
            : throw new ShapeException(
                $"Indexing: the range {range} is outside dimension {axis} of a tensor of shape {shape}, which has length {length}.");
    }
}
