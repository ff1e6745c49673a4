using ILGPU;
using Minigrad.Numerics;
using Minigrad.Operations;

namespace Minigrad.Gpu.Kernels;

/// <summary>Combines what the threads of a group hold, in a tree whose shape follows from the group's size alone.</summary>
internal static class GroupTree
{
    /// <summary>How many threads a group may have; their number is a power of two.</summary>
    public const int Capacity = 256;

    /// <summary>
    /// Combines the values of threads t, t + apart, t + 2 · apart, … for each t below <paramref name="apart"/>. All
    /// threads of the group have to call it.
    /// </summary>
    /// <param name="reduction">How two are combined.</param>
    /// <param name="shared">Shared memory for <see cref="Capacity"/> numbers; a kernel allocates it once.</param>
    /// <param name="value">This thread's value.</param>
    /// <param name="apart">How many results there are, a power of two.</param>
    /// <returns>The result number (thread mod apart), in every thread.</returns>
    public static Scalar Combine<TReduction>(TReduction reduction, ArrayView<float> shared, Scalar value, int apart)
        where TReduction : unmanaged, IReduction
    {
        int thread = Group.IdxX;
        shared[thread] = value.Value;
        Group.Barrier();
        for (int distance = Group.DimX >> 1; distance >= apart; distance >>= 1)
        {
            if (thread < distance)
            {
                shared[thread] = reduction.Combine(new Scalar(shared[thread]), new Scalar(shared[thread + distance])).Value;
            }

            Group.Barrier();
        }

        Scalar result = new(shared[thread & (apart - 1)]);
        Group.Barrier();
        return result;
    }
}
