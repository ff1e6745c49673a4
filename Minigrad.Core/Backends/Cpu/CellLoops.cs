using System.Runtime.CompilerServices;
using Minigrad.Numerics;
using Minigrad.Operations;

namespace Minigrad.Backends.Cpu;

/// <summary>
/// Steps of recurrent cells: one pass over a step's rows that reads every operand once and writes every result once.
/// </summary>
/// <remarks>
/// A width that is no multiple of a vector ends in a vector that overlaps the one before: its outputs are written twice,
/// the same both times, since no output is an input. Rows narrower than a vector are gathered side by side first, so that
/// they fill vectors as one wide row does.
/// </remarks>
internal static class CellLoops
{
    private const MethodImplOptions Loop = MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization;

    /// <summary>About how many units one block of parallel work has.</summary>
    private const int BlockUnits = 2048;

    /// <summary>The most units of narrow rows that are gathered side by side, a multiple of any vector's length.</summary>
    private const int NarrowUnits = 64;

    /// <summary>The most numbers of a unit that a step reads or writes.</summary>
    private const int NumbersPerUnit = 20;

    /// <summary>About how many units before a row is computed it is asked for.</summary>
    private const int UnitsAhead = 256;

    /// <summary>About how much longer a unit's gate takes than an element of a plain loop.</summary>
    private const int GateCost = 4;

    /// <summary>A step forward.</summary>
    public static void Forward<TCell>(Workers workers, TCell cell, in CellForward step)
        where TCell : unmanaged, IRecurrentCell
    {
        int block = RowsPerBlock(step.Width);
        workers.For(
            (step.Rows + block - 1) / block, block * step.Width * cell.GateCount * GateCost, new ForwardBody<TCell>(cell, step));
    }

    /// <summary>A step backward.</summary>
    public static void Backward<TCell>(Workers workers, TCell cell, in CellBackward step)
        where TCell : unmanaged, IRecurrentCell
    {
        int block = RowsPerBlock(step.Width);
        workers.For(
            (step.Rows + block - 1) / block, block * step.Width * cell.GateCount * GateCost, new BackwardBody<TCell>(cell, step));
    }

    private static int RowsPerBlock(int width) => Math.Max(1, BlockUnits / Math.Max(1, width));

    /// <summary>Up to four numbers of each unit, which lie <paramref name="step"/> apart.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Gates<TLanes> Load<TLanes>(int count, ref float source, nuint place, nuint step)
        where TLanes : struct, ILanes<TLanes> => new(
            TLanes.Load(in source, place),
            count > 1 ? TLanes.Load(in source, place + step) : default,
            count > 2 ? TLanes.Load(in source, place + (2 * step)) : default,
            count > 3 ? TLanes.Load(in source, place + (3 * step)) : default);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store<TLanes>(int count, Gates<TLanes> values, ref float destination, nuint place, nuint step)
        where TLanes : struct, ILanes<TLanes>
    {
        TLanes.Store(values.First, ref destination, place);
        if (count > 1)
        {
            TLanes.Store(values.Second, ref destination, place + step);
        }

        if (count > 2)
        {
            TLanes.Store(values.Third, ref destination, place + (2 * step));
        }

        if (count > 3)
        {
            TLanes.Store(values.Fourth, ref destination, place + (3 * step));
        }
    }

    /// <summary>
    /// Asks for up to four numbers of each unit of a later row. They lie in as many parts of the row, more streams than
    /// a processor foresees in one page, and none of them is long.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Fetch(int count, ref float numbers, nuint place, nuint step, nuint unitsAhead)
    {
        place += (nuint)count * unitsAhead;
        CacheLine.Fetch(in numbers, place);
        if (count > 1)
        {
            CacheLine.Fetch(in numbers, place + step);
        }

        if (count > 2)
        {
            CacheLine.Fetch(in numbers, place + (2 * step));
        }

        if (count > 3)
        {
            CacheLine.Fetch(in numbers, place + (3 * step));
        }
    }

