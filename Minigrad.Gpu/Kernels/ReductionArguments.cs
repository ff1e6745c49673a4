namespace Minigrad.Gpu.Kernels;

/// <summary>How an axis is cut for a reduction, as a kernel argument.</summary>
/// <param name="axis">The length of the axis.</param>
/// <param name="inner">How many columns lie side by side.</param>
/// <param name="lanes">How many columns a group takes, a power of two.</param>
/// <param name="chunks">Into how many chunks the axis is cut, each of which makes a result of its own.</param>
/// <param name="chunkLength">How long a chunk is, but for the last.</param>
/// <param name="takesTerms">1 if elements are made terms, 0 if they are results of an earlier pass.</param>
internal readonly struct ReductionArguments(int axis, int inner, int lanes, int chunks, int chunkLength, int takesTerms)
{
    /// <summary>The length of the axis.</summary>
    public readonly int Axis = axis;

    /// <summary>How many columns lie side by side.</summary>
    public readonly int Inner = inner;

    /// <summary>How many columns a group takes, a power of two.</summary>
    public readonly int Lanes = lanes;

    /// <summary>Into how many chunks the axis is cut.</summary>
    public readonly int Chunks = chunks;

    /// <summary>How long a chunk is, but for the last.</summary>
    public readonly int ChunkLength = chunkLength;

    /// <summary>1 if elements are made terms, 0 if they are results of an earlier pass.</summary>
    public readonly int TakesTerms = takesTerms;
}
