using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;
using Minigrad.Numerics;

namespace Minigrad.Backends.Cpu;

/// <summary>
/// The innermost loop of a matrix product. A tile of the result, up to 12 rows by 2 vectors, stays in registers while the
/// depth is walked: each step loads 2 vectors of B and broadcasts a number of A for each row, so 24 multiply-adds share 14
/// loads, and 24 independent sums hide the multiply-add's latency. 12 × 2 sums, 2 vectors and a factor are 27 of AVX-512's
/// 32 registers; machines with 16 take 6 rows.
/// </summary>
/// <remarks>
/// The rows are written out because registers have no index. There is one source for all sizes: rows and vectors are type
/// arguments, so the JIT drops the sums that a size does not have. Every sum is a chain of multiply-adds over the depth from
/// first to last. So an element's bits depend on its row and its column alone, not on the tile, the block or the thread that
/// they fell into.
/// </remarks>
internal static class TileKernel
{
    private const MethodImplOptions Loop = MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization;

    /// <summary>Numbers in a line of the cache.</summary>
    private const int LineLength = 16;

    /// <summary>A number that the JIT knows.</summary>
    internal interface ICount
    {
        /// <summary>The number.</summary>
        static abstract int Value { get; }
    }

    /// <summary>Computes a tile of any height as a few of fixed heights.</summary>
    /// <typeparam name="TLanes">The machine's vectors.</typeparam>
    /// <typeparam name="TForm">How B's numbers lie; two in the room of one are the first vector's and the second's.</typeparam>
    /// <param name="rows">The tile's rows.</param>
    /// <param name="isNarrow">Whether it is one vector wide, not two.</param>
    /// <param name="a">A's numbers: row r of step k at k · aStep + r.</param>
    /// <param name="aStep">From one step of the depth to the next.</param>
    /// <param name="b">B's numbers: column j of step k at k · bStep + j, or in a pair at k · bStep + (j mod the vector's length).</param>
    /// <param name="bStep">From one step of the depth to the next.</param>
    /// <param name="depth">How many steps.</param>
    /// <param name="c">The result: row r, column j at r · cStep + j.</param>
    /// <param name="cStep">From one row of the result to the next.</param>
    /// <param name="isContinued">Whether the sums go on from what the result holds.</param>
    public static void Run<TLanes, TForm>(
        int rows, bool isNarrow, ref float a, nuint aStep, ref float b, nuint bStep, nuint depth, ref float c, nuint cStep, bool isContinued)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes>
        where TForm : struct, IPackedForm
    {
        while (rows > 0)
        {
            int done = isNarrow
                ? RunHighest<TLanes, One, TForm>(rows, ref a, aStep, ref b, bStep, depth, ref c, cStep, isContinued)
                : RunHighest<TLanes, Two, TForm>(rows, ref a, aStep, ref b, bStep, depth, ref c, cStep, isContinued);
            a = ref Unsafe.Add(ref a, done);
            c = ref Unsafe.Add(ref c, (nuint)done * cStep);
            rows -= done;
        }
    }

    private static int RunHighest<TLanes, TVectors, TForm>(
        int rows, ref float a, nuint aStep, ref float b, nuint bStep, nuint depth, ref float c, nuint cStep, bool isContinued)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes>
        where TForm : struct, IPackedForm
        where TVectors : struct, ICount
    {
        switch (rows)
        {
            case >= 12:
                Tile<TLanes, Twelve, TVectors, TForm>(ref a, aStep, ref b, bStep, depth, ref c, cStep, isContinued);
                return 12;
            case >= 8:
                Tile<TLanes, Eight, TVectors, TForm>(ref a, aStep, ref b, bStep, depth, ref c, cStep, isContinued);
                return 8;
            case >= 6:
                Tile<TLanes, Six, TVectors, TForm>(ref a, aStep, ref b, bStep, depth, ref c, cStep, isContinued);
                return 6;
            case 5:
                Tile<TLanes, Five, TVectors, TForm>(ref a, aStep, ref b, bStep, depth, ref c, cStep, isContinued);
                return 5;
            case >= 4:
                Tile<TLanes, Four, TVectors, TForm>(ref a, aStep, ref b, bStep, depth, ref c, cStep, isContinued);
                return 4;
            case 3:
                Tile<TLanes, Three, TVectors, TForm>(ref a, aStep, ref b, bStep, depth, ref c, cStep, isContinued);
                return 3;
            case >= 2:
                Tile<TLanes, Two, TVectors, TForm>(ref a, aStep, ref b, bStep, depth, ref c, cStep, isContinued);
                return 2;
            default:
                Tile<TLanes, One, TVectors, TForm>(ref a, aStep, ref b, bStep, depth, ref c, cStep, isContinued);
                return 1;
        }
    }

