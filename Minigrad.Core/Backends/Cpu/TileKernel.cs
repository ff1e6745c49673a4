using System.Runtime.CompilerServices;
using Minigrad.Numerics;

namespace Minigrad.Backends.Cpu;

/// <summary>
/// The innermost loop of a matrix product. A tile of the result, up to 12 rows by 2 vectors, stays in registers while the
/// depth is walked: each step loads 2 vectors of B and broadcasts a number of A for each row, so 24 multiply-adds share 14
/// loads, and 24 independent sums hide the multiply-add's latency. 12 × 2 sums, 2 vectors and a factor are 27 of AVX-512's
/// 32 registers; machines with 16 take 6 rows.
/// </summary>
/// <remarks>
/// There is one source for all sizes: rows and vectors are type arguments, so the JIT drops the sums that a size does
/// not have. Every sum is a chain of multiply-adds over the depth from first to last. So an element's bits depend on its row
/// and its column alone, not on the tile, the block or the thread that they fell into.
/// </remarks>
internal static class TileKernel
{
    private const MethodImplOptions Loop = MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization;

    /// <summary>A number that the JIT knows.</summary>
    internal interface ICount
    {
        /// <summary>The number.</summary>
        static abstract int Value { get; }
    }

    /// <summary>Computes a tile of any height as a few of fixed heights.</summary>
    /// <param name="rows">The tile's rows.</param>
    /// <param name="isNarrow">Whether it is one vector wide, not two.</param>
    /// <param name="a">A's numbers: row r of step k at k · aStep + r.</param>
    /// <param name="aStep">From one step of the depth to the next.</param>
    /// <param name="b">B's numbers: column j of step k at k · bStep + j.</param>
    /// <param name="bStep">From one step of the depth to the next.</param>
    /// <param name="depth">How many steps.</param>
    /// <param name="c">The result: row r, column j at r · cStep + j.</param>
    /// <param name="cStep">From one row of the result to the next.</param>
    /// <param name="isContinued">Whether the sums go on from what the result holds.</param>
    public static void Run<TLanes>(
        int rows, bool isNarrow, ref float a, nuint aStep, ref float b, nuint bStep, nuint depth, ref float c, nuint cStep, bool isContinued)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes>
    {
        while (rows > 0)
        {
            int done = isNarrow
                ? RunHighest<TLanes, One>(rows, ref a, aStep, ref b, bStep, depth, ref c, cStep, isContinued)
                : RunHighest<TLanes, Two>(rows, ref a, aStep, ref b, bStep, depth, ref c, cStep, isContinued);
            a = ref Unsafe.Add(ref a, done);
            c = ref Unsafe.Add(ref c, (nuint)done * cStep);
            rows -= done;
        }
    }

    private static int RunHighest<TLanes, TVectors>(
        int rows, ref float a, nuint aStep, ref float b, nuint bStep, nuint depth, ref float c, nuint cStep, bool isContinued)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes>
        where TVectors : struct, ICount
    {
        switch (rows)
        {
            case >= 12:
                Tile<TLanes, Twelve, TVectors>(ref a, aStep, ref b, bStep, depth, ref c, cStep, isContinued);
                return 12;
            case >= 8:
                Tile<TLanes, Eight, TVectors>(ref a, aStep, ref b, bStep, depth, ref c, cStep, isContinued);
                return 8;
            case >= 6:
                Tile<TLanes, Six, TVectors>(ref a, aStep, ref b, bStep, depth, ref c, cStep, isContinued);
                return 6;
            case >= 4:
                Tile<TLanes, Four, TVectors>(ref a, aStep, ref b, bStep, depth, ref c, cStep, isContinued);
                return 4;
            case >= 2:
                Tile<TLanes, Two, TVectors>(ref a, aStep, ref b, bStep, depth, ref c, cStep, isContinued);
                return 2;
            default:
                Tile<TLanes, One, TVectors>(ref a, aStep, ref b, bStep, depth, ref c, cStep, isContinued);
                return 1;
        }
    }

