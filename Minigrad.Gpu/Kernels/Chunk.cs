namespace Minigrad.Gpu.Kernels;

/// <summary>A part of one parameter that a group of threads works on: a chunk of its elements, or one unit.</summary>
/// <param name="parameter">The parameter's number.</param>
/// <param name="start">The first element within the parameter.</param>
/// <param name="length">How many elements.</param>
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
    int view,
    int parameterOffset,
    int stateOffset,
    int firstUnit,
    int unitLength,
    int columnCount,
    int stride)
{
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
}
