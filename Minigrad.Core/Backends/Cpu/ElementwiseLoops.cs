using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Minigrad.Numerics;
using Minigrad.Operations;

namespace Minigrad.Backends.Cpu;

/// <summary>
/// The loops that formulas run in. A loop is a root method of its own, because the JIT's inline budget is per root: a
/// formula inlined into a bigger method stops being inlined itself and runs many times slower. It is optimised at its
/// first call, since a tier-0 loop over vectors is slow enough to be seen.
/// </summary>
/// <remarks>
/// The end of the data that fills no vector is computed in a padded one on the stack, by a second pass of the same loop. (Where
/// the formula stands a second time it would be more than the JIT inlines.) That pass is in the loop's method, not around it, for
/// the sake of formulas that nobody marked to be inlined: what the JIT spends on them it measures by the length of the root alone.
/// </remarks>
internal static class ElementwiseLoops
{
    private const MethodImplOptions Loop = MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization;

    /// <summary>How many elements one block of parallel work has.</summary>
    private const int BlockLength = 16384;

    /// <summary>y[i] = f(x[i]).</summary>
    public static void Map<TOp>(Workers workers, TOp op, float[] x, float[] y, int length)
        where TOp : unmanaged, IUnaryOp => workers.For(Blocks(length), BlockLength, new MapBody<TOp>(op, x, y, length));

    /// <summary>y[i] = f(a[i], b[i]).</summary>
    public static void Zip<TOp>(Workers workers, TOp op, Operand a, Operand b, float[] y, int length)
        where TOp : unmanaged, IBinaryOp => workers.For(Blocks(length), BlockLength, new ZipBody<TOp>(op, a, b, y, length));

    /// <summary>y[i] = f(a[i], b[i], c[i]).</summary>
    public static void Combine<TOp>(Workers workers, TOp op, Operand a, Operand b, Operand c, float[] y, int length)
        where TOp : unmanaged, ITernaryOp => workers.For(Blocks(length), BlockLength, new CombineBody<TOp>(op, a, b, c, y, length));

    /// <summary>Draws y[i] from element position + i of a random stream.</summary>
    public static void Fill<TDistribution>(
        Workers workers, TDistribution distribution, Randomness source, float[] y, int length)
        where TDistribution : unmanaged, IDistribution =>
        workers.For(Blocks(length), BlockLength, new FillBody<TDistribution>(distribution, source, y, length));

    private static int Blocks(int length) => (length + BlockLength - 1) / BlockLength;

    [MethodImpl(Loop)]
    private static void MapLanes<TOp, TLanes>(TOp op, ref float x, ref float y, int count, Span<float> padded)
        where TOp : unmanaged, IUnaryOp
        where TLanes : struct, ILanes<TLanes>
    {
        int rest = count % TLanes.Count;
        int whole = count - rest;
        ref float target = ref y;
        for (nuint length = (nuint)whole; ; length = (nuint)TLanes.Count)
        {
            for (nuint i = 0; i < length; i += (nuint)TLanes.Count)
            {
                CacheLine.Fetch(in x, i + CacheLine.NumbersAhead);
                CacheLine.Fetch(in target, i + CacheLine.NumbersAhead);
                TLanes.Store(op.Forward(TLanes.Load(in x, i)), ref target, i);
            }

            if (rest == 0 || TryFinish<TLanes>(ref padded[0], ref target, ref y, whole, rest))
            {
                return;
            }

            x = ref Padded<TLanes>(padded, ref x, 1, whole, rest);
            target = ref padded[0];
        }
    }

