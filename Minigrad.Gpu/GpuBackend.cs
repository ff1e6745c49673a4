using ILGPU;
using ILGPU.Runtime;
using Minigrad.Backends;
using Minigrad.Gpu.Kernels;
using Minigrad.Operations;

namespace Minigrad.Gpu;

/// <summary>
/// A backend on a GPU: every loop over a formula is a kernel that ILGPU compiles, at its first use, for CUDA or OpenCL.
/// Opened by <see cref="GpuDevice"/>.
/// </summary>
/// <remarks>
/// Work is queued and runs while the host goes on; only <see cref="Download"/>, <see cref="ArgMax"/> and
/// the norms wait for it. Any thread may use the backend; what they ask for runs one after another.
/// </remarks>
public sealed class GpuBackend : Backend, IDisposable
{
    /// <summary>Up to this length an axis is reduced by one thread.</summary>
    private const int LongestLine = 64;

    /// <summary>How many elements of a longer axis one thread reduces to one partial result.</summary>
    private const int ElementsPerPartial = 32;

    private readonly DeviceQueue queue;
    private readonly DeviceBufferPool pool;

    /// <summary>Takes ownership of a context and its accelerator.</summary>
    internal GpuBackend(Context context, Accelerator accelerator, GpuDeviceDescription device)
    {
        queue = new DeviceQueue(context, accelerator);
        pool = new DeviceBufferPool(queue);
        Device = device;
    }

    /// <summary>The device that the backend runs on.</summary>
    public GpuDeviceDescription Device { get; }

    /// <inheritdoc/>
    public override string Name => Device.Kind switch
    {
        GpuDeviceKind.Cuda => $"CUDA ({Device.Name})",
        GpuDeviceKind.CpuAccelerator => "ILGPU's CPU accelerator",
        _ => $"OpenCL ({Device.Name})",
    };

    /// <summary>The bytes of all buffers on the device, in use or waiting for use.</summary>
    public long PooledBytes => pool.BytesOwned;

    /// <inheritdoc/>
    /// <exception cref="GpuException">The device has no more memory.</exception>
    /// <exception cref="ObjectDisposedException">The backend was disposed.</exception>
    public override Storage Allocate(int length) => new GpuStorage(this, pool, length);

    /// <inheritdoc/>
    public override void Upload(ReadOnlySpan<float> source, Storage destination)
    {
        queue.Upload(source, View(destination));
        GC.KeepAlive(destination);
    }

    /// <inheritdoc/>
    public override void Download(Storage source, Span<float> destination)
    {
        queue.Download(View(source), destination);
        GC.KeepAlive(source);
    }

    /// <inheritdoc/>
    public override void Fill(Storage y, float value)
    {
        queue.Launch(ElementwiseKernels.Fill, y.Length, value, View(y));
        GC.KeepAlive(y);
    }

    /// <inheritdoc/>
    public override void Fill<TDistribution>(TDistribution distribution, Randomness source, Storage y)
    {
        queue.Launch(
            ElementwiseKernels.Sample<TDistribution>,
            y.Length,
            distribution,
            source.Seed,
            source.Stream,
            source.Position,
            View(y));
        GC.KeepAlive(y);
    }

    /// <inheritdoc/>
    public override void Map<TOp>(TOp op, Storage x, Storage y)
    {
        queue.Launch(ElementwiseKernels.Map<TOp>, y.Length, op, View(x), View(y));
        KeepAlive(x, y);
    }

    /// <inheritdoc/>
    public override void Zip<TOp>(TOp op, Operand a, Operand b, Storage y)
    {
        Zip(op, View(a), View(b), View(y));
        KeepAlive(a.Storage, b.Storage, y);
    }

    /// <inheritdoc/>
    public override void Combine<TOp>(TOp op, Operand a, Operand b, Operand c, Storage y)
    {
        Combine(op, View(a), View(b), View(c), View(y));
        KeepAlive(a.Storage, b.Storage, c.Storage);
        GC.KeepAlive(y);
    }

