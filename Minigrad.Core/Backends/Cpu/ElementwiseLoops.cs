using System.Runtime.CompilerServices;
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
            Lanes.Write(op.Forward(Lanes.Read<TLanes>(in x, i, length, 1f)), ref y, i, length);
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
            TLanes first = Read<TLanes>(ref a, aStep, i, length);
            TLanes second = Read<TLanes>(ref b, bStep, i, length);
            TLanes result = op.Forward(first, second);
            Lanes.Write(result, ref y, i, length);
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
            TLanes first = Read<TLanes>(ref a, aStep, i, length);
            TLanes second = Read<TLanes>(ref b, bStep, i, length);
            TLanes third = Read<TLanes>(ref c, cStep, i, length);
            TLanes result = op.Forward(first, second, third);
            Lanes.Write(result, ref y, i, length);
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
            TLanes sample = distribution.Sample(
                Lanes.Read<TLanes>(in u, i, length, 0.5f), Lanes.Read<TLanes>(in v, i, length, 0.5f));
            Lanes.Write(sample, ref y, i, length);
        }
    }

    /// <summary>A vector from place i on: whole, padded at the end of the data, or one number repeated (step 0).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TLanes Read<TLanes>(ref float source, nuint step, nuint i, nuint length)
        where TLanes : struct, ILanes<TLanes> =>
        step == 0 ? TLanes.Load(in source, 0) : Lanes.Read<TLanes>(in source, i, length, 1f);

    private readonly struct MapBody<TOp>(TOp op, float[] x, float[] y, int length) : ILoopBody
        where TOp : unmanaged, IUnaryOp
    {
        public void Run<TLanes>(int block)
            where TLanes : struct, ILanes<TLanes>
        {
            int start = block * BlockLength;
            nuint count = (nuint)Math.Min(BlockLength, length - start);
            MapLanes<TOp, TLanes>(
                op, ref x[start], ref y[start], count);
        }
    }

    private readonly struct ZipBody<TOp>(TOp op, Operand a, Operand b, float[] y, int length) : ILoopBody
        where TOp : unmanaged, IBinaryOp
    {
        [SkipLocalsInit]
        public void Run<TLanes>(int block)
            where TLanes : struct, ILanes<TLanes>
        {
            Span<float> scratch = stackalloc float[2 * OperandReader.ChunkLength];
            OperandReader first = new(a, length, scratch[..OperandReader.ChunkLength]);
            OperandReader second = new(b, length, scratch[OperandReader.ChunkLength..]);
            int end = Math.Min(length, (block + 1) * BlockLength);
            int chunk = first.IsExpanded || second.IsExpanded ? OperandReader.ChunkLength : BlockLength;
            for (int start = block * BlockLength; start < end; start += chunk)
            {
                int count = Math.Min(chunk, end - start);
                ref float firstStart = ref first.At(start, count);
                ref float secondStart = ref second.At(start, count);
                ZipLanes<TOp, TLanes>(
                    op, ref firstStart, first.Step, ref secondStart, second.Step, ref y[start], (nuint)count);
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
            int end = Math.Min(length, (block + 1) * BlockLength);
            int chunk = first.IsExpanded || second.IsExpanded || third.IsExpanded ? Chunk : BlockLength;
            for (int start = block * BlockLength; start < end; start += chunk)
            {
                int count = Math.Min(chunk, end - start);
                ref float firstStart = ref first.At(start, count);
                ref float secondStart = ref second.At(start, count);
                ref float thirdStart = ref third.At(start, count);
                CombineLanes<TOp, TLanes>(
                    op, ref firstStart, first.Step, ref secondStart, second.Step, ref thirdStart, third.Step, ref y[start], (nuint)count);
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

                SampleLanes<TDistribution, TLanes>(
                    distribution, ref u[0], ref v[0], ref y[start], (nuint)count);
            }
        }
    }
}
