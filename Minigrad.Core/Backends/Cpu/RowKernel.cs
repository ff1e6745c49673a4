using System.Runtime.CompilerServices;
using Minigrad.Numerics;

namespace Minigrad.Backends.Cpu;

/// <summary>
/// One row times packed strips of B. A tile of one row has but two sums, each of which waits for its last multiply-add; here the
/// sums of several strips are under way at once, so that the time is that of reading B.
/// </summary>
/// <remarks>Each sum is the same chain of multiply-adds as in a tile (<see cref="TileKernel"/>).</remarks>
internal static class RowKernel
{
    /// <summary>How many strips go through the depth at once: 64 columns, or as many as there are registers for.</summary>
    public static int Strips => MatrixProductPlan.VectorLength == 16 ? 2 : 4;

    /// <summary>Adds the row times any number of strips.</summary>
    /// <typeparam name="TLanes">The machine's vectors.</typeparam>
    /// <param name="strips">How many strips.</param>
    /// <param name="a">The row's numbers, side by side.</param>
    /// <param name="b">The first strip: column j of step k at k · (two vectors) + j.</param>
    /// <param name="stripLength">From one strip to the next.</param>
    /// <param name="depth">How many steps, at least one.</param>
    /// <param name="sums">Two vectors for each strip, from which the sums go on.</param>
    public static void Run<TLanes>(int strips, ref float a, ref float b, nuint stripLength, nuint depth, ref float sums)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes>
    {
        while (strips > 0)
        {
            int done = AddMost<TLanes>(strips, ref a, ref b, stripLength, depth, ref sums);
            b = ref Unsafe.Add(ref b, (nuint)done * stripLength);
            sums = ref Unsafe.Add(ref sums, done * 2 * TLanes.Count);
            strips -= done;
        }
    }

    private static int AddMost<TLanes>(int strips, ref float a, ref float b, nuint stripLength, nuint depth, ref float sums)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes>
    {
        switch (strips)
        {
            case >= 4:
                Add<TLanes, TileKernel.Four>(ref a, ref b, stripLength, depth, ref sums);
                return 4;
            case >= 2:
                Add<TLanes, TileKernel.Two>(ref a, ref b, stripLength, depth, ref sums);
                return 2;
            default:
                Add<TLanes, TileKernel.One>(ref a, ref b, stripLength, depth, ref sums);
                return 1;
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void Add<TLanes, TStrips>(ref float a, ref float b, nuint stripLength, nuint depth, ref float sums)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes>
        where TStrips : struct, TileKernel.ICount
    {
        nuint width = (nuint)TLanes.Count;
        ref float b1 = ref Unsafe.Add(ref b, TStrips.Value > 1 ? stripLength : 0);
        ref float b2 = ref Unsafe.Add(ref b, TStrips.Value > 2 ? 2 * stripLength : 0);
        ref float b3 = ref Unsafe.Add(ref b, TStrips.Value > 2 ? 3 * stripLength : 0);
        TLanes c00 = TLanes.Load(in sums, 0), c01 = TLanes.Load(in sums, width);
        TLanes c10 = default, c11 = default;
        TLanes c20 = default, c21 = default;
        TLanes c30 = default, c31 = default;
        if (TStrips.Value > 1)
        {
            (c10, c11) = (TLanes.Load(in sums, 2 * width), TLanes.Load(in sums, 3 * width));
        }

        if (TStrips.Value > 2)
        {
            (c20, c21) = (TLanes.Load(in sums, 4 * width), TLanes.Load(in sums, 5 * width));
            (c30, c31) = (TLanes.Load(in sums, 6 * width), TLanes.Load(in sums, 7 * width));
        }

        nuint place = 0;
        for (nuint k = 0; k < depth; k++)
        {
            TLanes factor = Unsafe.Add(ref a, k);
            TLanes.AddProduct(factor, TLanes.Load(in b, place), ref c00);
            TLanes.AddProduct(factor, TLanes.Load(in b, place + width), ref c01);
            if (TStrips.Value > 1)
            {
                TLanes.AddProduct(factor, TLanes.Load(in b1, place), ref c10);
                TLanes.AddProduct(factor, TLanes.Load(in b1, place + width), ref c11);
            }

            if (TStrips.Value > 2)
            {
                TLanes.AddProduct(factor, TLanes.Load(in b2, place), ref c20);
                TLanes.AddProduct(factor, TLanes.Load(in b2, place + width), ref c21);
                TLanes.AddProduct(factor, TLanes.Load(in b3, place), ref c30);
                TLanes.AddProduct(factor, TLanes.Load(in b3, place + width), ref c31);
            }

            place += 2 * width;
        }

        TLanes.Store(c00, ref sums, 0);
        TLanes.Store(c01, ref sums, width);
        if (TStrips.Value > 1)
        {
            TLanes.Store(c10, ref sums, 2 * width);
            TLanes.Store(c11, ref sums, 3 * width);
        }

        if (TStrips.Value > 2)
        {
            TLanes.Store(c20, ref sums, 4 * width);
            TLanes.Store(c21, ref sums, 5 * width);
            TLanes.Store(c30, ref sums, 6 * width);
            TLanes.Store(c31, ref sums, 7 * width);
        }
    }
}