    [MethodImpl(Loop)]
    private static void Tile<TLanes, TRows, TVectors, TForm>(
        ref float a, nuint aStep, ref float b, nuint bStep, nuint depth, ref float c, nuint cStep, bool isContinued)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes>
        where TForm : struct, IPackedForm
        where TRows : struct, ICount
        where TVectors : struct, ICount
    {
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
            Load<TLanes, TVectors>(ref c, out c00, out c01);
            if (TRows.Value > 1)
            {
                Load<TLanes, TVectors>(ref Unsafe.Add(ref c, cStep), out c10, out c11);
            }

            if (TRows.Value > 2)
            {
                Load<TLanes, TVectors>(ref Unsafe.Add(ref c, 2 * cStep), out c20, out c21);
            }

            if (TRows.Value > 3)
            {
                Load<TLanes, TVectors>(ref Unsafe.Add(ref c, 3 * cStep), out c30, out c31);
            }

            if (TRows.Value > 4)
            {
                Load<TLanes, TVectors>(ref Unsafe.Add(ref c, 4 * cStep), out c40, out c41);
            }

            if (TRows.Value > 5)
            {
                Load<TLanes, TVectors>(ref Unsafe.Add(ref c, 5 * cStep), out c50, out c51);
            }

            if (TRows.Value > 6)
            {
                Load<TLanes, TVectors>(ref Unsafe.Add(ref c, 6 * cStep), out c60, out c61);
            }

            if (TRows.Value > 7)
            {
                Load<TLanes, TVectors>(ref Unsafe.Add(ref c, 7 * cStep), out c70, out c71);
            }

            if (TRows.Value > 8)
            {
                Load<TLanes, TVectors>(ref Unsafe.Add(ref c, 8 * cStep), out c80, out c81);
            }

            if (TRows.Value > 9)
            {
                Load<TLanes, TVectors>(ref Unsafe.Add(ref c, 9 * cStep), out c90, out c91);
            }

            if (TRows.Value > 10)
            {
                Load<TLanes, TVectors>(ref Unsafe.Add(ref c, 10 * cStep), out c100, out c101);
            }

            if (TRows.Value > 11)
            {
                Load<TLanes, TVectors>(ref Unsafe.Add(ref c, 11 * cStep), out c110, out c111);
            }
        }
        else
        {
            Fetch<TLanes, TRows, TVectors>(ref c, cStep);
        }

        do
        {
            LoadStep<TLanes, TVectors, TForm>(ref b, out TLanes b0, out TLanes b1);
            Add<TLanes, TVectors>(a, b0, b1, ref c00, ref c01);
            if (TRows.Value > 1)
            {
                Add<TLanes, TVectors>(Unsafe.Add(ref a, 1), b0, b1, ref c10, ref c11);
            }

            if (TRows.Value > 2)
            {
                Add<TLanes, TVectors>(Unsafe.Add(ref a, 2), b0, b1, ref c20, ref c21);
            }

            if (TRows.Value > 3)
            {
                Add<TLanes, TVectors>(Unsafe.Add(ref a, 3), b0, b1, ref c30, ref c31);
            }

            if (TRows.Value > 4)
            {
                Add<TLanes, TVectors>(Unsafe.Add(ref a, 4), b0, b1, ref c40, ref c41);
            }

            if (TRows.Value > 5)
            {
                Add<TLanes, TVectors>(Unsafe.Add(ref a, 5), b0, b1, ref c50, ref c51);
            }

            if (TRows.Value > 6)
            {
                Add<TLanes, TVectors>(Unsafe.Add(ref a, 6), b0, b1, ref c60, ref c61);
            }

            if (TRows.Value > 7)
            {
                Add<TLanes, TVectors>(Unsafe.Add(ref a, 7), b0, b1, ref c70, ref c71);
            }

            if (TRows.Value > 8)
            {
                Add<TLanes, TVectors>(Unsafe.Add(ref a, 8), b0, b1, ref c80, ref c81);
            }

            if (TRows.Value > 9)
            {
                Add<TLanes, TVectors>(Unsafe.Add(ref a, 9), b0, b1, ref c90, ref c91);
            }

            if (TRows.Value > 10)
            {
                Add<TLanes, TVectors>(Unsafe.Add(ref a, 10), b0, b1, ref c100, ref c101);
            }

            if (TRows.Value > 11)
            {
                Add<TLanes, TVectors>(Unsafe.Add(ref a, 11), b0, b1, ref c110, ref c111);
            }

            a = ref Unsafe.Add(ref a, aStep);
            b = ref Unsafe.Add(ref b, bStep);
        }
        while (--depth > 0);

