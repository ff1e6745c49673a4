using System.Runtime.CompilerServices;
using Minigrad.Numerics;

namespace Minigrad.Backends.Cpu;

/// <summary>
/// The innermost loop of a matrix product. A tile of the result, up to 12 rows by 2 vectors, stays in registers while the
/// depth is walked: each step loads 2 vectors of B and a number of A for each row, twice for some, so 24 multiply-adds share 18
/// loads, and 24 independent sums hide the multiply-add's latency. 12 × 2 sums, 2 vectors and a factor are 27 of AVX-512's
/// 32 registers; machines with 16 take 6 rows. Two steps a pass, at distances that the JIT knows where operands are packed, leave
/// few instructions besides: where another thread shares the core, they are what the multiply-adds wait for.
/// </summary>
/// <remarks>
/// The rows are written out, four at a time, because registers have no index. There is one source for all sizes: rows and vectors are type
/// arguments, so the JIT drops the sums that a size does not have. Every sum is a chain of multiply-adds over the steps from
/// first to last. So an element's bits depend on its row and its column alone, not on the tile, the block or the thread that
/// they fell into.
/// </remarks>
internal static class TileKernel
{
    private const MethodImplOptions Loop = MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization;

    /// <summary>How many steps before they are read B's numbers are asked for: a strip's part lies in the second-level cache.</summary>
    private const int StepsAhead = 16;

    /// <summary>A number that the JIT knows.</summary>
    internal interface ICount
    {
        /// <summary>The number.</summary>
        static abstract int Value { get; }
    }

    /// <summary>How far apart the operands' numbers are.</summary>
    private interface ISteps
    {
        /// <summary>From one step of the depth to the next, of A.</summary>
        nuint Left { get; }

        /// <summary>From one row of A to the next.</summary>
        nuint Row { get; }

        /// <summary>From one step of the depth to the next, of B.</summary>
        nuint Right { get; }
    }

    /// <summary>Computes a tile of any height as a few of fixed heights.</summary>
    /// <typeparam name="TLanes">The machine's vectors.</typeparam>
    /// <typeparam name="TForm">How B's numbers lie; two in the room of one are the first vector's and the second's.</typeparam>
    /// <param name="rows">The tile's rows.</param>
    /// <param name="isNarrow">Whether it is one vector wide, not two.</param>
    /// <param name="a">A's numbers: row r of step k at k · aStep + r · aRow.</param>
    /// <param name="aStep">From one step of the depth to the next.</param>
    /// <param name="aRow">From one row to the next: 1, or more if steps are 1 apart and B is packed.</param>
    /// <param name="b">B's numbers: column j of step k at k · bStep + j, or in a pair at k · bStep + (j mod the vector's length).</param>
    /// <param name="bStep">From one step of the depth to the next.</param>
    /// <param name="depth">How many steps.</param>
    /// <param name="c">The result: row r, column j at r · cStep + j.</param>
    /// <param name="cStep">From one row of the result to the next.</param>
    /// <param name="isContinued">Whether the sums go on from what the result holds.</param>
    public static void Run<TLanes, TForm>(
        int rows, bool isNarrow, ref float a, nuint aStep, nuint aRow, ref float b, nuint bStep, nuint depth, ref float c, nuint cStep, bool isContinued)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes>
        where TForm : struct, IPackedForm
    {
        while (rows > 0)
        {
            int done = isNarrow
                ? RunChooseSteps<TLanes, One, TForm>(rows, ref a, aStep, aRow, ref b, bStep, depth, ref c, cStep, isContinued)
                : RunChooseSteps<TLanes, Two, TForm>(rows, ref a, aStep, aRow, ref b, bStep, depth, ref c, cStep, isContinued);
            a = ref Unsafe.Add(ref a, (nuint)done * aRow);
            c = ref Unsafe.Add(ref c, (nuint)done * cStep);
            rows -= done;
        }
    }

