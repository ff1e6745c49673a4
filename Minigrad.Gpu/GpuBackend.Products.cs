using Minigrad.Backends;
using Minigrad.Gpu.Kernels;
using Minigrad.Operations;

namespace Minigrad.Gpu;

/// <content>Matrix products.</content>
public sealed partial class GpuBackend
{
    /// <inheritdoc/>
    public override void MatrixProduct(MatrixProductShape shape, Part left, Part right, Part result, Storage? bias = null)
    {
        int outputs = shape.Batch * shape.Rows * shape.Columns;
        if (shape.Depth == 0)
        {
            queue.Launch(ElementwiseKernels.Fill, outputs, 0f, View(result));
        }
        else
        {
            LaunchProduct(shape, outputs, left, right, result);
        }

        if (bias is not null)
        {
            Zip(default(Add), new Operand(result.Storage), new Operand(bias), result.Storage);
        }
    }

    private void LaunchProduct(MatrixProductShape shape, int outputs, Part left, Part right, Part result)
    {
        MatrixArguments arguments = new(
            shape.Rows,
            shape.Columns,
            shape.Depth,
            leftRow: shape.TransposeLeft ? 1 : shape.Depth,
            leftDepth: shape.TransposeLeft ? shape.Rows : 1,
            leftBatch: shape.SharedLeft ? 0 : shape.Rows * shape.Depth,
            rightDepth: shape.TransposeRight ? 1 : shape.Columns,
            rightColumn: shape.TransposeRight ? shape.Depth : 1,
            rightBatch: shape.SharedRight ? 0 : shape.Depth * shape.Columns);
        queue.Launch(MatrixKernels.Product, outputs, arguments, View(left), View(right), View(result));
        KeepAlive(left.Storage, right.Storage, result.Storage);
    }
}
