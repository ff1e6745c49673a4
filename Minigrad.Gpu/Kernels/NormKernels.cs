using ILGPU;

namespace Minigrad.Gpu.Kernels;

/// <summary>Sums inside norms, in double precision and in a fixed order.</summary>
internal static class NormKernels
{
    /// <summary>The terms of a short unit, by one thread.</summary>
    public static void SumUnit<TTerm>(Index1D unit, TTerm term, ArrayView<float> x, int unitLength, ArrayView<double> y)
        where TTerm : struct, INormTerm
    {
        int start = unit * unitLength;
        double total = 0.0;
        for (int i = 0; i < unitLength; i++)
        {
            total = term.Combine(total, term.Term(x[start + i], unit));
        }

        y[unit] = total;
    }

    /// <summary>The terms of a part of a long unit, by a group of threads.</summary>
    public static void SumPart<TTerm>(TTerm term, ArrayView<float> x, int unitLength, int parts, int partLength, ArrayView<double> y)
        where TTerm : struct, INormTerm
    {
        ArrayView<double> shared = SharedMemory.Allocate<double>(GroupTree.Capacity);
        int unit = Grid.IdxX / parts;
        int part = Grid.IdxX % parts;
        int start = unit * unitLength;
        int end = part == parts - 1 ? unitLength : (part + 1) * partLength;
        int stride = Group.DimX;
        int i = (part * partLength) + Group.IdxX;
        double total = 0.0;
        for (; i + (3 * stride) < end; i += 4 * stride)
        {
            Quad four = Quad.Strided(x, start + i, stride);
            total = term.Combine(total, term.Term(four.X, unit));
            total = term.Combine(total, term.Term(four.Y, unit));
            total = term.Combine(total, term.Term(four.Z, unit));
            total = term.Combine(total, term.Term(four.W, unit));
        }

        for (; i < end; i += stride)
        {
            total = term.Combine(total, term.Term(x[start + i], unit));
        }

        total = GroupSums.Combine(shared, term, total);
        if (Group.IdxX == 0)
        {
            y[Grid.IdxX] = total;
        }
    }

    /// <summary>The sum of a unit's parts, by a group of threads.</summary>
    public static void SumParts(ArrayView<double> x, int parts, ArrayView<double> y)
    {
        ArrayView<double> shared = SharedMemory.Allocate<double>(GroupTree.Capacity);
        int start = Grid.IdxX * parts;
        double total = 0.0;
        for (int i = Group.IdxX; i < parts; i += Group.DimX)
        {
            total += x[start + i];
        }

        total = GroupSums.Sum(shared, total);
        if (Group.IdxX == 0)
        {
            y[Grid.IdxX] = total;
        }
    }
}
