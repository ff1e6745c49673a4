using System.Runtime.Intrinsics;
using Minigrad.Operations;

namespace Minigrad.Backends.Cpu;

/// <summary>
/// The backend that every tensor starts on: vectorised loops over arrays, shared among threads in fixed portions, so
/// that the same bits come out for any number of threads.
/// </summary>
public sealed class CpuBackend : Backend
{
    private readonly BufferPool pool = new();
    private readonly Workers workers = new();

    private CpuBackend()
    {
    }

    /// <summary>The one CPU backend of the process.</summary>
    public static CpuBackend Instance { get; } = new();

    /// <inheritdoc/>
    public override string Name => "CPU";

    /// <summary>The width in bits of the vectors that formulas run in on this machine: 512, 256 or 128.</summary>
    public static int VectorWidth =>
        Vector512.IsHardwareAccelerated ? 512 : Vector256.IsHardwareAccelerated ? 256 : 128;

    /// <summary>
    /// How many threads may share the work of one operation, at least 1; the number of processors until set. Results do
    /// not depend on it.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The number is not positive.</exception>
    public int ThreadCount
    {
        get => workers.ThreadCount;
        set => workers.ThreadCount = value;
    }

    /// <summary>The bytes of all pooled buffers, in use or waiting.</summary>
    public long PooledBytes => pool.BytesPooled;

    /// <inheritdoc/>
    public override Storage Allocate(int length) =>
        length < BufferPool.SmallestPooled
            ? new CpuStorage(this, length == 0 ? [] : GC.AllocateUninitializedArray<float>(length), length)
            : new PooledCpuStorage(this, pool, length);

    /// <inheritdoc/>
    public override void Upload(ReadOnlySpan<float> source, Storage destination)
    {
        source.CopyTo(Span(destination));
        GC.KeepAlive(destination);
    }

    /// <inheritdoc/>
    public override void Download(Storage source, Span<float> destination)
    {
        Span(source).CopyTo(destination);
        GC.KeepAlive(source);
    }

    /// <inheritdoc/>
    public override void Fill(Storage y, float value)
    {
        Span(y).Fill(value);
        GC.KeepAlive(y);
    }

    /// <inheritdoc/>
    public override void Fill<TDistribution>(TDistribution distribution, Randomness source, Storage y)
    {
        ElementwiseLoops.Fill(workers, distribution, source, Array(y), y.Length);
        GC.KeepAlive(y);
    }

    /// <inheritdoc/>
    public override void Map<TOp>(TOp op, Storage x, Storage y)
    {
        ElementwiseLoops.Map(workers, op, Array(x), Array(y), y.Length);
        KeepAlive(x, y);
    }

    /// <inheritdoc/>
    public override void Zip<TOp>(TOp op, Operand a, Operand b, Storage y)
    {
        ElementwiseLoops.Zip(workers, op, a, b, Array(y), y.Length);
        KeepAlive(a.Storage, b.Storage, y);
    }

    /// <inheritdoc/>
    public override void Combine<TOp>(TOp op, Operand a, Operand b, Operand c, Storage y)
    {
        ElementwiseLoops.Combine(workers, op, a, b, c, Array(y), y.Length);
        KeepAlive(a.Storage, b.Storage, c.Storage);
        GC.KeepAlive(y);
    }

    /// <inheritdoc/>
    public override void Reduce<TReduction>(TReduction reduction, Storage x, AxisLayout layout, Storage y)
    {
        ReductionLoops.Reduce(workers, reduction, Array(x), layout, Array(y));
        KeepAlive(x, y);
    }

    /// <inheritdoc/>
    public override void ArgMax(Storage x, AxisLayout layout, float sign, int[] indices)
    {
        ArgMaxLoops.Find(workers, Array(x), layout, sign, indices);
        GC.KeepAlive(x);
    }

    /// <inheritdoc/>
    public override void CumulativeSum(Storage x, AxisLayout layout, bool reverse, Storage y)
    {
        CumulativeSumLoops.Run(workers, Array(x), layout, reverse, Array(y));
        KeepAlive(x, y);
    }

    /// <inheritdoc/>
    public override void MatrixProduct<TActivation>(
        MatrixProductShape shape, Part left, Part right, Part result, Storage? bias, TActivation activation)
    {
        PackedOperand? kept = ((CpuStorage)right.Storage).Packed;
        kept = kept.ComesAgain(shape.TransposeRight) && shape.Batch == 1 ? kept : null;
        FormProduct<PlainForm, TActivation>(shape, left, right, result, bias, activation, kept);
    }

