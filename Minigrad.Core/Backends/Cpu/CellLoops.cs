using System.Runtime.CompilerServices;
using Minigrad.Numerics;
using Minigrad.Operations;

namespace Minigrad.Backends.Cpu;

/// <summary>
/// Steps of recurrent cells: one pass over a step's rows that reads every operand once and writes every result once.
/// </summary>
/// <remarks>
/// A width that is no multiple of a vector ends in a vector that overlaps the one before: its outputs are written twice,
/// the same both times, since no output is an input. Rows narrower than a vector are computed in padded ones.
/// </remarks>
internal static class CellLoops
{
    private const MethodImplOptions Loop = MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization;

    /// <summary>About how many units one block of parallel work has.</summary>
    private const int BlockUnits = 2048;

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

    private static ref float At(Part part, int place) => ref ((CpuStorage)part.Storage).Array[part.Start + place];

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

    /// <summary>Copies the numbers of a narrow row into padded vectors.</summary>
    private static ref float Pad(Span<float> padded, int slot, int count, Part part, int place, int width, int lanes)
    {
        for (int number = 0; number < count; number++)
        {
            MemoryOf(part, place + (number * width), width).CopyTo(padded.Slice((slot + number) * lanes, lanes));
        }

        return ref padded[slot * lanes];
    }

    /// <summary>Copies the numbers of a narrow row back.</summary>
    private static void Unpad(Span<float> padded, int slot, int count, Part part, int place, int width, int lanes)
    {
        for (int number = 0; number < count; number++)
        {
            padded.Slice((slot + number) * lanes, width).CopyTo(MemoryOf(part, place + (number * width), width));
        }
    }

    private static Span<float> MemoryOf(Part part, int place, int count) =>
        ((CpuStorage)part.Storage).Array.AsSpan(part.Start + place, count);

    /// <summary>Where one row's operands begin.</summary>
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

        public ForwardRow(
            ref float input,
            ref float recurrent,
            ref float bias,
            ref float hiddenBefore,
            ref float stateBefore,
            ref float hidden,
            ref float state,
            ref float saved)
        {
            Input = ref input;
            Recurrent = ref recurrent;
            Bias = ref bias;
            HiddenBefore = ref hiddenBefore;
            StateBefore = ref stateBefore;
            Hidden = ref hidden;
            State = ref state;
            Saved = ref saved;
        }
    }

    /// <summary>Where one row's operands begin.</summary>
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
            ref float recurrentGradient)
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
            for (int row = item * block; row < end && step.Width > 0; row++)
            {
                if (step.Width < TLanes.Count)
                {
                    RunPadded<TLanes>(row);
                    continue;
                }

                int place = row * step.Width;
                int gates = place * cell.GateCount;
                ForwardRow operands = new(
                    ref At(step.Input, gates),
                    ref At(step.Recurrent, gates),
                    ref At(step.Bias, 0),
                    ref At(step.HiddenBefore, place),
                    ref At(step.StateBefore, place),
                    ref At(step.Hidden, place),
                    ref At(step.State, place),
                    ref At(step.Saved, place * cell.SavedCount));
                ForwardLanes<TCell, TLanes>(cell, operands, (nuint)step.Width);
            }
        }

        private void RunPadded<TLanes>(int row)
            where TLanes : struct, ILanes<TLanes>
        {
            const int Slots = 20;
            int lanes = TLanes.Count;
            int width = step.Width;
            int gates = cell.GateCount;
            int states = cell.HasState ? 1 : 0;
            int place = row * width;
            Span<float> padded = stackalloc float[Slots * lanes];
            padded.Clear();
            ForwardRow operands = new(
                ref Pad(padded, 0, gates, step.Input, place * gates, width, lanes),
                ref Pad(padded, 4, gates, step.Recurrent, place * gates, width, lanes),
                ref Pad(padded, 8, gates, step.Bias, 0, width, lanes),
                ref Pad(padded, 12, 1, step.HiddenBefore, place, width, lanes),
                ref Pad(padded, 13, states, step.StateBefore, place, width, lanes),
                ref padded[14 * lanes],
                ref padded[15 * lanes],
                ref padded[16 * lanes]);
            ForwardLanes<TCell, TLanes>(cell, operands, (nuint)lanes);
            Unpad(padded, 14, 1, step.Hidden, place, width, lanes);
            Unpad(padded, 15, states, step.State, place, width, lanes);
            Unpad(padded, 16, cell.SavedCount, step.Saved, place * cell.SavedCount, width, lanes);
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
            for (int row = item * block; row < end && step.Width > 0; row++)
            {
                if (step.Width < TLanes.Count)
                {
                    RunPadded<TLanes>(row);
                    continue;
                }

                int place = row * step.Width;
                int gates = place * cell.GateCount;
                BackwardRow operands = new(
                    ref At(step.Saved, place * cell.SavedCount),
                    ref At(step.HiddenBefore, place),
                    ref At(step.StateBefore, place),
                    ref At(step.OutputGradient, place),
                    ref At(step.DirectGradient, place),
                    ref At(step.GateGradient, place),
                    ref At(step.StateGradient, place),
                    ref At(step.DirectGradientBefore, place),
                    ref At(step.StateGradientBefore, place),
                    ref At(step.InputGradient, gates),
                    ref At(step.RecurrentGradient, gates));
                BackwardLanes<TCell, TLanes>(cell, operands, (nuint)step.Width);
            }
        }

        private void RunPadded<TLanes>(int row)
            where TLanes : struct, ILanes<TLanes>
        {
            const int Slots = 20;
            int lanes = TLanes.Count;
            int width = step.Width;
            int gates = cell.GateCount;
            int states = cell.HasState ? 1 : 0;
            int place = row * width;
            Span<float> padded = stackalloc float[Slots * lanes];
            padded.Clear();
            BackwardRow operands = new(
                ref Pad(padded, 0, cell.SavedCount, step.Saved, place * cell.SavedCount, width, lanes),
                ref Pad(padded, 4, 1, step.HiddenBefore, place, width, lanes),
                ref Pad(padded, 5, states, step.StateBefore, place, width, lanes),
                ref Pad(padded, 6, 1, step.OutputGradient, place, width, lanes),
                ref Pad(padded, 7, 1, step.DirectGradient, place, width, lanes),
                ref Pad(padded, 8, 1, step.GateGradient, place, width, lanes),
                ref Pad(padded, 9, states, step.StateGradient, place, width, lanes),
                ref padded[10 * lanes],
                ref padded[11 * lanes],
                ref padded[12 * lanes],
                ref padded[16 * lanes]);
            BackwardLanes<TCell, TLanes>(cell, operands, (nuint)lanes);
            Unpad(padded, 10, 1, step.DirectGradientBefore, place, width, lanes);
            Unpad(padded, 11, states, step.StateGradientBefore, place, width, lanes);
            Unpad(padded, 12, gates, step.InputGradient, place * gates, width, lanes);
            if (cell.SeparatesRecurrent)
            {
                Unpad(padded, 16, gates, step.RecurrentGradient, place * gates, width, lanes);
            }
        }
    }
}
