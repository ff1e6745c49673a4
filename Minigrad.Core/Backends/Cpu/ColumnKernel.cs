using System.Runtime.CompilerServices;
using Minigrad.Numerics;

namespace Minigrad.Backends.Cpu;

/// <summary>
/// One column of a matrix product, where so few are left at the right edge that a tile would compute mostly columns that do not
/// exist: 65 columns are two strips of 32 and one more. The rows of a tile, which lie side by side in A's packed form, are lanes
/// here, so that a step of the depth takes a multiply-add for all of them where <see cref="TileKernel"/> takes one for each. Four
/// tiles at once hide its latency.
/// </summary>
/// <remarks>
/// Tiles have fewer rows than there are lanes. What the others hold, the next step's numbers, is no one's result; after the last step they
/// read past the strip, so that a packed operand has to be longer by a vector. Each sum is the same chain of multiply-adds as in a tile.
/// </remarks>
internal static class ColumnKernel
{
    /// <summary>How many tiles go through the depth at once.</summary>
    public const int Tiles = 4;

    /// <summary>Adds A's rows times the column.</summary>
    /// <typeparam name="TLanes">The machine's vectors.</typeparam>
    /// <param name="tiles">How many tiles, at most <see cref="Tiles"/>.</param>
    /// <param name="a">The first tile's numbers of A: row r of step k at k · aStep + r.</param>
    /// <param name="tileLength">From one tile to the next.</param>
    /// <param name="aStep">The rows of each tile.</param>
    /// <param name="b">The column's numbers of B: step k at k · bStep.</param>
    /// <param name="bStep">From one step of the depth to the next.</param>
    /// <param name="depth">How many steps.</param>
    /// <param name="sums">A vector for each of <see cref="Tiles"/> tiles, from which its sums go on.</param>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    public static void Run<TLanes>(
        int tiles, ref float a, nuint tileLength, nuint aStep, ref float b, nuint bStep, nuint depth, ref float sums)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes>
    {
        nuint width = (nuint)TLanes.Count;
        nuint second = tiles > 1 ? tileLength : 0;
        nuint third = tiles > 2 ? 2 * tileLength : 0;
        nuint fourth = tiles > 3 ? 3 * tileLength : 0;
        TLanes sum0 = TLanes.Load(in sums, 0);
        TLanes sum1 = TLanes.Load(in sums, width);
        TLanes sum2 = TLanes.Load(in sums, 2 * width);
        TLanes sum3 = TLanes.Load(in sums, 3 * width);
        for (nuint k = 0; k < depth; k++)
        {
            TLanes factor = b;
            TLanes.AddProduct(TLanes.Load(in a, 0), factor, ref sum0);
            TLanes.AddProduct(TLanes.Load(in a, second), factor, ref sum1);
            TLanes.AddProduct(TLanes.Load(in a, third), factor, ref sum2);
            TLanes.AddProduct(TLanes.Load(in a, fourth), factor, ref sum3);
            a = ref Unsafe.Add(ref a, aStep);
            b = ref Unsafe.Add(ref b, bStep);
        }

        TLanes.Store(sum0, ref sums, 0);
        TLanes.Store(sum1, ref sums, width);
        TLanes.Store(sum2, ref sums, 2 * width);
        TLanes.Store(sum3, ref sums, 3 * width);
    }
}