    /// <inheritdoc/>
    public override void Reduce<TReduction>(TReduction reduction, Storage x, AxisLayout layout, Storage y)
    {
        Reduce(reduction, View(x), layout, View(y));
        KeepAlive(x, y);
    }

    /// <inheritdoc/>
    public override void ArgMax(Storage x, AxisLayout layout, float sign, Span<int> indices)
    {
        if (indices.Length == 0)
        {
            return;
        }

        using Scratch scratch = new(pool, indices.Length);
        ArrayView<int> found = scratch.Integers.SubView(0, indices.Length);
        queue.Launch(ReductionKernels.ArgMax, indices.Length, View(x), layout.Axis, layout.Inner, sign, found);
        queue.Download(found, indices);
        GC.KeepAlive(x);
    }

    /// <inheritdoc/>
    public override void CumulativeSum(Storage x, AxisLayout layout, bool reverse, Storage y)
    {
        queue.Launch(
            ReductionKernels.CumulativeSum,
            layout.Axis == 0 ? 0 : layout.Outer * layout.Inner,
            View(x),
            layout.Axis,
            layout.Inner,
            reverse ? layout.Axis - 1 : 0,
            reverse ? -1 : 1,
            View(y));
        KeepAlive(x, y);
    }

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

    /// <inheritdoc/>
    public override void Cell<TCell>(TCell cell, in CellForward step)
    {
        CellInputs inputs = new(
            step.Width, View(step.Input), View(step.Recurrent), View(step.Bias), View(step.HiddenBefore), View(step.StateBefore));
        queue.Launch(
            CellKernels.Forward<TCell>,
            step.Rows * step.Width,
            cell,
            inputs,
            View(step.Hidden),
            View(step.State),
            View(step.Saved));
        KeepAlive(step.Input.Storage, step.Recurrent.Storage, step.Bias.Storage);
        KeepAlive(step.HiddenBefore.Storage, step.StateBefore.Storage, step.Saved.Storage);
        KeepAlive(step.Hidden.Storage, step.State.Storage);
    }

    /// <inheritdoc/>
    public override void CellBackward<TCell>(TCell cell, in CellBackward step)
    {
        CellGradients gradients = new(
            View(step.OutputGradient), View(step.DirectGradient), View(step.GateGradient), View(step.StateGradient));
        CellMemory memory = new(step.Width, View(step.Saved), View(step.HiddenBefore), View(step.StateBefore));
        queue.Launch(
            CellKernels.Backward<TCell>,
            step.Rows * step.Width,
            cell,
            memory,
            gradients,
            View(step.DirectGradientBefore),
            View(step.StateGradientBefore),
            View(step.InputGradient),
            View(step.RecurrentGradient));
        KeepAlive(step.Saved.Storage, step.HiddenBefore.Storage, step.StateBefore.Storage);
        KeepAlive(step.OutputGradient.Storage, step.DirectGradient.Storage, step.GateGradient.Storage);
        KeepAlive(step.StateGradient.Storage, step.DirectGradientBefore.Storage, step.StateGradientBefore.Storage);
        KeepAlive(step.InputGradient.Storage, step.RecurrentGradient.Storage);
    }

    /// <inheritdoc/>
    public override void Softmax(Storage x, int rows, int columns, bool logarithm, Storage y)
    {
        if (rows > 0 && columns > 0)
        {
            using Scratch largest = new(pool, rows);
            using Scratch sums = new(pool, rows);
            AxisLayout layout = new(rows, columns, 1);
            OperandView input = new(View(x), x.Length, 1);
            OperandView shift = new(largest.Floats, rows, columns);
            OperandView total = new(sums.Floats, rows, columns);
            Reduce(default(Largest), View(x), layout, largest.Floats);
            if (logarithm)
            {
                // Not in y, which may be x, and x is needed once more.
                using Scratch terms = new(pool, x.Length);
                Zip(default(ShiftedExponential), input, shift, terms.Floats.SubView(0, x.Length));
                Reduce(default(Sum), terms.Floats, layout, sums.Floats);
                Combine(default(LogSoftmaxOfSums), input, shift, total, View(y));
            }
            else
            {
                Zip(default(ShiftedExponential), input, shift, View(y));
                Reduce(default(Sum), View(y), layout, sums.Floats);
                Zip(default(Divide), new OperandView(View(y), y.Length, 1), total, View(y));
            }
        }

        KeepAlive(x, y);
    }

