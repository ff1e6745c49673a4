namespace Minigrad.Gpu.Kernels;

/// <summary>
/// Rows of recurrent weights <c>[gates · width, width]</c> in the order of their units, four gates each, so that all gates
/// of a unit are in one tile.
/// </summary>
/// <param name="firstUnit">The unit of the first line.</param>
/// <param name="width">The hidden size.</param>
/// <param name="gates">How many gates there are, at most four.</param>
internal readonly struct GateStrip(int firstUnit, int width, int gates) : IStrip
{
    /// <summary>How many lines a unit has.</summary>
    public const int GatesOfUnit = 4;

    private readonly int firstUnit = firstUnit;
    private readonly int width = width;
    private readonly int gates = gates;

    /// <inheritdoc/>
    public int DepthStep => 1;

    /// <inheritdoc/>
    public int Place(int line, int depth)
    {
        int gate = line & (GatesOfUnit - 1);
        int unit = firstUnit + (line >> 2);
        int place = -1;
        if (gate < gates && unit < width)
        {
            place = (((gate * width) + unit) * width) + depth;
        }

        return place;
    }
}