    /// <summary>How many units further the row lies that is asked for while one is computed; 0 if there is none left.</summary>
    private static int Ahead(int row, int rows, int width) => Math.Min(Math.Max(1, UnitsAhead / width), rows - 1 - row) * width;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Gates<TLanes> Add<TLanes>(Gates<TLanes> a, Gates<TLanes> b)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes> =>
        new(a.First + b.First, a.Second + b.Second, a.Third + b.Third, a.Fourth + b.Fourth);

    [MethodImpl(Loop)]
    private static void ForwardLanes<TCell, TLanes>(TCell cell, in ForwardRow row, nuint width)
        where TCell : unmanaged, IRecurrentCell
        where TLanes : struct, ILanes<TLanes>
    {
        int gates = cell.GateCount;
        nuint lanes = (nuint)TLanes.Count;
        nuint i = 0;
        while (true)
        {
            Fetch(gates, ref row.Input, i, width, row.Ahead);
            Fetch(cell.SavedCount, ref row.Saved, i, width, row.Ahead);
            Gates<TLanes> input = Load<TLanes>(gates, ref row.Input, i, width);
            Gates<TLanes> recurrent = Add(
                Load<TLanes>(gates, ref row.Recurrent, i, width), Load<TLanes>(gates, ref row.Bias, i, width));
            TLanes hidden = TLanes.Load(in row.HiddenBefore, i);
            TLanes state = cell.HasState ? TLanes.Load(in row.StateBefore, i) : default;
            cell.Forward(input, recurrent, ref hidden, ref state, out Gates<TLanes> saved);
            TLanes.Store(hidden, ref row.Hidden, i);
            if (cell.HasState)
            {
                TLanes.Store(state, ref row.State, i);
            }

            Store(cell.SavedCount, saved, ref row.Saved, i, width);
            if (i + lanes >= width)
            {
                return;
            }

            i = Math.Min(i + lanes, width - lanes);
        }
    }

    [MethodImpl(Loop)]
    private static void BackwardLanes<TCell, TLanes>(TCell cell, in BackwardRow row, nuint width)
        where TCell : unmanaged, IRecurrentCell
        where TLanes : struct, ILanes<TLanes>
    {
        nuint lanes = (nuint)TLanes.Count;
        nuint i = 0;
        while (true)
        {
            Fetch(cell.SavedCount, ref row.Saved, i, width, row.Ahead);
            Fetch(1, ref row.HiddenBefore, i, width, row.Ahead);
            Fetch(1, ref row.OutputGradient, i, width, row.Ahead);
            Fetch(cell.GateCount, ref row.InputGradient, i, width, row.Ahead);
            if (cell.HasState)
            {
                Fetch(1, ref row.StateBefore, i, width, row.Ahead);
            }

            if (cell.SeparatesRecurrent)
            {
                Fetch(cell.GateCount, ref row.RecurrentGradient, i, width, row.Ahead);
            }

            TLanes hiddenGradient = TLanes.Load(in row.OutputGradient, i)
                + (TLanes.Load(in row.DirectGradient, i) + TLanes.Load(in row.GateGradient, i));
            TLanes hidden = TLanes.Load(in row.HiddenBefore, i);
            TLanes state = cell.HasState ? TLanes.Load(in row.StateBefore, i) : default;
            TLanes stateGradient = cell.HasState ? TLanes.Load(in row.StateGradient, i) : default;
            cell.Backward(
                Load<TLanes>(cell.SavedCount, ref row.Saved, i, width),
                hidden,
                state,
                ref hiddenGradient,
                ref stateGradient,
                out Gates<TLanes> inputGradient,
                out Gates<TLanes> recurrentGradient);
            TLanes.Store(hiddenGradient, ref row.DirectGradientBefore, i);
            if (cell.HasState)
            {
                TLanes.Store(stateGradient, ref row.StateGradientBefore, i);
            }

            Store(cell.GateCount, inputGradient, ref row.InputGradient, i, width);
            if (cell.SeparatesRecurrent)
            {
                Store(cell.GateCount, recurrentGradient, ref row.RecurrentGradient, i, width);
            }

            if (i + lanes >= width)
            {
                return;
            }

            i = Math.Min(i + lanes, width - lanes);
        }
    }