    /// <inheritdoc/>
    public override void SoftmaxBackward(
        Storage y, Storage gradient, int rows, int columns, bool logarithm, Storage result)
    {
        if (rows > 0 && columns > 0)
        {
            using Scratch sums = new(pool, rows);
            AxisLayout layout = new(rows, columns, 1);
            OperandView output = new(View(y), y.Length, 1);
            OperandView outputGradient = new(View(gradient), gradient.Length, 1);
            OperandView total = new(sums.Floats, rows, columns);
            if (logarithm)
            {
                Reduce(default(Sum), View(gradient), layout, sums.Floats);
                Combine(default(LogSoftmaxSlope), output, outputGradient, total, View(result));
            }
            else
            {
                using Scratch products = new(pool, y.Length);
                Zip(default(Multiply), output, outputGradient, products.Floats.SubView(0, y.Length));
                Reduce(default(Sum), products.Floats, layout, sums.Floats);
                Combine(default(SoftmaxSlope), output, outputGradient, total, View(result));
            }
        }

        KeepAlive(y, gradient, result);
    }

    /// <inheritdoc/>
    public override void CrossEntropy(
        Storage x, ClassTargets targets, int columns, Storage normalizers, Storage losses)
    {
        int rows = targets.Labels.Length;
        if (rows > 0)
        {
            using Scratch terms = new(pool, x.Length);
            using Scratch labels = new(pool, rows);
            ArrayView<float> shifts = View(normalizers).SubView(0, rows);
            ArrayView<float> logarithms = View(normalizers).SubView(rows, rows);
            AxisLayout layout = new(rows, columns, 1);
            Reduce(default(Largest), View(x), layout, shifts);
            Zip(
                default(ShiftedExponential),
                new OperandView(View(x), x.Length, 1),
                new OperandView(shifts, rows, columns),
                terms.Floats.SubView(0, x.Length));
            Reduce(default(Sum), terms.Floats, layout, logarithms);
            queue.Launch(ElementwiseKernels.Map<Logarithm>, rows, default(Logarithm), logarithms, logarithms);
            queue.Launch(
                CrossEntropyKernels.Losses, rows, Arguments(x, normalizers, targets, columns, labels), View(losses));
        }

        KeepAlive(x, normalizers, losses);
        GC.KeepAlive(targets.Weights);
    }

    /// <inheritdoc/>
    public override void CrossEntropyBackward(
        Storage x,
        Storage normalizers,
        ClassTargets targets,
        int columns,
        Storage gradient,
        float divisor,
        Storage result)
    {
        if (result.Length > 0)
        {
            using Scratch labels = new(pool, targets.Labels.Length);
            queue.Launch(
                CrossEntropyKernels.Gradient,
                result.Length,
                Arguments(x, normalizers, targets, columns, labels),
                View(gradient),
                gradient.Length == 1 ? 0 : 1,
                divisor,
                View(result));
        }

        KeepAlive(x, normalizers, targets.Weights);
        KeepAlive(gradient, result);
    }

    /// <inheritdoc/>
    public override void Copy(
        Storage x, StridedLayout source, Storage y, StridedLayout target, ReadOnlySpan<int> dimensions)
    {
        List<StridedDimension> steps = [];
        int length = 1;
        for (int axis = 0; axis < dimensions.Length; axis++)
        {
            length *= dimensions[axis];
            if (dimensions[axis] != 1)
            {
                steps.Add(new StridedDimension(dimensions[axis], source.Strides[axis], target.Strides[axis]));
            }
        }

        if (length > 0)
        {
            Copy(View(x), source.Offset, View(y), target.Offset, steps);
        }

        KeepAlive(x, y);
    }

