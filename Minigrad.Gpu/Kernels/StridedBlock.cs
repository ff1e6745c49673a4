namespace Minigrad.Gpu.Kernels;

/// <summary>
/// The dimensions of a strided copy as a kernel argument. Eight named fields and not an array: an array indexed by a
/// variable would live in the device's slow local memory.
/// </summary>
/// <param name="dimensions">At most <see cref="MaximumRank"/> dimensions, the last one fastest.</param>
internal readonly struct StridedBlock(ReadOnlySpan<StridedDimension> dimensions)
{
    /// <summary>How many dimensions one copy can have.</summary>
    public const int MaximumRank = 8;

    /// <summary>How many dimensions there are.</summary>
    public readonly int Rank = dimensions.Length;

    /// <summary>The last dimension.</summary>
    public readonly StridedDimension Last = FromEnd(dimensions, 1);

    /// <summary>The second dimension from the end.</summary>
    public readonly StridedDimension Second = FromEnd(dimensions, 2);

    /// <summary>The third dimension from the end.</summary>
    public readonly StridedDimension Third = FromEnd(dimensions, 3);

    /// <summary>The fourth dimension from the end.</summary>
    public readonly StridedDimension Fourth = FromEnd(dimensions, 4);

    /// <summary>The fifth dimension from the end.</summary>
    public readonly StridedDimension Fifth = FromEnd(dimensions, 5);

    /// <summary>The sixth dimension from the end.</summary>
    public readonly StridedDimension Sixth = FromEnd(dimensions, 6);

    /// <summary>The seventh dimension from the end.</summary>
    public readonly StridedDimension Seventh = FromEnd(dimensions, 7);

    /// <summary>The eighth dimension from the end.</summary>
    public readonly StridedDimension Eighth = FromEnd(dimensions, 8);

    private static StridedDimension FromEnd(ReadOnlySpan<StridedDimension> dimensions, int place) =>
        place <= dimensions.Length ? dimensions[^place] : StridedDimension.One;
}