    /// <summary>Gathers numbers of narrow rows: number n of row r to (slot + n) · units + r · width.</summary>
    private static ref float Gather(Span<float> gathered, int units, int slot, int count, Part part, int firstRow, int rows, int width)
    {
        ReadOnlySpan<float> source = MemoryOf(part, firstRow * count * width, rows * count * width);
        for (int number = 0; number < count; number++)
        {
            for (int row = 0; row < rows; row++)
            {
                source.Slice(((row * count) + number) * width, width).CopyTo(gathered[(((slot + number) * units) + (row * width))..]);
            }
        }

        return ref gathered[slot * units];
    }

    /// <summary>The reverse of <see cref="Gather"/>.</summary>
    private static void Scatter(ReadOnlySpan<float> gathered, int units, int slot, int count, Part part, int firstRow, int rows, int width)
    {
        Span<float> target = MemoryOf(part, firstRow * count * width, rows * count * width);
        for (int number = 0; number < count; number++)
        {
            for (int row = 0; row < rows; row++)
            {
                gathered.Slice(((slot + number) * units) + (row * width), width).CopyTo(target[(((row * count) + number) * width)..]);
            }
        }
    }

    /// <summary>A row that all rows share, as often as there are rows.</summary>
    private static ref float Repeat(Span<float> gathered, int units, int slot, int count, Part part, int rows, int width)
    {
        for (int row = 0; row < rows; row++)
        {
            Gather(gathered[(row * width)..], units, slot, count, part, 0, 1, width);
        }

        return ref gathered[slot * units];
    }

    private static Span<float> MemoryOf(Part part, int place, int count) =>
        ((CpuStorage)part.Storage).Array.AsSpan(part.Start + place, count);

    /// <summary>A part's numbers, looked up once for all rows of an item.</summary>
    private readonly struct Memory(Part part)
    {
        private readonly float[] array = ((CpuStorage)part.Storage).Array;
        private readonly int start = part.Start;

        public ref float At(int place) => ref array[start + place];
    }

    /// <summary>Where one row's operands begin, and how many units further the row that is asked for meanwhile.</summary>
    private readonly ref struct ForwardRow
    {
        public readonly ref float Input;
        public readonly ref float Recurrent;
        public readonly ref float Bias;
        public readonly ref float HiddenBefore;
        public readonly ref float StateBefore;
        public readonly ref float Hidden;
        public readonly ref float State;
        public readonly ref float Saved;
        public readonly nuint Ahead;

        public ForwardRow(
            ref float input,
            ref float recurrent,
            ref float bias,
            ref float hiddenBefore,
            ref float stateBefore,
            ref float hidden,
            ref float state,
            ref float saved,
            int ahead)
        {
            Input = ref input;
            Recurrent = ref recurrent;
            Bias = ref bias;
            HiddenBefore = ref hiddenBefore;
            StateBefore = ref stateBefore;
            Hidden = ref hidden;
            State = ref state;
            Saved = ref saved;
            Ahead = (nuint)ahead;
        }
    }

