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

    /// <summary>How many elements make one partial result.</summary>
    private const int Block = 8192;

    /// <summary>The p-norm of each of <c>norms.Length</c> units of a buffer.</summary>
    public static void Norms(Workers workers, ReadOnlyMemory<float> x, double order, Span<double> norms)
    {
        int unitLength = norms.Length == 0 ? 0 : x.Length / norms.Length;
        for (int unit = 0; unit < norms.Length; unit++)
        {
            norms[unit] = Norm(workers, x.Slice(unit * unitLength, unitLength), order);
        }
    }

    private static double Norm(Workers workers, ReadOnlyMemory<float> x, double order) => order switch
    {
        1 => Fold(workers, x, NormTerm.Magnitude, 0, 0),
        2 => Math.Sqrt(Fold(workers, x, NormTerm.Square, 0, 0)),
        double.PositiveInfinity => Fold(workers, x, NormTerm.Largest, 0, 0),
        _ => ScaledPower(workers, x, order),
    };

    private static double ScaledPower(Workers workers, ReadOnlyMemory<float> x, double order)
    {
        double largest = Fold(workers, x, NormTerm.Largest, 0, 0);
        return largest == 0 || !double.IsFinite(largest)
            ? largest
            : largest * Math.Pow(Fold(workers, x, NormTerm.ScaledPower, order, largest), 1 / order);
    }

    private static double Fold(Workers workers, ReadOnlyMemory<float> x, NormTerm term, double order, double largest)
    {
        if (x.Length <= Block)
        {
            return Partial(x.Span, term, order, largest);
        }

        double[] partials = new double[(x.Length + Block - 1) / Block];
        workers.For(partials.Length, Block, new PartialBody(x, term, order, largest, partials));
        double total = 0;
        foreach (double partial in partials)
        {
            total = term == NormTerm.Largest ? Math.Max(total, partial) : total + partial;
        }

        return total;
    }

    private static double Partial(ReadOnlySpan<float> x, NormTerm term, double order, double largest) => term switch
    {
        NormTerm.Magnitude => SumOfMagnitudes(x),
        NormTerm.Square => SumOfSquares(x),
        NormTerm.Largest => LargestMagnitude(x),
        _ => SumOfScaledPowers(x, order, largest),
    };

    [MethodImpl(Loop)]
    private static double SumOfSquares(ReadOnlySpan<float> x)
    {
        ReadOnlySpan<Vector<float>> vectors = MemoryMarshal.Cast<float, Vector<float>>(x);
        Vector<double> low = Vector<double>.Zero;
        Vector<double> high = Vector<double>.Zero;
        foreach (Vector<float> vector in vectors)
        {
            Vector.Widen(vector, out Vector<double> lower, out Vector<double> upper);
            low = Vector.FusedMultiplyAdd(lower, lower, low);
            high = Vector.FusedMultiplyAdd(upper, upper, high);
        }

        double total = Vector.Sum(low + high);
        foreach (float rest in x[(vectors.Length * Vector<float>.Count)..])
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

    [MethodImpl(Loop)]
    private static double LargestMagnitude(ReadOnlySpan<float> x)
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
        ReadOnlyMemory<float> x, NormTerm term, double order, double largest, double[] partials) : ILoopBody
    {
        public void Run<TLanes>(int block)
            where TLanes : struct, ILanes<TLanes>
        {
            int start = block * Block;
            partials[block] = Partial(x.Span.Slice(start, Math.Min(Block, x.Length - start)), term, order, largest);
        }
    }
}