    /// <inheritdoc/>
    public override void Gather(Storage x, ReadOnlySpan<int> rows, int width, Storage y)
    {
        if (rows.Length > 0 && width > 0)
        {
            using Scratch scratch = new(pool, rows.Length);
            ArrayView<int> deviceRows = scratch.Integers.SubView(0, rows.Length);
            queue.Upload(rows, deviceRows);
            queue.Launch(CopyKernels.Gather, rows.Length * width, View(x), deviceRows, width, View(y));
        }

        KeepAlive(x, y);
    }

    /// <inheritdoc/>
    public override void ScatterAdd(Storage x, ReadOnlySpan<int> rows, int width, Storage y)
    {
        if (rows.Length > 0 && width > 0)
        {
            RowSegments segments = new(rows);
            using Scratch scratch = new(pool, segments.Order.Length + segments.Starts.Length + segments.Targets.Length);
            ArrayView<int> order = Upload(segments.Order, scratch.Integers, 0);
            ArrayView<int> starts = Upload(segments.Starts, scratch.Integers, order.Length);
            ArrayView<int> targets = Upload(segments.Targets, scratch.Integers, order.Length + starts.Length);
            int outputs = segments.Targets.Length * width;
            queue.Launch(CopyKernels.ScatterAdd, outputs, View(x), order, starts, targets, width, View(y));
        }

        KeepAlive(x, y);
    }

    /// <inheritdoc/>
    /// <remarks>The only kernels in double precision; a device without it cannot run them.</remarks>
    public override void Norms(Storage x, double order, Span<double> norms)
    {
        if (x.Length == 0 || norms.Length == 0)
        {
            norms.Clear();
            return;
        }

        int unitLength = x.Length / norms.Length;
        switch (order)
        {
            case 1:
                Sums(default(MagnitudeTerm), View(x), unitLength, norms);
                break;
            case 2:
                Sums(default(SquareTerm), View(x), unitLength, norms);
                foreach (ref double norm in norms)
                {
                    norm = Math.Sqrt(norm);
                }

                break;
            default:
                ScaledNorms(View(x), unitLength, order, norms);
                break;
        }

        GC.KeepAlive(x);
    }

    /// <inheritdoc/>
    public override void Norms(IReadOnlyList<Storage> buffers, double order, Span<double> norms)
    {
        for (int buffer = 0; buffer < norms.Length; buffer++)
        {
            Norms(buffers[buffer], order, norms.Slice(buffer, 1));
        }
    }

    /// <inheritdoc/>
    public override void Update<TRule>(TRule rule, ReadOnlySpan<UpdateTarget> targets)
    {
        foreach (ref readonly UpdateTarget target in targets)
        {
            ArrayView<float> parameter = View(target.Parameter);
            GradientScale scale = target.Scale;
            UpdateArguments arguments = new(
                scale.First,
                scale.Second,
                scale.Bound,
                scale.UnitFactors is { } factors ? View(factors) : parameter,
                scale.UnitFactors is null ? 0 : scale.UnitLength);
            queue.Launch(
                UpdateKernels.Update<TRule>,
                target.Parameter.Length,
                rule,
                arguments,
                parameter,
                View(target.Gradient),
                rule.StateCount > 0 ? View(target.State[0]) : parameter,
                rule.StateCount > 1 ? View(target.State[1]) : parameter,
                rule.StateCount > 2 ? View(target.State[2]) : parameter);
            KeepAlive(target.Parameter, target.Gradient, scale.UnitFactors);
            GC.KeepAlive(target.State);
        }
    }

    /// <summary>Waits for the device and gives it up, with every buffer on it. Any later use fails with <see cref="ObjectDisposedException"/>.</summary>
    public void Dispose() => queue.Dispose();

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