    /// <summary>Where one row's operands begin, and how many units further the row that is asked for meanwhile.</summary>
    private readonly ref struct BackwardRow
    {
        public readonly ref float Saved;
        public readonly ref float HiddenBefore;
        public readonly ref float StateBefore;
        public readonly ref float OutputGradient;
        public readonly ref float DirectGradient;
        public readonly ref float GateGradient;
        public readonly ref float StateGradient;
        public readonly ref float DirectGradientBefore;
        public readonly ref float StateGradientBefore;
        public readonly ref float InputGradient;
        public readonly ref float RecurrentGradient;
        public readonly nuint Ahead;

        public BackwardRow(
            ref float saved,
            ref float hiddenBefore,
            ref float stateBefore,
            ref float outputGradient,
            ref float directGradient,
            ref float gateGradient,
            ref float stateGradient,
            ref float directGradientBefore,
            ref float stateGradientBefore,
            ref float inputGradient,
            ref float recurrentGradient,
            int ahead)
        {
            Saved = ref saved;
            HiddenBefore = ref hiddenBefore;
            StateBefore = ref stateBefore;
            OutputGradient = ref outputGradient;
            DirectGradient = ref directGradient;
            GateGradient = ref gateGradient;
            StateGradient = ref stateGradient;
            DirectGradientBefore = ref directGradientBefore;
            StateGradientBefore = ref stateGradientBefore;
            InputGradient = ref inputGradient;
            RecurrentGradient = ref recurrentGradient;
            Ahead = (nuint)ahead;
        }
    }

    private readonly struct ForwardBody<TCell>(TCell cell, CellForward step) : ILoopBody
        where TCell : unmanaged, IRecurrentCell
    {
        public void Run<TLanes>(int item)
            where TLanes : struct, ILanes<TLanes>
        {
            int block = RowsPerBlock(step.Width);
            int end = Math.Min(step.Rows, (item + 1) * block);
            int narrow = step.Width < TLanes.Count ? NarrowUnits / Math.Max(1, step.Width) : 0;
            Memory input = new(step.Input);
            Memory recurrent = new(step.Recurrent);
            Memory bias = new(step.Bias);
            Memory hiddenBefore = new(step.HiddenBefore);
            Memory stateBefore = new(step.StateBefore);
            Memory hidden = new(step.Hidden);
            Memory state = new(step.State);
            Memory saved = new(step.Saved);
            for (int row = item * block; row < end && step.Width > 0; row += Math.Max(1, narrow))
            {
                if (narrow > 0)
                {
                    RunNarrow<TLanes>(row, Math.Min(narrow, end - row));
                    continue;
                }

                int place = row * step.Width;
                int gates = place * cell.GateCount;
                ForwardRow operands = new(
                    ref input.At(gates),
                    ref recurrent.At(gates),
                    ref bias.At(0),
                    ref hiddenBefore.At(place),
                    ref stateBefore.At(place),
                    ref hidden.At(place),
                    ref state.At(place),
                    ref saved.At(place * cell.SavedCount),
                    Ahead(row, step.Rows, step.Width));
                ForwardLanes<TCell, TLanes>(cell, operands, (nuint)step.Width);
            }
        }

        [SkipLocalsInit]
        private void RunNarrow<TLanes>(int row, int rows)
            where TLanes : struct, ILanes<TLanes>
        {
            int width = step.Width;
            int gates = cell.GateCount;
            int states = cell.HasState ? 1 : 0;
            int units = ((rows * width) + TLanes.Count - 1) / TLanes.Count * TLanes.Count;
            Span<float> gathered = (stackalloc float[NumbersPerUnit * NarrowUnits])[..(NumbersPerUnit * units)];
            gathered.Clear();
            ForwardRow operands = new(
                ref Gather(gathered, units, 0, gates, step.Input, row, rows, width),
                ref Gather(gathered, units, 4, gates, step.Recurrent, row, rows, width),
                ref Repeat(gathered, units, 8, gates, step.Bias, rows, width),
                ref Gather(gathered, units, 12, 1, step.HiddenBefore, row, rows, width),
                ref Gather(gathered, units, 13, states, step.StateBefore, row, rows, width),
                ref gathered[14 * units],
                ref gathered[15 * units],
                ref gathered[16 * units],
                ahead: 0);
            ForwardLanes<TCell, TLanes>(cell, operands, (nuint)units);
            Scatter(gathered, units, 14, 1, step.Hidden, row, rows, width);
            Scatter(gathered, units, 15, states, step.State, row, rows, width);
            Scatter(gathered, units, 16, cell.SavedCount, step.Saved, row, rows, width);
        }
    }