    /// <inheritdoc/>
    public override bool TryRoundedProduct<TRounding, TActivation>(
        MatrixProductShape shape, Part left, Part right, Part result, Storage? bias, TActivation activation)
    {
        RoundedOperand<TRounding> kept = ((CpuStorage)right.Storage).PackedRounded<TRounding>();
        if (shape.Batch != 1 || shape.Columns == 1 || !kept.ComesAgain(shape.TransposeRight))
        {
            return false;
        }

        if (!IsPaired(shape, right.Storage, kept))
        {
            FormProduct<RoundedForm<TRounding>, TActivation>(shape, left, right, result, bias, activation, kept);
            return true;
        }

        Storage factors = left.Storage;
        if (PairedForm<TRounding>.LeftFactor != 1)
        {
            factors = Allocate(left.Storage.Length);
            Map(new ByNumber<Multiply>(default, PairedForm<TRounding>.LeftFactor), left.Storage, factors);
        }

        FormProduct<PairedForm<TRounding>, TActivation>(shape, left with { Storage = factors }, right, result, bias, activation, kept);
        if (factors != left.Storage)
        {
            factors.Recycle();
        }

        return true;
    }

    /// <inheritdoc/>
    public override void Cell<TCell>(TCell cell, in CellForward step)
    {
        CellLoops.Forward(workers, cell, step);
        KeepAlive(step.Input.Storage, step.Recurrent.Storage, step.Bias.Storage);
        KeepAlive(step.HiddenBefore.Storage, step.StateBefore.Storage, step.Saved.Storage);
        KeepAlive(step.Hidden.Storage, step.State.Storage);
    }

    /// <inheritdoc/>
    public override void CellBackward<TCell>(TCell cell, in CellBackward step)
    {
        CellLoops.Backward(workers, cell, step);
        KeepAlive(step.Saved.Storage, step.HiddenBefore.Storage, step.StateBefore.Storage);
        KeepAlive(step.OutputGradient.Storage, step.DirectGradient.Storage, step.GateGradient.Storage);
        KeepAlive(step.StateGradient.Storage, step.DirectGradientBefore.Storage, step.StateGradientBefore.Storage);
        KeepAlive(step.InputGradient.Storage, step.RecurrentGradient.Storage);
    }

    /// <inheritdoc/>
    public override void WalkRows<TWalk>(MatrixProductShape product, Storage right, TWalk walk)
    {
        RowWalks.Run(workers, product, Memory(right), ((CpuStorage)right).Packed, walk);
        GC.KeepAlive(right);
    }

    /// <inheritdoc/>
    public override void Softmax(Storage x, AxisLayout layout, bool logarithm, Storage y)
    {
        SoftmaxLoops.Forward(workers, Array(x), layout, logarithm, Array(y));
        KeepAlive(x, y);
    }

    /// <inheritdoc/>
    public override void SoftmaxBackward(Storage y, Storage gradient, AxisLayout layout, bool logarithm, Storage result)
    {
        SoftmaxLoops.Backward(workers, Array(y), Array(gradient), layout, logarithm, Array(result));
        KeepAlive(y, gradient, result);
    }

    /// <inheritdoc/>
    public override void CrossEntropy(
        Storage x, ClassTargets targets, int columns, Storage normalizers, Storage losses)
    {
        CrossEntropyLoops.Forward(workers, Array(x), targets, columns, Array(normalizers), Array(losses));
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
        CrossEntropyLoops.Backward(
            workers, Array(x), Array(normalizers), targets, columns, gradient, divisor, Array(result));
        KeepAlive(x, normalizers, targets.Weights);
        KeepAlive(gradient, result);
    }

    /// <inheritdoc/>
    public override void GroupStatistics(in NormalizationShape shape, Storage x, Storage statistics)
    {
        NormalizationLoops.Statistics(workers, shape, Array(x), Array(statistics));
        KeepAlive(x, statistics);
    }

    /// <inheritdoc/>
    public override void Normalize(
        in NormalizationShape shape, Storage x, Storage statistics, Storage? weight, Storage? bias, Storage y)
    {
        NormalizationLoops.Forward(workers, shape, Array(x), Array(statistics), ArrayOrNull(weight), ArrayOrNull(bias), Array(y));
        KeepAlive(x, statistics, weight);
        KeepAlive(y, y, bias);
    }

    /// <inheritdoc/>
    public override void NormalizeBackward(
        in NormalizationShape shape,
        Storage x,
        Storage statistics,
        Storage? weight,
        Storage gradient,
        Storage? result,
        Storage? weightGradient,
        Storage? biasGradient)
    {
        NormalizationLoops.Backward(
            workers,
            shape,
            Array(x),
            Array(statistics),
            ArrayOrNull(weight),
            Array(gradient),
            ArrayOrNull(result),
            ArrayOrNull(weightGradient),
            ArrayOrNull(biasGradient));
        KeepAlive(x, statistics, weight);
        KeepAlive(gradient, gradient, result);
        GC.KeepAlive(weightGradient);
        GC.KeepAlive(biasGradient);
    }

