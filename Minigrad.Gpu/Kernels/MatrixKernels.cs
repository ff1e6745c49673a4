using ILGPU;

namespace Minigrad.Gpu.Kernels;

/// <summary>Matrix products, one thread an element of the result.</summary>
internal static class MatrixKernels
{
    /// <summary>C[b, r, c] = Σ A[b, r, k] · B[b, k, c].</summary>
    public static void Product(
        Index1D output, MatrixArguments shape, ArrayView<float> left, ArrayView<float> right, ArrayView<float> result)
    {
        int column = output % shape.Columns;
        int line = output / shape.Columns;
        int row = line % shape.Rows;
        int batch = line / shape.Rows;
        int a = (batch * shape.LeftBatch) + (row * shape.LeftRow);
        int b = (batch * shape.RightBatch) + (column * shape.RightColumn);
        float sum = 0f;
        for (int k = 0; k < shape.Depth; k++)
        {
            sum += left[a] * right[b];
            a += shape.LeftDepth;
            b += shape.RightDepth;
        }

        result[output] = sum;
    }
}