    private readonly struct BackwardBody<TCell>(TCell cell, CellBackward step) : ILoopBody
        where TCell : unmanaged, IRecurrentCell
    {
        public void Run<TLanes>(int item)
            where TLanes : struct, ILanes<TLanes>
        {
            int block = RowsPerBlock(step.Width);
            int end = Math.Min(step.Rows, (item + 1) * block);
            int narrow = step.Width < TLanes.Count ? NarrowUnits / Math.Max(1, step.Width) : 0;
            Memory saved = new(step.Saved);
            Memory hiddenBefore = new(step.HiddenBefore);
            Memory stateBefore = new(step.StateBefore);
            Memory outputGradient = new(step.OutputGradient);
            Memory directGradient = new(step.DirectGradient);
            Memory gateGradient = new(step.GateGradient);
            Memory stateGradient = new(step.StateGradient);
            Memory directGradientBefore = new(step.DirectGradientBefore);
            Memory stateGradientBefore = new(step.StateGradientBefore);
            Memory inputGradient = new(step.InputGradient);
            Memory recurrentGradient = new(step.RecurrentGradient);
            for (int row = item * block; row < end && step.Width > 0; row += Math.Max(1, narrow))
            {
                if (narrow > 0)
                {
                    RunNarrow<TLanes>(row, Math.Min(narrow, end - row));
                    continue;
                }

                int place = row * step.Width;
                int gates = place * cell.GateCount;
                BackwardRow operands = new(
                    ref saved.At(place * cell.SavedCount),
                    ref hiddenBefore.At(place),
                    ref stateBefore.At(place),
                    ref outputGradient.At(place),
                    ref directGradient.At(place),
                    ref gateGradient.At(place),
                    ref stateGradient.At(place),
                    ref directGradientBefore.At(place),
                    ref stateGradientBefore.At(place),
                    ref inputGradient.At(gates),
                    ref recurrentGradient.At(gates),
                    Ahead(row, step.Rows, step.Width));
                BackwardLanes<TCell, TLanes>(cell, operands, (nuint)step.Width);
            }
        }

        [SkipLocalsInit]
        private void RunNarrow<TLanes>(int row, int rows)
            where TLanes : struct, ILanes<TLanes>
        {
            int width = step.Width;
            int gates = cell.GateCount;
            int states = cell.HasState ? 1 : 0;
            int units = ((rows * width) + TLanes.Count - 1) / TLanes.Count * TLanes.Count;
            Span<float> gathered = (stackalloc float[NumbersPerUnit * NarrowUnits])[..(NumbersPerUnit * units)];
            gathered.Clear();
            BackwardRow operands = new(
                ref Gather(gathered, units, 0, cell.SavedCount, step.Saved, row, rows, width),
                ref Gather(gathered, units, 4, 1, step.HiddenBefore, row, rows, width),
                ref Gather(gathered, units, 5, states, step.StateBefore, row, rows, width),
                ref Gather(gathered, units, 6, 1, step.OutputGradient, row, rows, width),
                ref Gather(gathered, units, 7, 1, step.DirectGradient, row, rows, width),
                ref Gather(gathered, units, 8, 1, step.GateGradient, row, rows, width),
                ref Gather(gathered, units, 9, states, step.StateGradient, row, rows, width),
                ref gathered[10 * units],
                ref gathered[11 * units],
                ref gathered[12 * units],
                ref gathered[16 * units],
                ahead: 0);
            BackwardLanes<TCell, TLanes>(cell, operands, (nuint)units);
            Scatter(gathered, units, 10, 1, step.DirectGradientBefore, row, rows, width);
            Scatter(gathered, units, 11, states, step.StateGradientBefore, row, rows, width);
            Scatter(gathered, units, 12, gates, step.InputGradient, row, rows, width);
            if (cell.SeparatesRecurrent)
            {
                Scatter(gathered, units, 16, gates, step.RecurrentGradient, row, rows, width);
            }
        }
    }
}
