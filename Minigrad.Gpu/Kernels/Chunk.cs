namespace Minigrad.Gpu.Kernels;

/// <summary>A part of one parameter that a group of threads works on: a chunk of its elements, or one unit.</summary>
/// <remarks>
/// The chunks of a parameter take its tiles in turns, so that groups which run at the same time read and write side by side: memory is
/// up to a fifth slower where each walks a long way of its own. A chunk's last tile alone may be short.
/// </remarks>
/// <param name="parameter">The parameter's number.</param>
/// <param name="start">The first element within the parameter.</param>
/// <param name="length">How many elements.</param>
/// <param name="gap">How many elements of other chunks lie between two tiles.</param>
/// <param name="view">Which view of a <see cref="GradientWindow"/> holds the gradient.</param>
/// <param name="parameterOffset">Where the parameter begins in its buffer.</param>
/// <param name="stateOffset">Where what is remembered of it begins in its buffers.</param>
/// <param name="firstUnit">The place of the parameter's first unit among all units, or of the one unit that it is.</param>
/// <param name="unitLength">How many elements make a row of it.</param>
/// <param name="columnCount">How many columns it has.</param>
/// <param name="stride">From one element to the next: 1, or for a column their number.</param>
internal readonly struct Chunk(
    int parameter,
    int start,
    int length,
    int gap,
    int view,
    int parameterOffset,
    int stateOffset,
    int firstUnit,
    int unitLength,
    int columnCount,
    int stride)
{
    /// <summary>The elements of a tile are 2 to this power, so that a place in a chunk is found by a shift.</summary>
    public const int TileBits = 10;

    /// <summary>The parameter's number.</summary>
    public readonly int Parameter = parameter;

    /// <summary>The first element within the parameter.</summary>
    public readonly int Start = start;

    /// <summary>How many elements.</summary>
    public readonly int Length = length;

    /// <summary>Which view of a <see cref="GradientWindow"/> holds the gradient.</summary>
    public readonly int View = view;

    /// <summary>Where the parameter begins in its buffer.</summary>
    public readonly int ParameterOffset = parameterOffset;

    /// <summary>Where what is remembered of it begins in its buffers.</summary>
    public readonly int StateOffset = stateOffset;

    /// <summary>The place of the parameter's first unit among all units, or of the one unit that it is.</summary>
    public readonly int FirstUnit = firstUnit;

    /// <summary>How many elements make a row of it.</summary>
    public readonly int UnitLength = unitLength;

    /// <summary>How many columns it has.</summary>
    public readonly int ColumnCount = columnCount;

    /// <summary>From one element to the next.</summary>
    public readonly int Stride = stride;

    private readonly int gap = gap;

    /// <summary>The place within the parameter of an element of the chunk.</summary>
    /// <param name="i">The element's number in the chunk, from 0.</param>
    public int Element(int i) => Start + i + ((i >> TileBits) * gap);
}