    /// <summary>How many partial results an axis is reduced to; 1 if one thread reduces it whole.</summary>
    private static int PartialsOf(int axis) =>
        axis <= LongestLine ? 1 : (axis + ElementsPerPartial - 1) / ElementsPerPartial;

    /// <summary>
    /// A storage that the caller has let go of must not return its buffer to the pool before its last kernel is queued.
    /// </summary>
    private static void KeepAlive(Storage a, Storage b, Storage? c = null)
    {
        GC.KeepAlive(a);
        GC.KeepAlive(b);
        GC.KeepAlive(c);
    }

    private ArrayView<float> View(Storage storage)
    {
        // First of all, because a disposed accelerator's buffers end the process instead of throwing.
        queue.ThrowIfDisposed();
        return storage is GpuStorage own && own.Backend == this
            ? own.View
            : throw new ArgumentException(
                $"A tensor on {storage.Backend.Name} was given to {Name}. Move it there first.", nameof(storage));
    }

    private ArrayView<float> View(Part part)
    {
        // A part of no elements at a buffer's end is never read, and no view of it can be made.
        ArrayView<float> whole = View(part.Storage);
        return part.Start == 0 || part.Start == whole.Length ? whole : whole.SubView(part.Start, whole.Length - part.Start);
    }

    private OperandView View(Operand operand) => new(View(operand.Storage), operand.Period, operand.Repeat);

    private CrossEntropyArguments Arguments(
        Storage x, Storage normalizers, in ClassTargets targets, int columns, in Scratch labels) => new(
        View(x),
        View(normalizers),
        Upload(targets.Labels, labels.Integers, 0),
        targets.Weights is null ? View(x) : View(targets.Weights),
        targets.Weights is null ? 0 : 1,
        targets.LabelShare,
        targets.ClassShare,
        targets.TotalWeight,
        columns);

    private void Zip<TOp>(TOp op, OperandView a, OperandView b, ArrayView<float> y)
        where TOp : unmanaged, IBinaryOp
    {
        int length = y.IntLength;
        if (a.IsInOrder(length) && b.IsInOrder(length))
        {
            queue.Launch(ElementwiseKernels.Zip<TOp>, length, op, a.Values, b.Values, y);
        }
        else
        {
            queue.Launch(ElementwiseKernels.ZipBroadcast<TOp>, length, op, a, b, y);
        }
    }

    private void Combine<TOp>(TOp op, OperandView a, OperandView b, OperandView c, ArrayView<float> y)
        where TOp : unmanaged, ITernaryOp
    {
        int length = y.IntLength;
        if (a.IsInOrder(length) && b.IsInOrder(length) && c.IsInOrder(length))
        {
            queue.Launch(ElementwiseKernels.Combine<TOp>, length, op, a.Values, b.Values, c.Values, y);
        }
        else
        {
            queue.Launch(ElementwiseKernels.CombineBroadcast<TOp>, length, op, a, b, c, y);
        }
    }

    private void Reduce<TReduction>(TReduction reduction, ArrayView<float> x, AxisLayout layout, ArrayView<float> y)
        where TReduction : unmanaged, IReduction
    {
        int outputs = layout.Outer * layout.Inner;
        int partials = PartialsOf(layout.Axis);
        if (partials == 1)
        {
            queue.Launch(ReductionKernels.ReduceTerms<TReduction>, outputs, reduction, x, layout.Axis, layout.Inner, 1, y);
        }
        else if (outputs > 0)
        {
            using Scratch scratch = new(pool, outputs * partials);
            queue.Launch(
                ReductionKernels.ReduceTerms<TReduction>,
                outputs * partials,
                reduction,
                x,
                layout.Axis,
                layout.Inner,
                partials,
                scratch.Floats);
            ReducePartials(reduction, scratch.Floats, layout with { Axis = partials }, y);
        }
    }

