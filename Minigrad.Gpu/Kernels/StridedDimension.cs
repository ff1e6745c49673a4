namespace Minigrad.Gpu.Kernels;

/// <summary>One dimension of a strided copy.</summary>
/// <param name="size">The length of the dimension.</param>
/// <param name="from">The step in the source.</param>
/// <param name="to">The step in the destination.</param>
internal readonly struct StridedDimension(int size, int from, int to)
{
    /// <summary>A dimension of length 1, which changes nothing.</summary>
    public static StridedDimension One => new(1, 0, 0);

    /// <summary>The length of the dimension.</summary>
    public readonly int Size = size;

    /// <summary>The step in the source.</summary>
    public readonly int From = from;

    /// <summary>The step in the destination.</summary>
    public readonly int To = to;

    /// <summary>Whether this and the next inner dimension are one, with all elements in the same order.</summary>
    /// <param name="inner">The next inner dimension.</param>
    public bool Continues(StridedDimension inner) =>
        From == inner.Size * inner.From && To == inner.Size * inner.To;
}
