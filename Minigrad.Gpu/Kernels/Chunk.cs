namespace Minigrad.Gpu.Kernels;

/// <summary>A part of one parameter that a group of threads works on: a chunk of its elements, or one unit.</summary>
/// <param name="parameter">The parameter's number.</param>
/// <param name="start">The first element within the parameter.</param>
/// <param name="length">How many elements.</param>
/// <param name="view">Which view of a <see cref="GradientWindow"/> holds the gradient.</param>
/// <param name="parameterOffset">Where the parameter begins in its buffer.</param>
/// <param name="stateOffset">Where what is remembered of it begins in its buffers.</param>
/// <param name="firstUnit">The parameter's first unit.</param>
/// <param name="unitLength">How many elements make a unit of it.</param>
internal readonly struct Chunk(
    int parameter, int start, int length, int view, int parameterOffset, int stateOffset, int firstUnit, int unitLength)
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

    /// <summary>The parameter's first unit.</summary>
    public readonly int FirstUnit = firstUnit;

    /// <summary>How many elements make a unit of it.</summary>
    public readonly int UnitLength = unitLength;
}
