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
    private static void MapLanes<TOp, TLanes>(TOp op, ref float x, ref float y, nuint length)
        where TOp : unmanaged, IUnaryOp
        where TLanes : struct, ILanes<TLanes>
    {
        nuint width = (nuint)TLanes.Count;
        for (nuint i = 0; i < length; i += width)
        {
            CacheLine.Fetch(in x, i + CacheLine.NumbersAhead);
            CacheLine.Fetch(in y, i + CacheLine.NumbersAhead);
            TLanes.Store(op.Forward(TLanes.Load(in x, i)), ref y, i);
        }
    }

    [MethodImpl(Loop)]
    private static void ZipLanes<TOp, TLanes>(
        TOp op, ref float a, nuint aStep, ref float b, nuint bStep, ref float y, nuint length)
        where TOp : unmanaged, IBinaryOp
        where TLanes : struct, ILanes<TLanes>
    {
        nuint width = (nuint)TLanes.Count;
        for (nuint i = 0; i < length; i += width)
        {
            nuint first = i * aStep;
            nuint second = i * bStep;
            CacheLine.Fetch(in a, first + CacheLine.NumbersAhead);
            CacheLine.Fetch(in b, second + CacheLine.NumbersAhead);
            CacheLine.Fetch(in y, i + CacheLine.NumbersAhead);
            TLanes.Store(op.Forward(TLanes.Load(in a, first), TLanes.Load(in b, second)), ref y, i);
        }
    }

    [MethodImpl(Loop)]
    private static void CombineLanes<TOp, TLanes>(
        TOp op, ref float a, nuint aStep, ref float b, nuint bStep, ref float c, nuint cStep, ref float y, nuint length)
        where TOp : unmanaged, ITernaryOp
        where TLanes : struct, ILanes<TLanes>
    {
        nuint width = (nuint)TLanes.Count;
        for (nuint i = 0; i < length; i += width)
        {
            nuint first = i * aStep;
            nuint second = i * bStep;
            nuint third = i * cStep;
            CacheLine.Fetch(in a, first + CacheLine.NumbersAhead);
            CacheLine.Fetch(in b, second + CacheLine.NumbersAhead);
            CacheLine.Fetch(in c, third + CacheLine.NumbersAhead);
            CacheLine.Fetch(in y, i + CacheLine.NumbersAhead);
            TLanes.Store(op.Forward(TLanes.Load(in a, first), TLanes.Load(in b, second), TLanes.Load(in c, third)), ref y, i);
        }
    }

    [MethodImpl(Loop)]
    private static void SampleLanes<TDistribution, TLanes>(
        TDistribution distribution, ref float u, ref float v, ref float y, nuint length)
        where TDistribution : unmanaged, IDistribution
        where TLanes : struct, ILanes<TLanes>
    {
        nuint width = (nuint)TLanes.Count;
        for (nuint i = 0; i < length; i += width)
        {
            TLanes.Store(distribution.Sample(TLanes.Load(in u, i), TLanes.Load(in v, i)), ref y, i);
        }
    }

    /// <summary>
    /// The end of the data that fills no vector is computed in a padded one on the stack, by the same loop. (Reading
    /// and writing a part of a vector where the formula stands a second time would be more than the JIT inlines.)
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ref float Padded(Span<float> padded, ref float source, nuint step, int start, int count)
    {
        if (step == 0)
        {
            return ref source;
        }

        padded.Fill(1f);
        MemoryMarshal.CreateReadOnlySpan(ref Unsafe.Add(ref source, start), count).CopyTo(padded);
        return ref padded[0];
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
            int rest = count % TLanes.Count;
            ref float first = ref x[start];
            MapLanes<TOp, TLanes>(op, ref first, ref y[start], (nuint)(count - rest));
            if (rest > 0)
            {
                Span<float> padded = stackalloc float[TLanes.Count];
                ref float tail = ref Padded(padded, ref first, 1, count - rest, rest);
                MapLanes<TOp, TLanes>(op, ref tail, ref tail, (nuint)TLanes.Count);
                padded[..rest].CopyTo(y.AsSpan(start + count - rest));
            }
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
                int rest = count % TLanes.Count;
                int whole = count - rest;
                ref float p = ref first.At(start, count, out nuint pStep);
                ref float q = ref second.At(start, count, out nuint qStep);
                ZipLanes<TOp, TLanes>(op, ref p, pStep, ref q, qStep, ref y[start], (nuint)whole);
                if (rest > 0)
                {
                    p = ref Padded(padded[..TLanes.Count], ref p, pStep, whole, rest);
                    q = ref Padded(padded[TLanes.Count..], ref q, qStep, whole, rest);
                    ZipLanes<TOp, TLanes>(op, ref p, pStep, ref q, qStep, ref padded[0], (nuint)TLanes.Count);
                    padded[..rest].CopyTo(y.AsSpan(start + whole));
                }
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
            int width = TLanes.Count;
            Span<float> padded = stackalloc float[3 * width];
            int end = Math.Min(length, (block + 1) * BlockLength);
            for (int start = block * BlockLength, count; start < end; start += count)
            {
                count = Math.Min(end - start, Math.Min(first.Reach(start), Math.Min(second.Reach(start), third.Reach(start))));
                int rest = count % width;
                int whole = count - rest;
                ref float p = ref first.At(start, count, out nuint pStep);
                ref float q = ref second.At(start, count, out nuint qStep);
                ref float r = ref third.At(start, count, out nuint rStep);
                CombineLanes<TOp, TLanes>(op, ref p, pStep, ref q, qStep, ref r, rStep, ref y[start], (nuint)whole);
                if (rest > 0)
                {
                    p = ref Padded(padded[..width], ref p, pStep, whole, rest);
                    q = ref Padded(padded[width..(2 * width)], ref q, qStep, whole, rest);
                    r = ref Padded(padded[(2 * width)..], ref r, rStep, whole, rest);
                    CombineLanes<TOp, TLanes>(op, ref p, pStep, ref q, qStep, ref r, rStep, ref padded[0], (nuint)width);
                    padded[..rest].CopyTo(y.AsSpan(start + whole));
                }
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
            // A chunk is whole vectors, so its end may be computed past the data without a padded one.
            const int Chunk = OperandReader.ChunkLength;
            Span<float> u = stackalloc float[Chunk];
            Span<float> v = stackalloc float[Chunk];
            int end = Math.Min(length, (block + 1) * BlockLength);
            for (int start = block * BlockLength; start < end; start += Chunk)
            {
                int count = Math.Min(Chunk, end - start);
                for (int i = 0; i < count; i++)
                {
                    ulong position = source.Position + (ulong)(start + i);
                    Philox.Uniform(source.Seed, source.Stream, position, out u[i], out v[i]);
                }

                SampleLanes<TDistribution, TLanes>(distribution, ref u[0], ref v[0], ref u[0], (nuint)count);
                u[..count].CopyTo(y.AsSpan(start));
            }
        }
    }
}
