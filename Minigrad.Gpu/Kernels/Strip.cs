namespace Minigrad.Gpu.Kernels;

/// <summary>Lines of a matrix in their order.</summary>
/// <param name="start">The first element of the first line.</param>
/// <param name="lines">How many lines there are until the matrix ends.</param>
/// <param name="lineStep">The step from line to line.</param>
/// <param name="depthStep">The step along the depth.</param>
internal readonly struct Strip(int start, int lines, int lineStep, int depthStep) : IStrip
{
    private readonly int start = start;
    private readonly int lines = lines;
    private readonly int lineStep = lineStep;
    private readonly int depthStep = depthStep;

    /// <inheritdoc/>
    public int DepthStep => depthStep;

    /// <inheritdoc/>
    public int Place(int line, int depth)
    {
        int place = -1;
        if (line < lines)
        {
            place = start + (line * lineStep) + (depth * depthStep);
        }

        return place;
    }
}
