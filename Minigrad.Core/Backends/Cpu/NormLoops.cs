using System.Buffers;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Minigrad.Numerics;

namespace Minigrad.Backends.Cpu;

/// <summary>
/// Norms in double precision. The square of any float32 is a normal double, so sums of magnitudes and squares neither
/// overflow nor underflow; other powers are taken of magnitudes divided by the largest one. Blocks are combined from
/// first to last, whatever the number of threads.
/// </summary>
internal static class NormLoops
{
    private const MethodImplOptions Loop = MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization;

    /// <summary>The p-norm of each of <c>norms.Length</c> units of a buffer.</summary>
    public static void Norms(Workers workers, Storage x, double order, Span<double> norms)
    {
        BlockList blocks = BlockList.Rent();
        int unitLength = norms.Length == 0 ? 0 : x.Length / norms.Length;
        for (int unit = 0; unit < norms.Length; unit++)
        {
            blocks.Add(unit, unit * unitLength, unitLength);
        }

        Norms(workers, [x], blocks, order, norms);
        blocks.Return();
    }

    /// <summary>The p-norm of each of several buffers.</summary>
    public static void Norms(Workers workers, IReadOnlyList<Storage> buffers, double order, Span<double> norms)
    {
        BlockList blocks = BlockList.Rent();
        for (int buffer = 0; buffer < norms.Length; buffer++)
        {
            blocks.Add(buffer, 0, buffers[buffer].Length);
        }

        Norms(workers, buffers, blocks, order, norms);
        blocks.Return();
    }

    private static void Norms(
        Workers workers, IReadOnlyList<Storage> buffers, BlockList blocks, double order, Span<double> norms)
    {
        switch (order)
        {
            case 1:
                Fold(workers, buffers, blocks, NormTerm.Magnitude, 0, [], norms);
                break;
            case 2:
                Fold(workers, buffers, blocks, NormTerm.Square, 0, [], norms);
                foreach (ref double norm in norms)
                {
                    norm = Math.Sqrt(norm);
                }

                break;
            case double.PositiveInfinity:
                Fold(workers, buffers, blocks, NormTerm.Largest, 0, [], norms);
                break;
            default:
                ScaledNorms(workers, buffers, blocks, order, norms);
                break;
        }
    }

    private static void ScaledNorms(
        Workers workers, IReadOnlyList<Storage> buffers, BlockList blocks, double order, Span<double> norms)
    {
        Fold(workers, buffers, blocks, NormTerm.Largest, 0, [], norms);
        double[] largest = norms.ToArray();
        Fold(workers, buffers, blocks, NormTerm.ScaledPower, order, largest, norms);
        for (int run = 0; run < norms.Length; run++)
        {
            norms[run] = largest[run] == 0 || !double.IsFinite(largest[run])
                ? largest[run]
                : largest[run] * Math.Pow(norms[run], 1 / order);
        }
    }

    /// <summary>Combines the terms of each run, block after block.</summary>
    private static void Fold(
        Workers workers,
        IReadOnlyList<Storage> buffers,
        BlockList blocks,
        NormTerm term,
        double order,
        double[] largest,
        Span<double> totals)
    {
        ReadOnlySpan<Block> all = blocks.Blocks;
        double[] partials = ArrayPool<double>.Shared.Rent(all.Length);
        workers.For(
            blocks.ShareCount, BlockList.BlockLength, new PartialBody(buffers, blocks, term, order, largest, partials));
        totals.Clear();
        for (int i = 0; i < all.Length; i++)
        {
            ref double total = ref totals[all[i].Run];
            total = term == NormTerm.Largest ? Math.Max(total, partials[i]) : total + partials[i];
        }

        ArrayPool<double>.Shared.Return(partials);
    }

    private static double Partial(ReadOnlySpan<float> x, NormTerm term, double order, double largest) => term switch
    {
        NormTerm.Magnitude => SumOfMagnitudes(x),
        NormTerm.Square => SumOfSquares(x),
        NormTerm.Largest => LargestMagnitude(x),
        _ => SumOfScaledPowers(x, order, largest),
    };

