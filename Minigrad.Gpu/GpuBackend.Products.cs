using ILGPU;
using Minigrad.Backends;
using Minigrad.Gpu.Kernels;
using Minigrad.Operations;

namespace Minigrad.Gpu;

/// <content>Matrix products.</content>
public sealed partial class GpuBackend
{
    private const long ManyWeights = 1L << 23;
    private const double ManyMultiplyAdds = 1L << 29;

    /// <summary>What our kernels may take, in the cycles of <see cref="ProductPlan.Cycles"/>, and still be faster than the host gives work to cuBLAS.</summary>
    private const double QuickProduct = 15_000;

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
        else
        {
            ProductPlan plan = (queue.IsEmulated ? ProductPlan.Emulated(shape) : ProductPlan.Choose(shape, queue.Multiprocessors)).InChains(shape);
            if (GoesToCuBlas(shape, plan))
            {
                queue.Call(
                    static (stream, call) => call.cuBlas!.Product(stream, call.shape, call.left, call.right, call.target),
                    (cuBlas, shape, left: View(left), right: View(right), target));
                Finish(bias, activation, target);
            }
            else
            {
                MatrixProduct(plan, shape, left, right, result, bias);
                Finish(null, activation, target);
            }
        }

        KeepAlive(left.Storage, right.Storage, result.Storage);
        GC.KeepAlive(bias);
    }

    /// <inheritdoc/>
    /// <remarks>
    /// Both operands are stored in the format's 16 bits: a product of few rows reads half the bytes, one of many runs on the units that
    /// NVIDIA's GPUs have for it.
    /// </remarks>
    public override bool TryRoundedProduct<TRounding, TActivation>(
        MatrixProductShape shape, Part left, Part right, Part result, Storage? bias, TActivation activation)
    {
        if (!PairsNumbers(shape) || View(right.Storage).Length != (long)shape.Depth * shape.Columns)
        {
            return false;
        }

        GpuStorage weights = (GpuStorage)right.Storage;
        ArrayView<float> target = View(result).SubView(0, shape.Rows * shape.Columns);
        using Scratch rows = new(pool, Words(shape.Rows * shape.Depth));
        ArrayView<int> paired = Pair<TRounding>(View(left).SubView(0, shape.Rows * shape.Depth), rows.Integers);
        PairedNumbers<TRounding> numbers = weights.Paired<TRounding>();
        int version = weights.Version;
        if (numbers.Find(version) is { } kept)
        {
            PairedProduct<TRounding>(shape, paired, kept.Floats.Cast<int>(), target);
            GC.KeepAlive(kept);
        }
        else if (numbers.Room(pool, version) is { } room)
        {
            Pair<TRounding>(weights.View, room.Floats.Cast<int>());
            numbers.Keep(room, version);
            PairedProduct<TRounding>(shape, paired, room.Floats.Cast<int>(), target);
            GC.KeepAlive(room);
        }
        else
        {
            using Scratch words = new(pool, Words(weights.Length));
            PairedProduct<TRounding>(shape, paired, Pair<TRounding>(weights.View, words.Integers), target);
        }

        Finish(bias, activation, target);
        KeepAlive(left.Storage, right.Storage, result.Storage);
        GC.KeepAlive(bias);
        return true;
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

    private bool GoesToCuBlas(MatrixProductShape shape, ProductPlan plan) => cuBlas is not null && shape.Batch == 1 && productEngine switch
    {
        MatrixProductEngine.Own => false,
        MatrixProductEngine.CuBlas => true,
        _ => plan.Cycles(shape, queue.Multiprocessors) > QuickProduct,
    };

    /// <summary>How many words numbers of 16 bits take.</summary>
    private static int Words(int numbers) => (int)(((long)numbers + 1) / 2);

    /// <summary>
    /// Whether a product in a scope of half precision takes numbers of 16 bits. Where it is short it would wait for the launches that
    /// make them. Measured: docs/performance.md.
    /// </summary>
    internal bool PairsNumbers(MatrixProductShape shape) => cuBlas is { HasPairedProduct: true }
        && shape is { Batch: 1, Rows: > 0 }
        && productEngine == MatrixProductEngine.Automatic
        && ((long)shape.Depth * shape.Columns >= ManyWeights || (double)shape.Rows * shape.Depth * shape.Columns >= ManyMultiplyAdds);

    /// <summary>Queues rounding and storing in 16 bits, two numbers in a word.</summary>
    internal ArrayView<int> Pair<TRounding>(ArrayView<float> x, ArrayView<int> y)
        where TRounding : unmanaged, IRounding
    {
        queue.Launch(PairingKernels.Pair<TRounding>, Words(x.IntLength), default(TRounding), x, y);
        return y;
    }

    private void PairedProduct<TRounding>(MatrixProductShape shape, ArrayView<int> left, ArrayView<int> right, ArrayView<float> result)
        where TRounding : unmanaged, IRounding =>
        queue.Call(
            static (stream, call) => call.cuBlas!.PairedProduct(stream, call.shape, TRounding.ExponentBits, call.left, call.right, call.result),
            (cuBlas, shape, left, right, result));

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