    private void ReducePartials<TReduction>(
        TReduction reduction, ArrayView<float> x, AxisLayout layout, ArrayView<float> y)
        where TReduction : unmanaged, IReduction
    {
        int outputs = layout.Outer * layout.Inner;
        int partials = PartialsOf(layout.Axis);
        if (partials == 1)
        {
            queue.Launch(ReductionKernels.ReducePartials<TReduction>, outputs, reduction, x, layout.Axis, layout.Inner, 1, y);
            return;
        }

        using Scratch scratch = new(pool, outputs * partials);
        queue.Launch(
            ReductionKernels.ReducePartials<TReduction>,
            outputs * partials,
            reduction,
            x,
            layout.Axis,
            layout.Inner,
            partials,
            scratch.Floats);
        ReducePartials(reduction, scratch.Floats, layout with { Axis = partials }, y);
    }

    /// <summary>Copies a block, and one of too many dimensions slice by slice.</summary>
    private void Copy(ArrayView<float> x, int source, ArrayView<float> y, int target, List<StridedDimension> dimensions)
    {
        if (dimensions.Count <= StridedBlock.MaximumRank)
        {
            int length = dimensions.Aggregate(1, (product, dimension) => product * dimension.Size);
            queue.Launch(CopyKernels.Strided, length, new StridedBlock([.. dimensions]), source, x, target, y);
            return;
        }

        StridedDimension outermost = dimensions[0];
        List<StridedDimension> rest = dimensions[1..];
        for (int i = 0; i < outermost.Size; i++)
        {
            Copy(x, source + (i * outermost.From), y, target + (i * outermost.To), rest);
        }
    }

    private ArrayView<int> Upload(int[] source, ArrayView<int> target, long offset)
    {
        ArrayView<int> view = target.SubView(offset, source.Length);
        queue.Upload<int>(source, view);
        return view;
    }

    /// <summary>‖x‖ = m · (Σ (|x| / m)ᵖ)^(1/p) with m the largest magnitude, which is itself the norm for p = ∞.</summary>
    private void ScaledNorms(ArrayView<float> x, int unitLength, double order, Span<double> norms)
    {
        using Scratch scratch = new(pool, norms.Length);
        ArrayView<float> largest = scratch.Floats.SubView(0, norms.Length);
        Reduce(default(LargestAbsolute), x, new AxisLayout(norms.Length, unitLength, 1), largest);
        float[] magnitudes = new float[norms.Length];
        queue.Download(largest, magnitudes);
        if (!double.IsPositiveInfinity(order))
        {
            Sums(new ScaledPowerTerm(order, largest), x, unitLength, norms);
        }

        for (int unit = 0; unit < norms.Length; unit++)
        {
            float magnitude = magnitudes[unit];
            norms[unit] = double.IsPositiveInfinity(order) || magnitude == 0f || !float.IsFinite(magnitude)
                ? magnitude
                : magnitude * Math.Pow(norms[unit], 1 / order);
        }
    }

    /// <summary>The sum of the terms of each unit, downloaded.</summary>
    private void Sums<TTerm>(TTerm term, ArrayView<float> x, int unitLength, Span<double> sums)
        where TTerm : struct, INormTerm
    {
        int partials = PartialsOf(unitLength);
        int outputs = sums.Length * partials;
        using Scratch scratch = new(pool, 2 * outputs);
        queue.Launch(NormKernels.SumTerms<TTerm>, outputs, term, x, unitLength, partials, scratch.Doubles);
        SumPartials(scratch.Doubles, partials, sums);
    }

    private void SumPartials(ArrayView<double> x, int unitLength, Span<double> sums)
    {
        if (unitLength == 1)
        {
            queue.Download(x.SubView(0, sums.Length), sums);
            return;
        }

        int partials = PartialsOf(unitLength);
        int outputs = sums.Length * partials;
        using Scratch scratch = new(pool, 2 * outputs);
        queue.Launch(NormKernels.SumPartials, outputs, x, unitLength, partials, scratch.Doubles);
        SumPartials(scratch.Doubles, partials, sums);
    }
}
