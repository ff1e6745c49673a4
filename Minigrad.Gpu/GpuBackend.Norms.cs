using ILGPU;
using Minigrad.Backends;
using Minigrad.Gpu.Kernels;
using Minigrad.Operations;

namespace Minigrad.Gpu;

/// <content>Norms in double precision.</content>
public sealed partial class GpuBackend
{
    /// <summary>Up to this length one thread sums a unit.</summary>
    private const int LongestUnit = 64;

    /// <summary>How many terms a group sums at least, and how many groups are enough for any device.</summary>
    private const int ShortestPart = 8192;

    private const int ManyParts = 1024;

    /// <inheritdoc/>
    /// <remarks>The only kernels in double precision; a device without it cannot run them.</remarks>
    public override void Norms(Storage x, double order, Span<double> norms)
    {
        if (x.Length == 0 || norms.Length == 0)
        {
            norms.Clear();
            return;
        }

        using Scratch sums = new(pool, 2 * norms.Length);
        using Scratch largest = new(pool, norms.Length);
        QueueNorms(View(x), order, x.Length / norms.Length, sums.Doubles.SubView(0, norms.Length), largest.Floats.SubView(0, norms.Length));
        Finish(order, sums.Doubles, largest.Floats, norms);
        GC.KeepAlive(x);
    }

    /// <inheritdoc/>
    /// <remarks>All of it is queued before the device is waited for, once.</remarks>
    public override void Norms(IReadOnlyList<Storage> buffers, double order, Span<double> norms)
    {
        if (norms.Length == 0)
        {
            return;
        }

        using Scratch sums = new(pool, 2 * norms.Length);
        using Scratch largest = new(pool, norms.Length);
        for (int buffer = 0; buffer < norms.Length; buffer++)
        {
            ArrayView<double> sum = sums.Doubles.SubView(buffer, 1);
            ArrayView<float> magnitude = largest.Floats.SubView(buffer, 1);
            if (buffers[buffer].Length > 0)
            {
                QueueNorms(View(buffers[buffer]), order, buffers[buffer].Length, sum, magnitude);
                GC.KeepAlive(buffers[buffer]);
            }
            else
            {
                queue.Launch(ElementwiseKernels.Fill, 1, 0f, magnitude);
                queue.Launch(ElementwiseKernels.Fill, 2, 0f, sum.Cast<float>());
            }
        }

        Finish(order, sums.Doubles, largest.Floats, norms);
    }

    /// <summary>Queues what each unit's norm is made of: the sum of its terms, and its largest magnitude where the order asks for it.</summary>
    private void QueueNorms(ArrayView<float> x, double order, int unitLength, ArrayView<double> sums, ArrayView<float> largest)
    {
        switch (order)
        {
            case 1:
                QueueSums(default(MagnitudeTerm), x, unitLength, sums);
                break;
            case 2:
                QueueSums(default(SquareTerm), x, unitLength, sums);
                break;
            default:
                Reduce(default(LargestAbsolute), x, new AxisLayout(largest.IntLength, unitLength, 1), largest);
                if (!double.IsPositiveInfinity(order))
                {
                    QueueSums(new ScaledPowerTerm(order, largest), x, unitLength, sums);
                }

                break;
        }
    }

    private void QueueSums<TTerm>(TTerm term, ArrayView<float> x, int unitLength, ArrayView<double> sums)
        where TTerm : struct, INormTerm
    {
        int units = sums.IntLength;
        if (unitLength <= LongestUnit)
        {
            queue.Launch(NormKernels.SumUnit<TTerm>, units, term, x, unitLength, sums);
            return;
        }

        int shortest = Math.Max(queue.IsEmulated ? LongestUnit : ShortestPart, (unitLength + ManyParts - 1) / ManyParts);
        int parts = (unitLength + shortest - 1) / shortest;
        int partLength = (unitLength + parts - 1) / parts;
        if (parts == 1)
        {
            int threads = queue.GroupSizeFor(units, queue.GroupSize);
            queue.LaunchGroups(NormKernels.SumPart<TTerm>, units, threads, term, x, unitLength, 1, unitLength, sums);
            return;
        }

        using Scratch scratch = new(pool, 2 * units * parts);
        ArrayView<double> partial = scratch.Doubles.SubView(0, units * parts);
        queue.LaunchGroups(NormKernels.SumPart<TTerm>, units * parts, queue.GroupSize, term, x, unitLength, parts, partLength, partial);
        queue.LaunchGroups(NormKernels.SumParts, units, queue.GroupSize, partial, parts, sums);
    }

    /// <summary>
    /// Reads what was queued and finishes the norms: Σ|x| or √Σx², or m · (Σ (|x| / m)ᵖ)^(1/p) with m the largest magnitude, which is
    /// itself the norm for p = ∞.
    /// </summary>
    private void Finish(double order, ArrayView<double> sums, ArrayView<float> largest, Span<double> norms)
    {
        float[] magnitudes = order is 1 or 2 ? [] : new float[norms.Length];
        if (magnitudes.Length > 0)
        {
            queue.Download(largest.SubView(0, norms.Length), magnitudes);
        }

        if (!double.IsPositiveInfinity(order))
        {
            queue.Download(sums.SubView(0, norms.Length), norms);
        }

        for (int unit = 0; unit < norms.Length; unit++)
        {
            if (order == 2)
            {
                norms[unit] = Math.Sqrt(norms[unit]);
            }
            else if (order != 1)
            {
                float magnitude = magnitudes[unit];
                norms[unit] = double.IsPositiveInfinity(order) || magnitude == 0f || !float.IsFinite(magnitude)
                    ? magnitude
                    : magnitude * Math.Pow(norms[unit], 1 / order);
            }
        }
    }
}
