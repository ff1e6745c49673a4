namespace Minigrad.Gpu.Kernels;

/// <summary>The lines (rows of A, columns of B) of one operand that a tile needs.</summary>
/// <param name="start">The first element of the first line.</param>
/// <param name="lines">How many lines there are until the matrix ends.</param>
/// <param name="lineStep">The step from line to line.</param>
/// <param name="depthStep">The step along the depth.</param>
internal readonly struct Strip(int start, int lines, int lineStep, int depthStep)
{
    /// <summary>The first element of the first line.</summary>
    public readonly int Start = start;

    /// <summary>How many lines there are until the matrix ends.</summary>
    public readonly int Lines = lines;

    /// <summary>The step from line to line.</summary>
    public readonly int LineStep = lineStep;

    /// <summary>The step along the depth.</summary>
    public readonly int DepthStep = depthStep;
}
