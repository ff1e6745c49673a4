using ILGPU;

namespace Minigrad.Gpu.Kernels;

/// <summary>The product with the recurrent weights that belongs to a step, as a kernel argument.</summary>
/// <param name="rows">How many sequences make the step.</param>
/// <param name="leftRows">How many rows the left operand has; further rows of it count as 0.</param>
/// <param name="left">The left operand.</param>
/// <param name="weight">The recurrent weights: <c>[gates · width, width]</c>.</param>
internal readonly struct RecurrentProduct(int rows, int leftRows, ArrayView<float> left, ArrayView<float> weight)
{
    /// <summary>How many sequences make the step.</summary>
    public readonly int Rows = rows;

    /// <summary>How many rows the left operand has; further rows of it count as 0.</summary>
    public readonly int LeftRows = leftRows;

    /// <summary>The left operand.</summary>
    public readonly ArrayView<float> Left = left;

    /// <summary>The recurrent weights: <c>[gates · width, width]</c>.</summary>
    public readonly ArrayView<float> Weight = weight;
}