    [MethodImpl(Loop)]
    private static void ZipLanes<TOp, TLanes>(
        TOp op, ref float a, nuint aStep, ref float b, nuint bStep, ref float y, int count, Span<float> padded)
        where TOp : unmanaged, IBinaryOp
        where TLanes : struct, ILanes<TLanes>
    {
        int rest = count % TLanes.Count;
        int whole = count - rest;
        ref float target = ref y;
        for (nuint length = (nuint)whole; ; length = (nuint)TLanes.Count)
        {
            for (nuint i = 0; i < length; i += (nuint)TLanes.Count)
            {
                nuint first = i * aStep;
                nuint second = i * bStep;
                CacheLine.Fetch(in a, first + CacheLine.NumbersAhead);
                CacheLine.Fetch(in b, second + CacheLine.NumbersAhead);
                CacheLine.Fetch(in target, i + CacheLine.NumbersAhead);
                TLanes.Store(op.Forward(TLanes.Load(in a, first), TLanes.Load(in b, second)), ref target, i);
            }

            if (rest == 0 || TryFinish<TLanes>(ref padded[0], ref target, ref y, whole, rest))
            {
                return;
            }

            a = ref Padded<TLanes>(padded, ref a, aStep, whole, rest);
            b = ref Padded<TLanes>(padded[TLanes.Count..], ref b, bStep, whole, rest);
            target = ref padded[0];
        }
    }

    [MethodImpl(Loop)]
    private static void CombineLanes<TOp, TLanes>(
        TOp op, ref float a, nuint aStep, ref float b, nuint bStep, ref float c, nuint cStep, ref float y, int count, Span<float> padded)
        where TOp : unmanaged, ITernaryOp
        where TLanes : struct, ILanes<TLanes>
    {
        int rest = count % TLanes.Count;
        int whole = count - rest;
        ref float target = ref y;
        for (nuint length = (nuint)whole; ; length = (nuint)TLanes.Count)
        {
            for (nuint i = 0; i < length; i += (nuint)TLanes.Count)
            {
                nuint first = i * aStep;
                nuint second = i * bStep;
                nuint third = i * cStep;
                CacheLine.Fetch(in a, first + CacheLine.NumbersAhead);
                CacheLine.Fetch(in b, second + CacheLine.NumbersAhead);
                CacheLine.Fetch(in c, third + CacheLine.NumbersAhead);
                CacheLine.Fetch(in target, i + CacheLine.NumbersAhead);
                TLanes.Store(op.Forward(TLanes.Load(in a, first), TLanes.Load(in b, second), TLanes.Load(in c, third)), ref target, i);
            }

            if (rest == 0 || TryFinish<TLanes>(ref padded[0], ref target, ref y, whole, rest))
            {
                return;
            }

            a = ref Padded<TLanes>(padded, ref a, aStep, whole, rest);
            b = ref Padded<TLanes>(padded[TLanes.Count..], ref b, bStep, whole, rest);
            c = ref Padded<TLanes>(padded[(2 * TLanes.Count)..], ref c, cStep, whole, rest);
            target = ref padded[0];
        }
    }

    [MethodImpl(Loop)]
    private static void SampleLanes<TDistribution, TLanes>(
        TDistribution distribution, Randomness source, ulong position, Span<float> y, Span<float> u, Span<float> v)
        where TDistribution : unmanaged, IDistribution
        where TLanes : struct, ILanes<TLanes>
    {
        for (int start = 0; start < y.Length; start += u.Length)
        {
            // The room for u and v is whole vectors, so their end may be computed past the data without a padded one.
            int count = Math.Min(u.Length, y.Length - start);
            Philox.Uniform(source.Seed, source.Stream, position + (ulong)start, u[..count], v[..count]);
            for (nuint i = 0; i < (nuint)count; i += (nuint)TLanes.Count)
            {
                TLanes.Store(distribution.Sample(TLanes.Load(in u[0], i), TLanes.Load(in v[0], i)), ref u[0], i);
            }

            u[..count].CopyTo(y[start..]);
        }
    }

    /// <summary>The last <paramref name="count"/> numbers of an operand, which begin at <paramref name="start"/>, in a padded vector.</summary>
    [MethodImpl(Loop)]
    private static ref float Padded<TLanes>(Span<float> padded, ref float source, nuint step, int start, int count)
        where TLanes : struct, ILanes<TLanes>
    {
        if (step == 0)
        {
            return ref source;
        }

        ref float first = ref MemoryMarshal.GetReference(padded);
        TLanes.Store(TLanes.LoadPartial(in source, (nuint)start, count, 1f), ref first, 0);
        return ref first;
    }

