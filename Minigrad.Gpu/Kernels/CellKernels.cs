using ILGPU;
using Minigrad.Numerics;
using Minigrad.Operations;

namespace Minigrad.Gpu.Kernels;

/// <summary>Steps of recurrent cells, one thread a unit.</summary>
internal static class CellKernels
{
    /// <summary>Moves one unit a step forward. State that the cell does not have is never touched; any view may stand in for it.</summary>
    public static void Forward<TCell>(
        Index1D unit, TCell cell, CellInputs inputs, ArrayView<float> hidden, ArrayView<float> state, ArrayView<float> saved)
        where TCell : unmanaged, IRecurrentCell
    {
        int width = inputs.Width;
        int row = unit / width;
        int column = unit % width;
        int gates = (row * width * cell.GateCount) + column;
        Gates<Scalar> input = Read(cell.GateCount, inputs.Input, gates, width);
        Gates<Scalar> recurrent = Add(
            Read(cell.GateCount, inputs.Recurrent, gates, width), Read(cell.GateCount, inputs.Bias, column, width));
        Scalar h = new(inputs.Hidden[unit]);
        Scalar c = default;
        if (cell.HasState)
        {
            c = new Scalar(inputs.State[unit]);
        }

        cell.Forward(input, recurrent, ref h, ref c, out Gates<Scalar> kept);
        hidden[unit] = h.Value;
        if (cell.HasState)
        {
            state[unit] = c.Value;
        }

        Write(cell.SavedCount, kept, saved, (row * width * cell.SavedCount) + column, width);
    }

    /// <summary>Moves the gradients of one unit a step backward.</summary>
    public static void Backward<TCell>(
        Index1D unit,
        TCell cell,
        CellMemory memory,
        CellGradients gradients,
        ArrayView<float> directBefore,
        ArrayView<float> stateBefore,
        ArrayView<float> inputGradient,
        ArrayView<float> recurrentGradient)
        where TCell : unmanaged, IRecurrentCell
    {
        int width = memory.Width;
        int row = unit / width;
        int column = unit % width;
        Scalar hiddenFlow = new(gradients.Output[unit] + (gradients.Direct[unit] + gradients.ThroughGates[unit]));
        Scalar stateFlow = default;
        Scalar c = default;
        if (cell.HasState)
        {
            stateFlow = new Scalar(gradients.State[unit]);
            c = new Scalar(memory.State[unit]);
        }

        cell.Backward(
            Read(cell.SavedCount, memory.Saved, (row * width * cell.SavedCount) + column, width),
            new Scalar(memory.Hidden[unit]),
            c,
            ref hiddenFlow,
            ref stateFlow,
            out Gates<Scalar> input,
            out Gates<Scalar> recurrent);
        directBefore[unit] = hiddenFlow.Value;
        if (cell.HasState)
        {
            stateBefore[unit] = stateFlow.Value;
        }

        int gates = (row * width * cell.GateCount) + column;
        Write(cell.GateCount, input, inputGradient, gates, width);
        if (cell.SeparatesRecurrent)
        {
            Write(cell.GateCount, recurrent, recurrentGradient, gates, width);
        }
    }

    private static Gates<Scalar> Read(int count, ArrayView<float> values, int place, int step)
    {
        Scalar second = default;
        Scalar third = default;
        Scalar fourth = default;
        if (count > 1)
        {
            second = new Scalar(values[place + step]);
        }

        if (count > 2)
        {
            third = new Scalar(values[place + (2 * step)]);
        }

        if (count > 3)
        {
            fourth = new Scalar(values[place + (3 * step)]);
        }

        return new Gates<Scalar>(new Scalar(values[place]), second, third, fourth);
    }

    private static void Write(int count, Gates<Scalar> gates, ArrayView<float> values, int place, int step)
    {
        values[place] = gates.First.Value;
        if (count > 1)
        {
            values[place + step] = gates.Second.Value;
        }

        if (count > 2)
        {
            values[place + (2 * step)] = gates.Third.Value;
        }

        if (count > 3)
        {
            values[place + (3 * step)] = gates.Fourth.Value;
        }
    }

    private static Gates<Scalar> Add(Gates<Scalar> a, Gates<Scalar> b) =>
        new(a.First + b.First, a.Second + b.Second, a.Third + b.Third, a.Fourth + b.Fourth);
}
