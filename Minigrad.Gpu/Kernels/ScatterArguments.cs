namespace Minigrad.Gpu.Kernels;

/// <summary>How rows are added to a table, as a kernel argument.</summary>
/// <param name="count">How many rows are added.</param>
/// <param name="width">The length of a row.</param>
/// <param name="lanes">How many columns a group of threads takes, a power of two.</param>
internal readonly struct ScatterArguments(int count, int width, int lanes)
{
    /// <summary>How many rows are added.</summary>
    public readonly int Count = count;

    /// <summary>The length of a row.</summary>
    public readonly int Width = width;

    /// <summary>How many columns a group of threads takes, a power of two.</summary>
    public readonly int Lanes = lanes;
}