    /// <summary>Copies the padded vector's numbers to where they belong, if they are what a pass has computed.</summary>
    [MethodImpl(Loop)]
    private static bool TryFinish<TLanes>(ref float padded, ref float target, ref float y, int start, int count)
        where TLanes : struct, ILanes<TLanes>
    {
        bool isPadded = Unsafe.AreSame(ref target, ref padded);
        if (isPadded)
        {
            TLanes.StorePartial(TLanes.Load(in padded, 0), ref y, (nuint)start, count);
        }

        return isPadded;
    }

    private readonly struct MapBody<TOp>(TOp op, float[] x, float[] y, int length) : ILoopBody
        where TOp : unmanaged, IUnaryOp
    {
        [SkipLocalsInit]
        public void Run<TLanes>(int block)
            where TLanes : struct, ILanes<TLanes>
        {
            int start = block * BlockLength;
            int count = Math.Min(BlockLength, length - start);
            Span<float> padded = stackalloc float[TLanes.Count];
            MapLanes<TOp, TLanes>(op, ref x[start], ref y[start], count, padded);
        }
    }

    private readonly struct ZipBody<TOp>(TOp op, Operand a, Operand b, float[] y, int length) : ILoopBody
        where TOp : unmanaged, IBinaryOp
    {
        [SkipLocalsInit]
        public void Run<TLanes>(int block)
            where TLanes : struct, ILanes<TLanes>
        {
            const int Chunk = OperandReader.ChunkLength;
            Span<float> scratch = stackalloc float[2 * Chunk];
            OperandReader first = new(a, length, scratch[..Chunk]);
            OperandReader second = new(b, length, scratch[Chunk..]);
            Span<float> padded = stackalloc float[2 * TLanes.Count];
            int end = Math.Min(length, (block + 1) * BlockLength);
            for (int start = block * BlockLength, count; start < end; start += count)
            {
                count = Math.Min(end - start, Math.Min(first.Reach(start), second.Reach(start)));
                ref float p = ref first.At(start, count, out nuint pStep);
                ref float q = ref second.At(start, count, out nuint qStep);
                ZipLanes<TOp, TLanes>(op, ref p, pStep, ref q, qStep, ref y[start], count, padded);
            }
        }
    }

    private readonly struct CombineBody<TOp>(TOp op, Operand a, Operand b, Operand c, float[] y, int length) : ILoopBody
        where TOp : unmanaged, ITernaryOp
    {
        [SkipLocalsInit]
        public void Run<TLanes>(int block)
            where TLanes : struct, ILanes<TLanes>
        {
            const int Chunk = OperandReader.ChunkLength;
            Span<float> scratch = stackalloc float[3 * Chunk];
            OperandReader first = new(a, length, scratch[..Chunk]);
            OperandReader second = new(b, length, scratch[Chunk..(2 * Chunk)]);
            OperandReader third = new(c, length, scratch[(2 * Chunk)..]);
            Span<float> padded = stackalloc float[3 * TLanes.Count];
            int end = Math.Min(length, (block + 1) * BlockLength);
            for (int start = block * BlockLength, count; start < end; start += count)
            {
                count = Math.Min(end - start, Math.Min(first.Reach(start), Math.Min(second.Reach(start), third.Reach(start))));
                ref float p = ref first.At(start, count, out nuint pStep);
                ref float q = ref second.At(start, count, out nuint qStep);
                ref float r = ref third.At(start, count, out nuint rStep);
                CombineLanes<TOp, TLanes>(op, ref p, pStep, ref q, qStep, ref r, rStep, ref y[start], count, padded);
            }
        }
    }

    private readonly struct FillBody<TDistribution>(TDistribution distribution, Randomness source, float[] y, int length)
        : ILoopBody
        where TDistribution : unmanaged, IDistribution
    {
        [SkipLocalsInit]
        public void Run<TLanes>(int block)
            where TLanes : struct, ILanes<TLanes>
        {
            int start = block * BlockLength;
            Span<float> u = stackalloc float[OperandReader.ChunkLength];
            Span<float> v = stackalloc float[OperandReader.ChunkLength];
            SampleLanes<TDistribution, TLanes>(
                distribution,
                source,
                source.Position + (ulong)start,
                y.AsSpan(start, Math.Min(BlockLength, length - start)),
                u,
                v);
        }
    }
}