    private static int RunChooseSteps<TLanes, TVectors, TForm>(
        int rows, ref float a, nuint aStep, nuint aRow, ref float b, nuint bStep, nuint depth, ref float c, nuint cStep, bool isContinued)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes>
        where TForm : struct, IPackedForm
        where TVectors : struct, ICount
    {
        switch (rows)
        {
            case >= 12:
                ChooseSteps<TLanes, Twelve, TVectors, TForm>(ref a, aStep, aRow, ref b, bStep, depth, ref c, cStep, isContinued);
                return 12;
            case >= 8:
                ChooseSteps<TLanes, Eight, TVectors, TForm>(ref a, aStep, aRow, ref b, bStep, depth, ref c, cStep, isContinued);
                return 8;
            case >= 6:
                ChooseSteps<TLanes, Six, TVectors, TForm>(ref a, aStep, aRow, ref b, bStep, depth, ref c, cStep, isContinued);
                return 6;
            case 5:
                ChooseSteps<TLanes, Five, TVectors, TForm>(ref a, aStep, aRow, ref b, bStep, depth, ref c, cStep, isContinued);
                return 5;
            case >= 4:
                ChooseSteps<TLanes, Four, TVectors, TForm>(ref a, aStep, aRow, ref b, bStep, depth, ref c, cStep, isContinued);
                return 4;
            case 3:
                ChooseSteps<TLanes, Three, TVectors, TForm>(ref a, aStep, aRow, ref b, bStep, depth, ref c, cStep, isContinued);
                return 3;
            case >= 2:
                ChooseSteps<TLanes, Two, TVectors, TForm>(ref a, aStep, aRow, ref b, bStep, depth, ref c, cStep, isContinued);
                return 2;
            default:
                ChooseSteps<TLanes, One, TVectors, TForm>(ref a, aStep, aRow, ref b, bStep, depth, ref c, cStep, isContinued);
                return 1;
        }
    }

    /// <summary>Where B is packed, and A too or its steps are 1 apart, the JIT knows the steps from one number to the next.</summary>
    private static void ChooseSteps<TLanes, TRows, TVectors, TForm>(
        ref float a, nuint aStep, nuint aRow, ref float b, nuint bStep, nuint depth, ref float c, nuint cStep, bool isContinued)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes>
        where TForm : struct, IPackedForm
        where TRows : struct, ICount
        where TVectors : struct, ICount
    {
        if (aRow != 1)
        {
            RowSteps<TLanes, TForm> apart = new(aRow);
            Tile<TLanes, TRows, TVectors, TForm, RowSteps<TLanes, TForm>>(ref a, ref b, apart, depth, ref c, cStep, isContinued);
            return;
        }

        PackedSteps<TLanes, TRows, TForm> packed = default;
        if (aStep == packed.Left && bStep == packed.Right)
        {
            Tile<TLanes, TRows, TVectors, TForm, PackedSteps<TLanes, TRows, TForm>>(ref a, ref b, packed, depth, ref c, cStep, isContinued);
            return;
        }

        Tile<TLanes, TRows, TVectors, TForm, GivenSteps>(ref a, ref b, new GivenSteps(aStep, bStep), depth, ref c, cStep, isContinued);
    }

    [MethodImpl(Loop)]
    private static void Tile<TLanes, TRows, TVectors, TForm, TSteps>(
        ref float a, ref float b, TSteps steps, nuint depth, ref float c, nuint cStep, bool isContinued)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes>
        where TForm : struct, IPackedForm
        where TRows : struct, ICount
        where TVectors : struct, ICount
        where TSteps : struct, ISteps
    {
        // Where the rows begin: constants, if the steps are.
        nuint row1 = steps.Row, row2 = 2 * steps.Row, row3 = 3 * steps.Row;
        nuint row4 = 4 * steps.Row, row5 = 5 * steps.Row, row6 = 6 * steps.Row, row7 = 7 * steps.Row;
        nuint row8 = 8 * steps.Row, row9 = 9 * steps.Row, row10 = 10 * steps.Row, row11 = 11 * steps.Row;
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
            LoadRows<TLanes, TRows, TVectors, Zero>(ref c, cStep, ref c00, ref c01, ref c10, ref c11, ref c20, ref c21, ref c30, ref c31);
            LoadRows<TLanes, TRows, TVectors, Four>(ref c, cStep, ref c40, ref c41, ref c50, ref c51, ref c60, ref c61, ref c70, ref c71);
            LoadRows<TLanes, TRows, TVectors, Eight>(ref c, cStep, ref c80, ref c81, ref c90, ref c91, ref c100, ref c101, ref c110, ref c111);
        }
        else
        {
            Fetch<TLanes, TRows, TVectors>(ref c, cStep);
        }