        Store<TLanes, TVectors>(c00, c01, ref c);
        if (TRows.Value > 1)
        {
            Store<TLanes, TVectors>(c10, c11, ref Unsafe.Add(ref c, cStep));
        }

        if (TRows.Value > 2)
        {
            Store<TLanes, TVectors>(c20, c21, ref Unsafe.Add(ref c, 2 * cStep));
        }

        if (TRows.Value > 3)
        {
            Store<TLanes, TVectors>(c30, c31, ref Unsafe.Add(ref c, 3 * cStep));
        }

        if (TRows.Value > 4)
        {
            Store<TLanes, TVectors>(c40, c41, ref Unsafe.Add(ref c, 4 * cStep));
        }

        if (TRows.Value > 5)
        {
            Store<TLanes, TVectors>(c50, c51, ref Unsafe.Add(ref c, 5 * cStep));
        }

        if (TRows.Value > 6)
        {
            Store<TLanes, TVectors>(c60, c61, ref Unsafe.Add(ref c, 6 * cStep));
        }

        if (TRows.Value > 7)
        {
            Store<TLanes, TVectors>(c70, c71, ref Unsafe.Add(ref c, 7 * cStep));
        }

        if (TRows.Value > 8)
        {
            Store<TLanes, TVectors>(c80, c81, ref Unsafe.Add(ref c, 8 * cStep));
        }

        if (TRows.Value > 9)
        {
            Store<TLanes, TVectors>(c90, c91, ref Unsafe.Add(ref c, 9 * cStep));
        }

        if (TRows.Value > 10)
        {
            Store<TLanes, TVectors>(c100, c101, ref Unsafe.Add(ref c, 10 * cStep));
        }

        if (TRows.Value > 11)
        {
            Store<TLanes, TVectors>(c110, c111, ref Unsafe.Add(ref c, 11 * cStep));
        }
    }

    /// <summary>
    /// Asks for the lines that the tile will be stored to. They arrive while the depth is walked; otherwise each store of a new
    /// result waits for its line, which in products of little depth takes as long as half of their arithmetic.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static unsafe void Fetch<TLanes, TRows, TVectors>(ref float c, nuint cStep)
        where TLanes : struct, ILanes<TLanes>
        where TRows : struct, ICount
        where TVectors : struct, ICount
    {
        if (!Sse.IsSupported)
        {
            return;
        }

        for (int row = 0; row < TRows.Value; row++)
        {
            for (int i = 0; i < TVectors.Value * TLanes.Count; i += LineLength)
            {
                Sse.Prefetch0(Unsafe.AsPointer(ref Unsafe.Add(ref c, i)));
            }

            // Rows seldom begin where a line does.
            Sse.Prefetch0(Unsafe.AsPointer(ref Unsafe.Add(ref c, (TVectors.Value * TLanes.Count) - 1)));
            c = ref Unsafe.Add(ref c, cStep);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Load<TLanes, TVectors>(ref float c, out TLanes first, out TLanes second)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes>
        where TVectors : struct, ICount
    {
        first = TLanes.Load(in c, 0);
        second = TVectors.Value > 1 ? TLanes.Load(in c, (nuint)TLanes.Count) : default;
    }

    /// <summary>B's numbers of one step of the depth.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void LoadStep<TLanes, TVectors, TForm>(ref float b, out TLanes first, out TLanes second)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes>
        where TVectors : struct, ICount
        where TForm : struct, IPackedForm
    {
        if (TForm.Value == 1)
        {
            Load<TLanes, TVectors>(ref b, out first, out second);
            return;
        }

        TLanes pair = TLanes.Load(in b, 0);
        first = TLanes.LowOfPair(pair, TForm.SpareBits);
        second = TVectors.Value > 1 ? TLanes.HighOfPair(pair, TForm.SpareBits) : default;
    }

    /// <summary>One step of the depth for one row.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Add<TLanes, TVectors>(TLanes factor, TLanes b0, TLanes b1, ref TLanes first, ref TLanes second)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes>
        where TVectors : struct, ICount
    {
        TLanes.AddProduct(factor, b0, ref first);
        if (TVectors.Value > 1)
        {
            TLanes.AddProduct(factor, b1, ref second);
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

    internal readonly struct One : ICount
    {
        public static int Value => 1;
    }

    internal readonly struct Two : ICount
    {
        public static int Value => 2;
    }

    private readonly struct Three : ICount
    {
        public static int Value => 3;
    }

    internal readonly struct Four : ICount
    {
        public static int Value => 4;
    }

    private readonly struct Five : ICount
    {
        public static int Value => 5;
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
