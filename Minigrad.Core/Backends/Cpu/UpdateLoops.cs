using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Minigrad.Numerics;
using Minigrad.Operations;

namespace Minigrad.Backends.Cpu;

/// <summary>
/// Optimizer updates: one pass that reads gradient, parameter and state, applies the pending scale of clipping and the
/// rule, and writes parameter and state.
/// </summary>
internal static class UpdateLoops
{
    private const MethodImplOptions Loop = MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization;

    /// <summary>An element costs about as much as this many elements of a plain copy.</summary>
    private const int WorkPerElement = 4;

    /// <summary>How a gradient is read.</summary>
    private interface IReading
    {
        /// <summary>An element as the update reads it.</summary>
        /// <param name="x">The element in memory.</param>
        /// <param name="clamped">Becomes 1 where it has passed a bound.</param>
        T Read<T>(T x, ref T clamped)
            where T : struct, IReal<T>;
    }

    /// <summary>Updates every target by the rule.</summary>
    public static void Update<TRule>(Workers workers, TRule rule, ReadOnlySpan<UpdateTarget> targets, Span<bool> clamped)
        where TRule : unmanaged, IUpdateRule
    {
        // A span can't be handed to other threads.
        Work[] shared = ArrayPool<Work>.Shared.Rent(targets.Length);
        BlockList blocks = BlockList.Rent();
        for (int i = 0; i < targets.Length; i++)
        {
            shared[i] = new Work { Target = targets[i] };
            blocks.Add(i, 0, targets[i].Parameter.Length);
        }

        workers.For(blocks.ShareCount, WorkPerElement * BlockList.BlockLength, new Body<TRule>(rule, shared, blocks));
        for (int i = 0; i < clamped.Length; i++)
        {
            clamped[i] |= shared[i].IsClamped;
        }

        blocks.Return();
        Array.Clear(shared, 0, targets.Length);
        ArrayPool<Work>.Shared.Return(shared);
    }

    /// <returns>Whether an element has passed a bound, as all methods below say it.</returns>
    private static bool UpdateBlock<TRule, TLanes>(TRule rule, in UpdateTarget target, Block block)
        where TRule : unmanaged, IUpdateRule
        where TLanes : struct, ILanes<TLanes>
    {
        int start = block.Start;
        int end = start + block.Length;
        GradientScale scale = target.Scale;
        if (scale.UnitFactors is not CpuStorage factors)
        {
            return UpdateRange<TRule, TLanes>(rule, target, scale.First, scale.Second, start, end);
        }

        if (scale.HasColumns)
        {
            return UpdateColumns<TRule, TLanes>(rule, target, factors.Array, start, end);
        }

        bool isClamped = false;
        while (start < end)
        {
            int unit = start / scale.UnitLength;
            int unitEnd = Math.Min(end, (unit + 1) * scale.UnitLength);
            float first = scale.First * factors.Array[2 * unit];
            float second = scale.Second * factors.Array[(2 * unit) + 1];
            isClamped |= UpdateRange<TRule, TLanes>(rule, target, first, second, start, unitEnd);
            start = unitEnd;
        }

        return isClamped;
    }

    /// <summary>Elements of a gradient times the factors of their units, of which neighbours have different ones.</summary>
    /// <param name="target">The parameter, whose gradient it is.</param>
    /// <param name="factors">Two factors for each unit.</param>
    /// <param name="start">The first element.</param>
    /// <param name="scaled">Where to.</param>
    internal static void ScaleColumns(in UpdateTarget target, float[] factors, int start, Span<float> scaled)
    {
        GradientScale scale = target.Scale;
        ReadOnlySpan<float> gradient = Tail(target.Gradient, start, scaled.Length);
        int unit = start % scale.UnitCount;
        for (int i = 0; i < scaled.Length; i++)
        {
            float first = scale.First * factors[2 * unit];
            float second = scale.Second * factors[(2 * unit) + 1];
            scaled[i] = new Scaled(first, second).Forward(new Scalar(gradient[i])).Value;
            unit = unit + 1 == scale.UnitCount ? 0 : unit + 1;
        }
    }