    [MethodImpl(Loop)]
    private static void Tile<TLanes, TRows, TVectors>(
        ref float a, nuint aStep, ref float b, nuint bStep, nuint depth, ref float c, nuint cStep, bool isContinued)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes>
        where TRows : struct, ICount
        where TVectors : struct, ICount
    {
        nuint width = (nuint)TLanes.Count;
        TLanes c00 = default, c01 = default;
        TLanes c10 = default, c11 = default;
        TLanes c20 = default, c21 = default;
        TLanes c30 = default, c31 = default;
        TLanes c40 = default, c41 = default;
        TLanes c50 = default, c51 = default;
        TLanes c60 = default, c61 = default;
        TLanes c70 = default, c71 = default;
        TLanes c80 = default, c81 = default;
        TLanes c90 = default, c91 = default;
        TLanes c100 = default, c101 = default;
        TLanes c110 = default, c111 = default;

        if (isContinued)
        {
            ref float start = ref c;
            c00 = TLanes.Load(in start, 0);
            c01 = TVectors.Value > 1 ? TLanes.Load(in start, width) : default;

            if (TRows.Value > 1)
            {
                start = ref Unsafe.Add(ref start, cStep);
                c10 = TLanes.Load(in start, 0);
                c11 = TVectors.Value > 1 ? TLanes.Load(in start, width) : default;
            }

            if (TRows.Value > 2)
            {
                start = ref Unsafe.Add(ref start, cStep);
                c20 = TLanes.Load(in start, 0);
                c21 = TVectors.Value > 1 ? TLanes.Load(in start, width) : default;
            }

            if (TRows.Value > 3)
            {
                start = ref Unsafe.Add(ref start, cStep);
                c30 = TLanes.Load(in start, 0);
                c31 = TVectors.Value > 1 ? TLanes.Load(in start, width) : default;
            }

            if (TRows.Value > 4)
            {
                start = ref Unsafe.Add(ref start, cStep);
                c40 = TLanes.Load(in start, 0);
                c41 = TVectors.Value > 1 ? TLanes.Load(in start, width) : default;
            }

            if (TRows.Value > 5)
            {
                start = ref Unsafe.Add(ref start, cStep);
                c50 = TLanes.Load(in start, 0);
                c51 = TVectors.Value > 1 ? TLanes.Load(in start, width) : default;
            }

            if (TRows.Value > 6)
            {
                start = ref Unsafe.Add(ref start, cStep);
                c60 = TLanes.Load(in start, 0);
                c61 = TVectors.Value > 1 ? TLanes.Load(in start, width) : default;
            }

            if (TRows.Value > 7)
            {
                start = ref Unsafe.Add(ref start, cStep);
                c70 = TLanes.Load(in start, 0);
                c71 = TVectors.Value > 1 ? TLanes.Load(in start, width) : default;
            }

            if (TRows.Value > 8)
            {
                start = ref Unsafe.Add(ref start, cStep);
                c80 = TLanes.Load(in start, 0);
                c81 = TVectors.Value > 1 ? TLanes.Load(in start, width) : default;
            }

            if (TRows.Value > 9)
            {
                start = ref Unsafe.Add(ref start, cStep);
                c90 = TLanes.Load(in start, 0);
                c91 = TVectors.Value > 1 ? TLanes.Load(in start, width) : default;
            }

            if (TRows.Value > 10)
            {
                start = ref Unsafe.Add(ref start, cStep);
                c100 = TLanes.Load(in start, 0);
                c101 = TVectors.Value > 1 ? TLanes.Load(in start, width) : default;
            }

            if (TRows.Value > 11)
            {
                start = ref Unsafe.Add(ref start, cStep);
                c110 = TLanes.Load(in start, 0);
                c111 = TVectors.Value > 1 ? TLanes.Load(in start, width) : default;
            }
        }

        for (nuint k = 0; k < depth; k++)
        {
            TLanes b0 = TLanes.Load(in b, 0);
            TLanes b1 = TVectors.Value > 1 ? TLanes.Load(in b, width) : default;
            TLanes factor;
            factor = a;
            c00 = TLanes.MultiplyAdd(factor, b0, c00);
            c01 = TVectors.Value > 1 ? TLanes.MultiplyAdd(factor, b1, c01) : default;

            if (TRows.Value > 1)
            {
                factor = Unsafe.Add(ref a, 1);
                c10 = TLanes.MultiplyAdd(factor, b0, c10);
                c11 = TVectors.Value > 1 ? TLanes.MultiplyAdd(factor, b1, c11) : default;
            }

            if (TRows.Value > 2)
            {
                factor = Unsafe.Add(ref a, 2);
                c20 = TLanes.MultiplyAdd(factor, b0, c20);
                c21 = TVectors.Value > 1 ? TLanes.MultiplyAdd(factor, b1, c21) : default;
            }

            if (TRows.Value > 3)
            {
                factor = Unsafe.Add(ref a, 3);
                c30 = TLanes.MultiplyAdd(factor, b0, c30);
                c31 = TVectors.Value > 1 ? TLanes.MultiplyAdd(factor, b1, c31) : default;
            }

            if (TRows.Value > 4)
            {
                factor = Unsafe.Add(ref a, 4);
                c40 = TLanes.MultiplyAdd(factor, b0, c40);
                c41 = TVectors.Value > 1 ? TLanes.MultiplyAdd(factor, b1, c41) : default;
            }

            if (TRows.Value > 5)
            {
                factor = Unsafe.Add(ref a, 5);
                c50 = TLanes.MultiplyAdd(factor, b0, c50);
                c51 = TVectors.Value > 1 ? TLanes.MultiplyAdd(factor, b1, c51) : default;
            }

            if (TRows.Value > 6)
            {
                factor = Unsafe.Add(ref a, 6);
                c60 = TLanes.MultiplyAdd(factor, b0, c60);
                c61 = TVectors.Value > 1 ? TLanes.MultiplyAdd(factor, b1, c61) : default;
            }

            if (TRows.Value > 7)
            {
                factor = Unsafe.Add(ref a, 7);
                c70 = TLanes.MultiplyAdd(factor, b0, c70);
                c71 = TVectors.Value > 1 ? TLanes.MultiplyAdd(factor, b1, c71) : default;
            }

            if (TRows.Value > 8)
            {
                factor = Unsafe.Add(ref a, 8);
                c80 = TLanes.MultiplyAdd(factor, b0, c80);
                c81 = TVectors.Value > 1 ? TLanes.MultiplyAdd(factor, b1, c81) : default;
            }

            if (TRows.Value > 9)
            {
                factor = Unsafe.Add(ref a, 9);
                c90 = TLanes.MultiplyAdd(factor, b0, c90);
                c91 = TVectors.Value > 1 ? TLanes.MultiplyAdd(factor, b1, c91) : default;
            }

            if (TRows.Value > 10)
            {
                factor = Unsafe.Add(ref a, 10);
                c100 = TLanes.MultiplyAdd(factor, b0, c100);
                c101 = TVectors.Value > 1 ? TLanes.MultiplyAdd(factor, b1, c101) : default;
            }

            if (TRows.Value > 11)
            {
                factor = Unsafe.Add(ref a, 11);
                c110 = TLanes.MultiplyAdd(factor, b0, c110);
                c111 = TVectors.Value > 1 ? TLanes.MultiplyAdd(factor, b1, c111) : default;
            }

            a = ref Unsafe.Add(ref a, aStep);
            b = ref Unsafe.Add(ref b, bStep);
        }

        Store<TLanes, TVectors>(c00, c01, ref c);

        if (TRows.Value > 1)
        {
            c = ref Unsafe.Add(ref c, cStep);
            Store<TLanes, TVectors>(c10, c11, ref c);
        }

        if (TRows.Value > 2)
        {
            c = ref Unsafe.Add(ref c, cStep);
            Store<TLanes, TVectors>(c20, c21, ref c);
        }

        if (TRows.Value > 3)
        {
            c = ref Unsafe.Add(ref c, cStep);
            Store<TLanes, TVectors>(c30, c31, ref c);
        }

        if (TRows.Value > 4)
        {
            c = ref Unsafe.Add(ref c, cStep);
            Store<TLanes, TVectors>(c40, c41, ref c);
        }

        if (TRows.Value > 5)
        {
            c = ref Unsafe.Add(ref c, cStep);
            Store<TLanes, TVectors>(c50, c51, ref c);
        }

        if (TRows.Value > 6)
        {
            c = ref Unsafe.Add(ref c, cStep);
            Store<TLanes, TVectors>(c60, c61, ref c);
        }

        if (TRows.Value > 7)
        {
            c = ref Unsafe.Add(ref c, cStep);
            Store<TLanes, TVectors>(c70, c71, ref c);
        }

        if (TRows.Value > 8)
        {
            c = ref Unsafe.Add(ref c, cStep);
            Store<TLanes, TVectors>(c80, c81, ref c);
        }

        if (TRows.Value > 9)
        {
            c = ref Unsafe.Add(ref c, cStep);
            Store<TLanes, TVectors>(c90, c91, ref c);
        }

        if (TRows.Value > 10)
        {
            c = ref Unsafe.Add(ref c, cStep);
            Store<TLanes, TVectors>(c100, c101, ref c);
        }

        if (TRows.Value > 11)
        {
            c = ref Unsafe.Add(ref c, cStep);
            Store<TLanes, TVectors>(c110, c111, ref c);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store<TLanes, TVectors>(TLanes first, TLanes second, ref float c)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes>
        where TVectors : struct, ICount
    {
        TLanes.Store(first, ref c, 0);
        if (TVectors.Value > 1)
        {
            TLanes.Store(second, ref c, (nuint)TLanes.Count);
        }
    }

    private readonly struct One : ICount
    {
        public static int Value => 1;
    }

    private readonly struct Two : ICount
    {
        public static int Value => 2;
    }

    private readonly struct Four : ICount
    {
        public static int Value => 4;
    }

    private readonly struct Six : ICount
    {
        public static int Value => 6;
    }

    private readonly struct Eight : ICount
    {
        public static int Value => 8;
    }

    private readonly struct Twelve : ICount
    {
        public static int Value => 12;
    }
}