        do
        {
            FetchStep<TLanes, TVectors, TForm>(ref b, StepsAhead * steps.Right);
            LoadStep<TLanes, TVectors, TForm>(ref b, 0, out TLanes b0, out TLanes b1);
            AddRows<TLanes, TRows, TVectors, Zero>(ref a, 0, 0, row1, row2, row3, b0, b1, ref c00, ref c01, ref c10, ref c11, ref c20, ref c21, ref c30, ref c31);
            AddRows<TLanes, TRows, TVectors, Four>(ref a, 0, row4, row5, row6, row7, b0, b1, ref c40, ref c41, ref c50, ref c51, ref c60, ref c61, ref c70, ref c71);
            AddLastRows<TLanes, TRows, TVectors>(ref a, 0, row8, row9, row10, row11, b0, b1, ref c80, ref c81, ref c90, ref c91, ref c100, ref c101, ref c110, ref c111);
            if (--depth == 0)
            {
                break;
            }

            FetchStep<TLanes, TVectors, TForm>(ref b, (StepsAhead + 1) * steps.Right);
            LoadStep<TLanes, TVectors, TForm>(ref b, steps.Right, out b0, out b1);
            AddRows<TLanes, TRows, TVectors, Zero>(ref a, steps.Left, 0, row1, row2, row3, b0, b1, ref c00, ref c01, ref c10, ref c11, ref c20, ref c21, ref c30, ref c31);
            AddRows<TLanes, TRows, TVectors, Four>(ref a, steps.Left, row4, row5, row6, row7, b0, b1, ref c40, ref c41, ref c50, ref c51, ref c60, ref c61, ref c70, ref c71);
            AddLastRows<TLanes, TRows, TVectors>(ref a, steps.Left, row8, row9, row10, row11, b0, b1, ref c80, ref c81, ref c90, ref c91, ref c100, ref c101, ref c110, ref c111);
            a = ref Unsafe.Add(ref a, 2 * steps.Left);
            b = ref Unsafe.Add(ref b, 2 * steps.Right);
        }
        while (--depth > 0);

