using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Minigrad.Numerics;
using Minigrad.Operations;

namespace Minigrad.Backends.Cpu;

/// <summary>
/// Norms of updates that are not made: one pass that reads gradient, parameter and state as an update does, and adds up
/// what a rule measures, in double precision and in a fixed order.
/// </summary>
internal static class MeasureLoops
{
    private const MethodImplOptions Loop = MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization;

    /// <summary>How many elements are measured before they are added up, while they are in the nearest cache; a multiple of any width.</summary>
    private const int PieceLength = 512;

    /// <summary>The norm of what a rule measures of each target.</summary>
    public static void Norms<TRule>(Workers workers, TRule rule, ReadOnlySpan<UpdateTarget> targets, Span<double> norms)
        where TRule : unmanaged, IUpdateMeasure
    {
        // A span can't be handed to other threads.
        UpdateTarget[] shared = ArrayPool<UpdateTarget>.Shared.Rent(targets.Length);
        targets.CopyTo(shared);
        BlockList blocks = BlockList.Rent();
        for (int i = 0; i < targets.Length; i++)
        {
            blocks.Add(i, 0, targets[i].Parameter.Length);
        }

        double[] partials = ArrayPool<double>.Shared.Rent(blocks.Blocks.Length);
        workers.For(blocks.ShareCount, BlockList.BlockLength, new Body<TRule>(rule, shared, blocks, partials));
        norms.Clear();
        for (int i = 0; i < blocks.Blocks.Length; i++)
        {
            ref double total = ref norms[blocks.Blocks[i].Run];
            total = Combine<TRule>(total, partials[i]);
        }

        if (!IsLargest<TRule>())
        {
            foreach (ref double norm in norms)
            {
                norm = Math.Sqrt(norm);
            }
        }

        ArrayPool<double>.Shared.Return(partials);
        blocks.Return();
        Array.Clear(shared, 0, targets.Length);
        ArrayPool<UpdateTarget>.Shared.Return(shared);
    }

    private static bool IsLargest<TRule>()
        where TRule : unmanaged, IUpdateMeasure => double.IsPositiveInfinity(TRule.Order);

    private static double Combine<TRule>(double total, double partial)
        where TRule : unmanaged, IUpdateMeasure => IsLargest<TRule>() ? Math.Max(total, partial) : total + partial;

    /// <summary>What is measured of a block, in pieces that have the same factors of the gradient.</summary>
    private static double Partial<TRule, TLanes>(TRule rule, in UpdateTarget target, Block block)
        where TRule : unmanaged, IUpdateMeasure
        where TLanes : struct, ILanes<TLanes>
    {
        Span<float> measures = stackalloc float[PieceLength];
        Span<float> columns = stackalloc float[PieceLength];
        GradientScale scale = target.Scale;
        double total = 0;
        int end = block.Start + block.Length;
        for (int start = block.Start; start < end;)
        {
            int pieceEnd = Math.Min(end, start + PieceLength);
            (float first, float second) = (scale.First, scale.Second);
            scoped ReadOnlySpan<float> gradient = Tail(target.Gradient, start, pieceEnd - start);
            if (scale.UnitFactors is CpuStorage { Array: var each } && scale.HasColumns)
            {
                UpdateLoops.ScaleColumns(target, each, start, columns[..gradient.Length]);
                (first, second) = (1f, 1f);
                gradient = columns[..gradient.Length];
            }
            else if (scale.UnitFactors is CpuStorage factors)
            {
                int unit = start / scale.UnitLength;
                pieceEnd = Math.Min(pieceEnd, (unit + 1) * scale.UnitLength);
                first *= factors.Array[2 * unit];
                second *= factors.Array[(2 * unit) + 1];
            }

            Span<float> piece = measures[..(pieceEnd - start)];
            MeasureRange<TRule, TLanes>(rule, target, gradient, new ScaledGradient(first, second, scale.Low, scale.High), start, piece);
            total = Combine<TRule>(total, IsLargest<TRule>() ? NormLoops.LargestMagnitude(piece) : NormLoops.SumOfSquares(piece));
            start = pieceEnd;
        }

        return total;
    }