    /// <summary>Σ x².</summary>
    [MethodImpl(Loop)]
    public static double SumOfSquares(ReadOnlySpan<float> x)
    {
        // Four sums side by side: one would wait for each addition to end before the next. A float32's square is exact in double
        // precision, so that a multiply-add gives the same bits with one rounding as with two.
        ReadOnlySpan<Vector<float>> vectors = MemoryMarshal.Cast<float, Vector<float>>(x);
        Vector<double> first = Vector<double>.Zero;
        Vector<double> second = Vector<double>.Zero;
        Vector<double> third = Vector<double>.Zero;
        Vector<double> fourth = Vector<double>.Zero;
        int i = 0;
        for (; i + 1 < vectors.Length; i += 2)
        {
            Vector.Widen(vectors[i], out Vector<double> lower, out Vector<double> upper);
            first = Vector.MultiplyAddEstimate(lower, lower, first);
            second = Vector.MultiplyAddEstimate(upper, upper, second);
            Vector.Widen(vectors[i + 1], out lower, out upper);
            third = Vector.MultiplyAddEstimate(lower, lower, third);
            fourth = Vector.MultiplyAddEstimate(upper, upper, fourth);
        }

        double total = Vector.Sum(first + second + (third + fourth));
        foreach (float rest in x[(i * Vector<float>.Count)..])
        {
            total += (double)rest * rest;
        }

        return total;
    }

    [MethodImpl(Loop)]
    private static double SumOfMagnitudes(ReadOnlySpan<float> x)
    {
        ReadOnlySpan<Vector<float>> vectors = MemoryMarshal.Cast<float, Vector<float>>(x);
        Vector<double> low = Vector<double>.Zero;
        Vector<double> high = Vector<double>.Zero;
        foreach (Vector<float> vector in vectors)
        {
            Vector.Widen(Vector.Abs(vector), out Vector<double> lower, out Vector<double> upper);
            low += lower;
            high += upper;
        }

        double total = Vector.Sum(low + high);
        foreach (float rest in x[(vectors.Length * Vector<float>.Count)..])
        {
            total += MathF.Abs(rest);
        }

        return total;
    }

    /// <summary>The largest |x|, NaN if any is NaN, 0 of none.</summary>
    [MethodImpl(Loop)]
    public static double LargestMagnitude(ReadOnlySpan<float> x)
    {
        ReadOnlySpan<Vector<float>> vectors = MemoryMarshal.Cast<float, Vector<float>>(x);
        Vector<float> largest = Vector<float>.Zero;
        foreach (Vector<float> vector in vectors)
        {
            largest = Vector.Max(largest, Vector.Abs(vector)); // Vector.Max gives NaN if either operand is NaN.
        }

        float result = 0;
        for (int lane = 0; lane < Vector<float>.Count; lane++)
        {
            result = MathF.Max(result, largest[lane]);
        }

        foreach (float rest in x[(vectors.Length * Vector<float>.Count)..])
        {
            result = MathF.Max(result, MathF.Abs(rest));
        }

        return result;
    }

    private static double SumOfScaledPowers(ReadOnlySpan<float> x, double order, double largest)
    {
        double total = 0;
        foreach (float value in x)
        {
            total += Math.Pow(Math.Abs(value) / largest, order);
        }

        return total;
    }

    private readonly struct PartialBody(
        IReadOnlyList<Storage> buffers,
        BlockList blocks,
        NormTerm term,
        double order,
        double[] largest,
        double[] partials) : ILoopBody
    {
        public void Run<TLanes>(int share)
            where TLanes : struct, ILanes<TLanes>
        {
            ReadOnlySpan<Block> all = blocks.Blocks;
            int end = blocks.FirstBlock(share + 1);
            for (int i = blocks.FirstBlock(share); i < end; i++)
            {
                // The units of one buffer are runs as well.
                Block block = all[i];
                CpuStorage storage = (CpuStorage)buffers[buffers.Count == 1 ? 0 : block.Run];
                ReadOnlySpan<float> x = storage.Array.AsSpan(block.Start, block.Length);
                partials[i] = Partial(x, term, order, term == NormTerm.ScaledPower ? largest[block.Run] : 0);
            }
        }
    }
}
