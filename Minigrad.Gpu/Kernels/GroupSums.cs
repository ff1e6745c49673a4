using ILGPU;

namespace Minigrad.Gpu.Kernels;

/// <summary>
/// Reductions in double precision over a group of threads in a fixed tree, so that the bits are the same on every run. The
/// group's size is a power of two, at most <see cref="GroupTree.Capacity"/>; shared memory is handed in, because each inlined copy that allocates its own would cost its size again.
/// </summary>
internal static class GroupSums
{
    /// <summary>Combines a value of each thread; each thread gets the result.</summary>
    /// <typeparam name="TTerm">How two values combine.</typeparam>
    /// <param name="shared">Shared memory, a number for each thread.</param>
    /// <param name="term">How two values combine.</param>
    /// <param name="value">This thread's value.</param>
    public static double Combine<TTerm>(ArrayView<double> shared, TTerm term, double value)
        where TTerm : struct, INormTerm
    {
        int thread = Group.IdxX;
        shared[thread] = value;
        Group.Barrier();
        for (int half = Group.DimX >> 1; half > 0; half >>= 1)
        {
            if (thread < half)
            {
                shared[thread] = term.Combine(shared[thread], shared[thread + half]);
            }

            Group.Barrier();
        }

        double result = shared[0];
        Group.Barrier();
        return result;
    }

    /// <summary>The sum of a value of each thread.</summary>
    /// <param name="shared">Shared memory, a number for each thread.</param>
    /// <param name="value">This thread's value.</param>
    public static double Sum(ArrayView<double> shared, double value) => Combine(shared, default(MagnitudeTerm), value);

    /// <summary>The largest of a value of each thread.</summary>
    /// <param name="shared">Shared memory, a number for each thread.</param>
    /// <param name="value">This thread's value.</param>
    public static double Largest(ArrayView<double> shared, double value) => Combine(shared, default(LargestTerm), value);

    /// <summary>The smallest of a value of each thread.</summary>
    /// <param name="shared">Shared memory, a number for each thread.</param>
    /// <param name="value">This thread's value.</param>
    public static double Smallest(ArrayView<double> shared, double value) => -Combine(shared, default(LargestTerm), -value);
}