    private static void MeasureRange<TRule, TLanes>(
        TRule rule, in UpdateTarget target, ReadOnlySpan<float> gradient, ScaledGradient scale, int start, Span<float> measures)
        where TRule : unmanaged, IUpdateMeasure
        where TLanes : struct, ILanes<TLanes>
    {
        int rest = measures.Length % TLanes.Count;
        int whole = measures.Length - rest;
        if (whole > 0)
        {
            ref float parameter = ref ((CpuStorage)target.Parameter).Array[start];

            // A slot that the rule does not have is never read; the parameter stands in as its address.
            MeasureLanes<TRule, TLanes>(
                rule,
                scale,
                ref parameter,
                ref MemoryMarshal.GetReference(gradient),
                ref rule.StateCount > 0 ? ref ((CpuStorage)target.State[0]).Array[start] : ref parameter,
                ref rule.StateCount > 1 ? ref ((CpuStorage)target.State[1]).Array[start] : ref parameter,
                ref rule.StateCount > 2 ? ref ((CpuStorage)target.State[2]).Array[start] : ref parameter,
                ref measures[0],
                (nuint)whole);
        }

        if (rest > 0)
        {
            MeasureTail<TRule, TLanes>(rule, target, gradient[whole..], scale, start + whole, measures[whole..]);
        }
    }

    /// <summary>The end that fills no vector is measured in padded ones on the stack, by the same loop.</summary>
    private static void MeasureTail<TRule, TLanes>(
        TRule rule, in UpdateTarget target, ReadOnlySpan<float> gradient, ScaledGradient scale, int start, Span<float> measures)
        where TRule : unmanaged, IUpdateMeasure
        where TLanes : struct, ILanes<TLanes>
    {
        const int Buffers = 6;
        int width = TLanes.Count;
        Span<float> padded = stackalloc float[Buffers * width];
        padded.Fill(1f);
        Tail(target.Parameter, start, measures.Length).CopyTo(padded);
        gradient[..measures.Length].CopyTo(padded[width..]);
        for (int slot = 0; slot < rule.StateCount; slot++)
        {
            Tail(target.State[slot], start, measures.Length).CopyTo(padded[((2 + slot) * width)..]);
        }

        MeasureLanes<TRule, TLanes>(
            rule,
            scale,
            ref padded[0],
            ref padded[width],
            ref padded[2 * width],
            ref padded[3 * width],
            ref padded[4 * width],
            ref padded[5 * width],
            (nuint)width);
        padded.Slice(5 * width, measures.Length).CopyTo(measures);
    }

    private static ReadOnlySpan<float> Tail(Storage storage, int start, int count) =>
        ((CpuStorage)storage).Array.AsSpan(start, count);

    [MethodImpl(Loop)]
    private static void MeasureLanes<TRule, TLanes>(
        TRule rule,
        ScaledGradient scale,
        ref float parameter,
        ref float gradient,
        ref float first,
        ref float second,
        ref float third,
        ref float measures,
        nuint length)
        where TRule : unmanaged, IUpdateMeasure
        where TLanes : struct, ILanes<TLanes>
    {
        nuint width = (nuint)TLanes.Count;
        for (nuint i = 0; i < length; i += width)
        {
            TLanes p = TLanes.Load(in parameter, i);
            TLanes g = scale.Forward(TLanes.Load(in gradient, i));
            TLanes s0 = rule.StateCount > 0 ? TLanes.Load(in first, i) : default;
            TLanes s1 = rule.StateCount > 1 ? TLanes.Load(in second, i) : default;
            TLanes s2 = rule.StateCount > 2 ? TLanes.Load(in third, i) : default;
            TLanes.Store(rule.Measure(p, g, s0, s1, s2), ref measures, i);
        }
    }

    private readonly struct Body<TRule>(TRule rule, UpdateTarget[] targets, BlockList blocks, double[] partials) : ILoopBody
        where TRule : unmanaged, IUpdateMeasure
    {
        public void Run<TLanes>(int share)
            where TLanes : struct, ILanes<TLanes>
        {
            ReadOnlySpan<Block> all = blocks.Blocks;
            int end = blocks.FirstBlock(share + 1);
            for (int i = blocks.FirstBlock(share); i < end; i++)
            {
                partials[i] = Partial<TRule, TLanes>(rule, targets[all[i].Run], all[i]);
            }
        }
    }
}