        StoreRows<TLanes, TRows, TVectors, Zero>(ref c, cStep, ref c00, ref c01, ref c10, ref c11, ref c20, ref c21, ref c30, ref c31);
        StoreRows<TLanes, TRows, TVectors, Four>(ref c, cStep, ref c40, ref c41, ref c50, ref c51, ref c60, ref c61, ref c70, ref c71);
        StoreRows<TLanes, TRows, TVectors, Eight>(ref c, cStep, ref c80, ref c81, ref c90, ref c91, ref c100, ref c101, ref c110, ref c111);
    }

    /// <summary>Four rows of the tile, those that there are, from the result.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void LoadRows<TLanes, TRows, TVectors, TFirst>(
        ref float c, nuint cStep,
        ref TLanes c00, ref TLanes c01, ref TLanes c10, ref TLanes c11, ref TLanes c20, ref TLanes c21, ref TLanes c30, ref TLanes c31)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes>
        where TRows : struct, ICount
        where TVectors : struct, ICount
        where TFirst : struct, ICount
    {
        if (TRows.Value > TFirst.Value)
        {
            Load<TLanes, TVectors>(ref Unsafe.Add(ref c, (nuint)TFirst.Value * cStep), out c00, out c01);
        }

        if (TRows.Value > TFirst.Value + 1)
        {
            Load<TLanes, TVectors>(ref Unsafe.Add(ref c, (nuint)(TFirst.Value + 1) * cStep), out c10, out c11);
        }

        if (TRows.Value > TFirst.Value + 2)
        {
            Load<TLanes, TVectors>(ref Unsafe.Add(ref c, (nuint)(TFirst.Value + 2) * cStep), out c20, out c21);
        }

        if (TRows.Value > TFirst.Value + 3)
        {
            Load<TLanes, TVectors>(ref Unsafe.Add(ref c, (nuint)(TFirst.Value + 3) * cStep), out c30, out c31);
        }
    }

    /// <summary>One step of the depth for four rows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddRows<TLanes, TRows, TVectors, TFirst>(
        ref float a, nuint start, nuint row0, nuint row1, nuint row2, nuint row3, TLanes b0, TLanes b1,
        ref TLanes c00, ref TLanes c01, ref TLanes c10, ref TLanes c11, ref TLanes c20, ref TLanes c21, ref TLanes c30, ref TLanes c31)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes>
        where TRows : struct, ICount
        where TVectors : struct, ICount
        where TFirst : struct, ICount
    {
        if (TRows.Value > TFirst.Value)
        {
            Add<TLanes, TVectors>(Unsafe.Add(ref Unsafe.Add(ref a, row0), start), b0, b1, ref c00, ref c01);
        }

        if (TRows.Value > TFirst.Value + 1)
        {
            Add<TLanes, TVectors>(Unsafe.Add(ref Unsafe.Add(ref a, row1), start), b0, b1, ref c10, ref c11);
        }

        if (TRows.Value > TFirst.Value + 2)
        {
            Add<TLanes, TVectors>(Unsafe.Add(ref Unsafe.Add(ref a, row2), start), b0, b1, ref c20, ref c21);
        }

        if (TRows.Value > TFirst.Value + 3)
        {
            Add<TLanes, TVectors>(Unsafe.Add(ref Unsafe.Add(ref a, row3), start), b0, b1, ref c30, ref c31);
        }
    }

    /// <summary>
    /// One step of the depth for the last four rows of a high tile, which read A in each multiply-add. That takes more reads, of
    /// which there is room for a few, and fewer instructions.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddLastRows<TLanes, TRows, TVectors>(
        ref float a, nuint start, nuint row0, nuint row1, nuint row2, nuint row3, TLanes b0, TLanes b1,
        ref TLanes c00, ref TLanes c01, ref TLanes c10, ref TLanes c11, ref TLanes c20, ref TLanes c21, ref TLanes c30, ref TLanes c31)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes>
        where TRows : struct, ICount
        where TVectors : struct, ICount
    {
        if (TRows.Value < Twelve.Value)
        {
            return;
        }

        // Each place is written out: of a reference to it the JIT would make an instruction.
        TLanes.AddProduct(in Unsafe.Add(ref Unsafe.Add(ref a, row0), start), b0, ref c00);
        if (TVectors.Value > 1)
        {
            TLanes.AddProduct(in Unsafe.Add(ref Unsafe.Add(ref a, row0), start), b1, ref c01);
        }

        TLanes.AddProduct(in Unsafe.Add(ref Unsafe.Add(ref a, row1), start), b0, ref c10);
        if (TVectors.Value > 1)
        {
            TLanes.AddProduct(in Unsafe.Add(ref Unsafe.Add(ref a, row1), start), b1, ref c11);
        }

        TLanes.AddProduct(in Unsafe.Add(ref Unsafe.Add(ref a, row2), start), b0, ref c20);
        if (TVectors.Value > 1)
        {
            TLanes.AddProduct(in Unsafe.Add(ref Unsafe.Add(ref a, row2), start), b1, ref c21);
        }

        TLanes.AddProduct(in Unsafe.Add(ref Unsafe.Add(ref a, row3), start), b0, ref c30);
        if (TVectors.Value > 1)
        {
            TLanes.AddProduct(in Unsafe.Add(ref Unsafe.Add(ref a, row3), start), b1, ref c31);
        }
    }

    /// <summary>Four rows of the tile, to the result.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreRows<TLanes, TRows, TVectors, TFirst>(
        ref float c, nuint cStep,
        ref TLanes c00, ref TLanes c01, ref TLanes c10, ref TLanes c11, ref TLanes c20, ref TLanes c21, ref TLanes c30, ref TLanes c31)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes>
        where TRows : struct, ICount
        where TVectors : struct, ICount
        where TFirst : struct, ICount
    {
        if (TRows.Value > TFirst.Value)
        {
            Store<TLanes, TVectors>(c00, c01, ref Unsafe.Add(ref c, (nuint)TFirst.Value * cStep));
        }

        if (TRows.Value > TFirst.Value + 1)
        {
            Store<TLanes, TVectors>(c10, c11, ref Unsafe.Add(ref c, (nuint)(TFirst.Value + 1) * cStep));
        }

        if (TRows.Value > TFirst.Value + 2)
        {
            Store<TLanes, TVectors>(c20, c21, ref Unsafe.Add(ref c, (nuint)(TFirst.Value + 2) * cStep));
        }

        if (TRows.Value > TFirst.Value + 3)
        {
            Store<TLanes, TVectors>(c30, c31, ref Unsafe.Add(ref c, (nuint)(TFirst.Value + 3) * cStep));
        }
    }

    /// <summary>
    /// Asks for the lines that the tile will be stored to. They arrive while the depth is walked; otherwise each store of a new
    /// result waits for its line, which in products of little depth takes as long as half of their arithmetic.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Fetch<TLanes, TRows, TVectors>(ref float c, nuint cStep)
        where TLanes : struct, ILanes<TLanes>
        where TRows : struct, ICount
        where TVectors : struct, ICount
    {
        for (int row = 0; row < TRows.Value; row++)
        {
            for (nuint i = 0; i < (nuint)(TVectors.Value * TLanes.Count); i += CacheLine.Length)
            {
                CacheLine.Fetch(in c, i);
            }

            // Rows seldom begin where a line does.
            CacheLine.Fetch(in c, (nuint)(TVectors.Value * TLanes.Count) - 1);
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

    /// <summary>
    /// Asks for B's numbers of a later step of the depth, where a vector is a whole line of the cache. Narrower ones are not read so
    /// fast, and their multiply-adds would wait for these instructions.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void FetchStep<TLanes, TVectors, TForm>(ref float b, nuint start)
        where TLanes : struct, ILanes<TLanes>
        where TVectors : struct, ICount
        where TForm : struct, IPackedForm
    {
        if (TLanes.Count < CacheLine.Length)
        {
            return;
        }

        CacheLine.Fetch(in b, start);
        if (TVectors.Value > TForm.Value)
        {
            CacheLine.Fetch(in b, start + CacheLine.Length);
        }
    }

    /// <summary>B's numbers of one step of the depth.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void LoadStep<TLanes, TVectors, TForm>(ref float b, nuint start, out TLanes first, out TLanes second)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes>
        where TVectors : struct, ICount
        where TForm : struct, IPackedForm
    {
        if (TForm.Value == 1)
        {
            first = TLanes.Load(in b, start);
            second = TVectors.Value > 1 ? TLanes.Load(in b, start + (nuint)TLanes.Count) : default;
            return;
        }

        TLanes pair = TLanes.Load(in b, start);
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

    /// <summary>Steps that are known at run time only.</summary>
    private readonly struct GivenSteps(nuint left, nuint right) : ISteps
    {
        public nuint Left => left;

        public nuint Row => 1;

        public nuint Right => right;
    }

    /// <summary>A strip of A holds the tile's rows, and a strip of B two vectors, in the room that the form takes.</summary>
    /// <remarks>The JIT inlines these only if it is told to, and a call in the loop, which saves no vector register, makes it four times as slow.</remarks>
    private readonly struct PackedSteps<TLanes, TRows, TForm> : ISteps
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes>
        where TForm : struct, IPackedForm
        where TRows : struct, ICount
    {
        public nuint Left
        {
            [MethodImpl(MethodImplOptions.AggressiveInlining)]
            get => (nuint)TRows.Value;
        }

        public nuint Row
        {
            [MethodImpl(MethodImplOptions.AggressiveInlining)]
            get => 1;
        }

        public nuint Right
        {
            [MethodImpl(MethodImplOptions.AggressiveInlining)]
            get => (nuint)(2 * TLanes.Count / TForm.Value);
        }
    }

    /// <summary>Rows of A as they lie, a step beside the next, and a strip of B.</summary>
    private readonly struct RowSteps<TLanes, TForm>(nuint row) : ISteps
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes>
        where TForm : struct, IPackedForm
    {
        public nuint Left
        {
            [MethodImpl(MethodImplOptions.AggressiveInlining)]
            get => 1;
        }

        public nuint Row
        {
            [MethodImpl(MethodImplOptions.AggressiveInlining)]
            get => row;
        }

        public nuint Right
        {
            [MethodImpl(MethodImplOptions.AggressiveInlining)]
            get => (nuint)(2 * TLanes.Count / TForm.Value);
        }
    }

    private readonly struct Zero : ICount
    {
        public static int Value => 0;
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

    internal readonly struct Six : ICount
    {
        public static int Value => 6;
    }

    private readonly struct Eight : ICount
    {
        public static int Value => 8;
    }

    internal readonly struct Twelve : ICount
    {
        public static int Value => 12;
    }
}