    /// <inheritdoc/>
    public override void Copy(
        Storage x, StridedLayout source, Storage y, StridedLayout target, ReadOnlySpan<int> dimensions)
    {
        StridedCopyLoops.Copy(workers, Array(x), source, Array(y), target, dimensions);
        KeepAlive(x, y);
    }

    /// <inheritdoc/>
    public override bool LooksUpProducts => true;

    /// <inheritdoc/>
    public override void Gather(Storage x, RowNumbers rows, int width, Storage y)
    {
        LookupLoops.Gather(workers, Array(x), rows, width, Array(y));
        KeepAlive(x, y);
    }

    /// <inheritdoc/>
    public override void ScatterAdd(Storage x, RowNumbers rows, int width, Storage y)
    {
        LookupLoops.ScatterAdd(workers, Array(x), rows, width, Array(y));
        KeepAlive(x, y);
    }

    /// <inheritdoc/>
    public override void Norms(Storage x, double order, Span<double> norms)
    {
        NormLoops.Norms(workers, x, order, norms);
        GC.KeepAlive(x);
    }

    /// <inheritdoc/>
    public override void Norms(IReadOnlyList<Storage> buffers, double order, Span<double> norms)
    {
        NormLoops.Norms(workers, buffers, order, norms);
        GC.KeepAlive(buffers);
    }

    /// <inheritdoc/>
    public override void Update<TRule>(TRule rule, ReadOnlySpan<UpdateTarget> targets, Span<bool> clamped)
    {
        UpdateLoops.Update(workers, rule, targets, clamped);
        foreach (ref readonly UpdateTarget target in targets)
        {
            KeepAlive(target.Parameter, target.Gradient, target.Scale.UnitFactors);
            GC.KeepAlive(target.State);
        }
    }

    /// <inheritdoc/>
    public override void MeasureUpdates<TRule>(TRule rule, ReadOnlySpan<UpdateTarget> targets, Span<double> norms)
    {
        MeasureLoops.Norms(workers, rule, targets, norms);
        foreach (ref readonly UpdateTarget target in targets)
        {
            KeepAlive(target.Parameter, target.Gradient, target.Scale.UnitFactors);
            GC.KeepAlive(target.State);
        }
    }

    /// <summary>Whether a kept operand's numbers are paired. The first product settles it until they change.</summary>
    private bool IsPaired<TRounding>(MatrixProductShape shape, Storage right, RoundedOperand<TRounding> kept)
        where TRounding : unmanaged, IRounding
    {
        kept.IsPaired ??= PairedForm<TRounding>.IsRepaid(shape) && HasRoom(right, PairedForm<TRounding>.Largest);
        return kept.IsPaired == true;
    }

    private bool HasRoom(Storage numbers, float bound)
    {
        double largest = 0;
        if (float.IsFinite(bound))
        {
            Norms(numbers, double.PositiveInfinity, new Span<double>(ref largest));
        }

        return largest <= bound;
    }

    private void FormProduct<TForm, TActivation>(
        MatrixProductShape shape, Part left, Part right, Part result, Storage? bias, TActivation activation, PackedOperand? kept)
        where TForm : struct, IPackedForm
        where TActivation : unmanaged, IUnaryOp
    {
        Epilogue<TActivation> epilogue = new(bias is null ? null : Array(bias), activation);
        Cpu.MatrixProduct.Run<TActivation, TForm>(workers, shape, Memory(left), Memory(right), Memory(result), epilogue, kept);
        KeepAlive(left.Storage, right.Storage, result.Storage);
        GC.KeepAlive(bias);
    }

    private static float[] Array(Storage storage) => ((CpuStorage)storage).Array;

    private static float[]? ArrayOrNull(Storage? storage) => storage is null ? null : Array(storage);

    private static ArraySegment<float> Memory(Part part)
    {
        float[] array = Array(part.Storage);
        return new ArraySegment<float>(array, part.Start, array.Length - part.Start);
    }

    private static Span<float> Span(Storage storage) => ((CpuStorage)storage).Span;

    /// <summary>
    /// A storage that the caller has let go of must not return its array to the pool while a loop still runs over it.
    /// </summary>
    private static void KeepAlive(Storage a, Storage b, Storage? c = null)
    {
        GC.KeepAlive(a);
        GC.KeepAlive(b);
        GC.KeepAlive(c);
    }
}