    /// <summary>Where neighbours are of different units, elements are scaled in a piece of the stack, and the update reads them from there.</summary>
    private static bool UpdateColumns<TRule, TLanes>(TRule rule, in UpdateTarget target, float[] factors, int start, int end)
        where TRule : unmanaged, IUpdateRule
        where TLanes : struct, ILanes<TLanes>
    {
        const int PieceLength = 256;
        Span<float> scaled = stackalloc float[PieceLength];
        Bounded bounded = new(new ScaledGradient(1f, 1f, target.Scale.Low, target.Scale.High));
        bool isClamped = false;
        while (start < end)
        {
            Span<float> piece = scaled[..Math.Min(PieceLength, end - start)];
            ScaleColumns(target, factors, start, piece);
            isClamped |= UpdateRange<TRule, Bounded, TLanes>(rule, target, piece, bounded, start, start + piece.Length);
            start += piece.Length;
        }

        return isClamped;
    }

    /// <summary>Without a bound nothing is clamped, which saves a seventh of an update in the cache.</summary>
    private static bool UpdateRange<TRule, TLanes>(TRule rule, in UpdateTarget target, float first, float second, int start, int end)
        where TRule : unmanaged, IUpdateRule
        where TLanes : struct, ILanes<TLanes>
    {
        GradientScale scale = target.Scale;
        ReadOnlySpan<float> gradient = Tail(target.Gradient, start, end - start);
        if (scale.HasBounds)
        {
            Bounded bounded = new(new ScaledGradient(first, second, scale.Low, scale.High));
            return UpdateRange<TRule, Bounded, TLanes>(rule, target, gradient, bounded, start, end);
        }

        return UpdateRange<TRule, Unbounded, TLanes>(rule, target, gradient, new Unbounded(new Scaled(first, second)), start, end);
    }

    private static bool UpdateRange<TRule, TReading, TLanes>(
        TRule rule, in UpdateTarget target, ReadOnlySpan<float> gradients, TReading reading, int start, int end)
        where TRule : unmanaged, IUpdateRule
        where TReading : unmanaged, IReading
        where TLanes : struct, ILanes<TLanes>
    {
        ref float parameter = ref ((CpuStorage)target.Parameter).Array[start];
        ref float gradient = ref MemoryMarshal.GetReference(gradients);

        // A slot that the rule does not have is never read or written; the parameter stands in as its address.
        ref float first = ref rule.StateCount > 0 ? ref ((CpuStorage)target.State[0]).Array[start] : ref parameter;
        ref float second = ref rule.StateCount > 1 ? ref ((CpuStorage)target.State[1]).Array[start] : ref parameter;
        ref float third = ref rule.StateCount > 2 ? ref ((CpuStorage)target.State[2]).Array[start] : ref parameter;
        int rest = (end - start) % TLanes.Count;
        int whole = end - start - rest;
        bool isClamped = UpdateLanes<TRule, TReading, TLanes>(
            rule, reading, ref parameter, ref gradient, ref first, ref second, ref third, (nuint)whole);
        if (rest > 0)
        {
            isClamped |= UpdateTail<TRule, TReading, TLanes>(rule, target, gradients[whole..], reading, start + whole, rest);
        }

        return isClamped;
    }

    /// <summary>The end that fills no vector is updated in padded ones on the stack, by the same loop.</summary>
    private static bool UpdateTail<TRule, TReading, TLanes>(
        TRule rule, in UpdateTarget target, ReadOnlySpan<float> gradients, TReading reading, int start, int count)
        where TRule : unmanaged, IUpdateRule
        where TReading : unmanaged, IReading
        where TLanes : struct, ILanes<TLanes>
    {
        const int Buffers = 5;
        int width = TLanes.Count;
        Span<float> padded = stackalloc float[Buffers * width];
        padded.Fill(1f);

        // No bound is passed by 0, which an interval of clipping contains.
        padded.Slice(width, width).Clear();
        Tail(target.Parameter, start, count).CopyTo(padded);
        gradients.CopyTo(padded[width..]);
        for (int slot = 0; slot < rule.StateCount; slot++)
        {
            Tail(target.State[slot], start, count).CopyTo(padded[((2 + slot) * width)..]);
        }

        bool isClamped = UpdateLanes<TRule, TReading, TLanes>(
            rule,
            reading,
            ref padded[0],
            ref padded[width],
            ref padded[2 * width],
            ref padded[3 * width],
            ref padded[4 * width],
            (nuint)width);
        padded[..count].CopyTo(Tail(target.Parameter, start, count));
        for (int slot = 0; slot < rule.StateCount; slot++)
        {
            padded.Slice((2 + slot) * width, count).CopyTo(Tail(target.State[slot], start, count));
        }

        return isClamped;
    }

