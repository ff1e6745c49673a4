using ILGPU;
using Minigrad.Backends;
using Minigrad.Gpu.Kernels;
using Minigrad.Operations;

namespace Minigrad.Gpu;

/// <content>Matrix products.</content>
public sealed partial class GpuBackend
{
    private readonly CuBlasProducts? cuBlas;
    private MatrixProductEngine productEngine;

    /// <summary>Whether NVIDIA's cuBLAS was found.</summary>
    internal bool HasCuBlas => cuBlas is not null;

    /// <summary>What computes matrix products, for tests and benchmarks to force.</summary>
    /// <exception cref="GpuException">cuBLAS was not found.</exception>
    internal MatrixProductEngine ProductEngine
    {
        get => productEngine;
        set => productEngine = value != MatrixProductEngine.CuBlas || HasCuBlas
            ? value
            : throw new GpuException($"{Name} has no cuBLAS: install NVIDIA's libcublas, version 11 to 13, or use Minigrad's own kernels.");
    }

    /// <inheritdoc/>
    public override void MatrixProduct<TActivation>(
        MatrixProductShape shape, Part left, Part right, Part result, Storage? bias, TActivation activation)
    {
        int outputs = shape.Batch * shape.Rows * shape.Columns;
        if (outputs == 0)
        {
            return;
        }

        ArrayView<float> target = View(result).SubView(0, outputs);
        if (shape.Depth == 0)
        {
            queue.Launch(ElementwiseKernels.Fill, outputs, 0f, target);
            Finish(bias, activation, target);
        }
        else if (cuBlas is not null && shape.Batch == 1 && productEngine != MatrixProductEngine.Own)
        {
            queue.Call(
                static (stream, call) => call.cuBlas.Product(stream, call.shape, call.left, call.right, call.target),
                (cuBlas, shape, left: View(left), right: View(right), target));
            Finish(bias, activation, target);
        }
        else
        {
            ProductPlan plan = queue.IsEmulated ? ProductPlan.Emulated(shape) : ProductPlan.Choose(shape, queue.Multiprocessors);
            MatrixProduct(plan, shape, left, right, result, bias);
            Finish(null, activation, target);
        }

        KeepAlive(left.Storage, right.Storage, result.Storage);
        GC.KeepAlive(bias);
    }

    /// <summary>The product by our kernels, cut as a plan says; nothing in the shape is 0.</summary>
    internal void MatrixProduct(
        ProductPlan plan, MatrixProductShape shape, Part left, Part right, Part result, Storage? bias)
    {
        int splitDepth = plan.SplitDepth(shape.Depth);
        int splits = (shape.Depth + splitDepth - 1) / splitDepth;
        MatrixArguments arguments = new(shape, splits, splitDepth, bias is null ? 0 : 1);
        ArrayView<float> added = bias is null ? View(left) : View(bias);
        int groups = plan.Tiles(shape) * splits;
        if (splits == 1)
        {
            queue.LaunchGroups(ProductKernel(plan), groups, plan.GroupSize, arguments, View(left), View(right), added, View(result));
            return;
        }

        int outputs = shape.Batch * shape.Rows * shape.Columns;
        using Scratch parts = new(pool, splits * outputs);
        queue.LaunchGroups(ProductKernel(plan), groups, plan.GroupSize, arguments, View(left), View(right), added, parts.Floats);
        queue.Launch(MatrixKernels.AddSplits, outputs, arguments, parts.Floats, added, View(result));
    }

    private Action<MatrixArguments, ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>> ProductKernel(
        ProductPlan plan)
    {
        return (plan.IsSliced, plan.Side, queue.Cuda is not null) switch
        {
            (false, 16, true) => MatrixKernels.BlockedProduct<WideTile>,
            (false, 16, false) => MatrixKernels.BlockedProduct<PortableWideTile>,
            (true, 16, true) => MatrixKernels.SlicedProduct<WideTile>,
            (true, 16, false) => MatrixKernels.SlicedProduct<PortableWideTile>,
            (true, 8, true) => MatrixKernels.SlicedProduct<SlicedTile>,
            (true, 8, false) => MatrixKernels.SlicedProduct<PortableSlicedTile>,
            (false, _, _) => MatrixKernels.BlockedProduct<EmulatedTile>,
            _ => MatrixKernels.SlicedProduct<EmulatedTile>,
        };
    }

    /// <summary>
    /// What remains to be done to the sums, in place. A launch of its own and not a part of our product's kernel: that would
    /// have to be compiled, for each tile, with every activation.
    /// </summary>
    private void Finish<TActivation>(Storage? bias, TActivation activation, ArrayView<float> result)
        where TActivation : unmanaged, IUnaryOp
    {
        if (bias is not null)
        {
            OperandView row = new(View(bias), bias.Length, 1);
            Zip(new OfSum<TActivation>(activation), new OperandView(result, result.IntLength, 1), row, result);
        }
        else if (typeof(TActivation) != typeof(Identity))
        {
            queue.Launch(ElementwiseKernels.Map<TActivation>, result.IntLength, activation, result, result);
        }
    }
}
