namespace Minigrad.Gpu.Kernels;

/// <summary>How rows are added to a table, as a kernel argument.</summary>
/// <param name="width">The length of a row.</param>
/// <param name="lanes">How many columns a group takes, a power of two.</param>
internal readonly struct ScatterArguments(int width, int lanes)
{
    /// <summary>The length of a row.</summary>
    public readonly int Width = width;

    /// <summary>How many columns a group takes, a power of two.</summary>
    public readonly int Lanes = lanes;
}