    private static Span<float> Tail(Storage storage, int start, int count) =>
        ((CpuStorage)storage).Array.AsSpan(start, count);

    [MethodImpl(Loop)]
    private static bool UpdateLanes<TRule, TReading, TLanes>(
        TRule rule,
        TReading reading,
        ref float parameter,
        ref float gradient,
        ref float first,
        ref float second,
        ref float third,
        nuint length)
        where TRule : unmanaged, IUpdateRule
        where TReading : unmanaged, IReading
        where TLanes : struct, ILanes<TLanes>
    {
        nuint width = (nuint)TLanes.Count;
        TLanes clamped = default;
        for (nuint i = 0; i < length; i += width)
        {
            Fetch(rule.StateCount, ref parameter, ref gradient, ref first, ref second, ref third, i + CacheLine.NumbersAhead);
            TLanes p = TLanes.Load(in parameter, i);
            TLanes g = reading.Read(TLanes.Load(in gradient, i), ref clamped);
            TLanes s0 = rule.StateCount > 0 ? TLanes.Load(in first, i) : default;
            TLanes s1 = rule.StateCount > 1 ? TLanes.Load(in second, i) : default;
            TLanes s2 = rule.StateCount > 2 ? TLanes.Load(in third, i) : default;
            rule.Update(ref p, g, ref s0, ref s1, ref s2);
            TLanes.Store(p, ref parameter, i);
            if (rule.StateCount > 0)
            {
                TLanes.Store(s0, ref first, i);
            }

            if (rule.StateCount > 1)
            {
                TLanes.Store(s1, ref second, i);
            }

            if (rule.StateCount > 2)
            {
                TLanes.Store(s2, ref third, i);
            }
        }

        return TLanes.Sum(clamped) > 0f;
    }

    /// <summary>Asks for an element of each array. A processor's own foresight is not enough for so many arrays at once.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Fetch(int slots, ref float parameter, ref float gradient, ref float first, ref float second, ref float third, nuint place)
    {
        CacheLine.Fetch(in parameter, place);
        CacheLine.Fetch(in gradient, place);
        if (slots > 0)
        {
            CacheLine.Fetch(in first, place);
        }

        if (slots > 1)
        {
            CacheLine.Fetch(in second, place);
        }

        if (slots > 2)
        {
            CacheLine.Fetch(in third, place);
        }
    }

    private struct Work
    {
        public UpdateTarget Target;

        /// <summary>Whether a block has passed a bound. It writes true and no other block false, so it does not matter which comes first.</summary>
        public bool IsClamped;
    }

    private readonly struct Unbounded(Scaled scale) : IReading
    {
        private readonly Scaled scale = scale;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public T Read<T>(T x, ref T clamped)
            where T : struct, IReal<T> => scale.Forward(x);
    }

    private readonly struct Bounded(ScaledGradient scale) : IReading
    {
        private readonly ScaledGradient scale = scale;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public T Read<T>(T x, ref T clamped)
            where T : struct, IReal<T> => scale.Forward(x, ref clamped);
    }

    private readonly struct Body<TRule>(TRule rule, Work[] targets, BlockList blocks) : ILoopBody
        where TRule : unmanaged, IUpdateRule
    {
        public void Run<TLanes>(int share)
            where TLanes : struct, ILanes<TLanes>
        {
            ReadOnlySpan<Block> all = blocks.Blocks;
            foreach (Block block in all[blocks.FirstBlock(share)..blocks.FirstBlock(share + 1)])
            {
                ref Work work = ref targets[block.Run];
                if (UpdateBlock<TRule, TLanes>(rule, work.Target, block))
                {
                    work.IsClamped = true;
                }
            }
        }
    }
}
