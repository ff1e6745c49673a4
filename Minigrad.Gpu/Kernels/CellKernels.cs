using ILGPU;
using Minigrad.Numerics;
using Minigrad.Operations;

namespace Minigrad.Gpu.Kernels;

/// <summary>
/// Steps of recurrent cells: alone, one thread a unit, or with the product that they wait for, so that a step of a sequence
/// is one launch. State that a cell does not have is never touched; any view may stand in for it.
/// </summary>
internal static class CellKernels
{
    /// <summary>Moves one unit a step forward.</summary>
    public static void Forward<TCell>(
        Index1D unit, TCell cell, CellInputs inputs, ArrayView<float> recurrent, CellOutputs outputs)
        where TCell : unmanaged, IRecurrentCell
    {
        int row = unit / inputs.Width;
        int column = unit % inputs.Width;
        int gates = Place(row, cell.GateCount, column, inputs.Width);
        Move(cell, inputs, row, column, Read(cell.GateCount, recurrent, gates, inputs.Width), outputs);
    }

    /// <summary>Moves the gradients of one unit a step backward.</summary>
    public static void Backward<TCell>(
        Index1D unit, TCell cell, CellMemory memory, CellGradients gradients, ArrayView<float> throughGates, CellResults results)
        where TCell : unmanaged, IRecurrentCell
    {
        Scalar flow = new(throughGates[unit]);
        MoveBack(cell, memory, gradients, unit / memory.Width, unit % memory.Width, flow, results);
    }

    /// <summary>
    /// <see cref="Forward"/> after its product, which is h · Uᵀ: a group computes all gates of some units for some rows.
    /// </summary>
    public static void Step<TCell, TTile>(TCell cell, RecurrentProduct product, CellInputs inputs, CellOutputs outputs)
        where TCell : unmanaged, IRecurrentCell
        where TTile : unmanaged, ITile
    {
        int side = TTile.Side;
        int width = inputs.Width;
        int across = (width + side - 1) / side;
        int firstUnit = Grid.IdxX % across * side;
        int firstRow = Grid.IdxX / across * 4 * side;
        ArrayView<float> sums = SlicedSum.Compute<TTile, Strip, GateStrip>(
            product.Left,
            new Strip(firstRow * width, product.LeftRows - firstRow, width, 1),
            product.Weight,
            new GateStrip(firstUnit, width, cell.GateCount),
            0,
            width);
        for (int pair = Group.IdxX; pair < 4 * side * side; pair += Group.DimX)
        {
            int row = firstRow + (pair / side);
            int unit = firstUnit + (pair % side);
            if (row < product.Rows && unit < width)
            {
                int gate = GateStrip.GatesOfUnit * pair;
                Gates<Scalar> recurrent = new(
                    new Scalar(SlicedSum.Element<TTile>(sums, gate)),
                    new Scalar(SlicedSum.Element<TTile>(sums, gate + 1)),
                    new Scalar(SlicedSum.Element<TTile>(sums, gate + 2)),
                    new Scalar(SlicedSum.Element<TTile>(sums, gate + 3)));
                Move(cell, inputs, row, unit, recurrent, outputs);
            }
        }
    }

    /// <summary>
    /// <see cref="Backward"/> after its product, which takes the gradients of the gates of the step after through the weights.
    /// </summary>
    public static void StepBackward<TCell, TTile>(
        TCell cell, RecurrentProduct product, CellMemory memory, CellGradients gradients, CellResults results)
        where TCell : unmanaged, IRecurrentCell
        where TTile : unmanaged, ITile
    {
        int tile = 4 * TTile.Side;
        int width = memory.Width;
        int depth = cell.GateCount * width;
        int across = (width + tile - 1) / tile;
        int firstUnit = Grid.IdxX % across * tile;
        int firstRow = Grid.IdxX / across * tile;
        ArrayView<float> sums = SlicedSum.Compute<TTile, Strip, Strip>(
            product.Left,
            new Strip(firstRow * depth, product.LeftRows - firstRow, depth, 1),
            product.Weight,
            new Strip(firstUnit, width - firstUnit, 1, width),
            0,
            depth);
        for (int element = Group.IdxX; element < tile * tile; element += Group.DimX)
        {
            int row = firstRow + (element / tile);
            int unit = firstUnit + (element % tile);
            if (row < product.Rows && unit < width)
            {
                MoveBack(cell, memory, gradients, row, unit, new Scalar(SlicedSum.Element<TTile>(sums, element)), results);
            }
        }
    }

    private static void Move<TCell>(
        TCell cell, CellInputs inputs, int row, int column, Gates<Scalar> recurrent, CellOutputs outputs)
        where TCell : unmanaged, IRecurrentCell
    {
        int width = inputs.Width;
        int unit = (row * width) + column;
        Gates<Scalar> input = Read(cell.GateCount, inputs.Input, Place(row, cell.GateCount, column, width), width);
        Gates<Scalar> sum = Add(recurrent, Read(cell.GateCount, inputs.Bias, column, width));
        Scalar h = new(inputs.Hidden[unit]);
        Scalar c = default;
        if (cell.HasState)
        {
            c = new Scalar(inputs.State[unit]);
        }

        cell.Forward(input, sum, ref h, ref c, out Gates<Scalar> kept);
        outputs.Hidden[unit] = h.Value;
        if (cell.HasState)
        {
            outputs.State[unit] = c.Value;
        }

        Write(cell.SavedCount, kept, outputs.Saved, Place(row, cell.SavedCount, column, width), width);
    }

    private static void MoveBack<TCell>(
        TCell cell, CellMemory memory, CellGradients gradients, int row, int column, Scalar throughGates, CellResults results)
        where TCell : unmanaged, IRecurrentCell
    {
        int width = memory.Width;
        int unit = (row * width) + column;
        Scalar hiddenFlow = new Scalar(gradients.Output[unit]) + (new Scalar(gradients.Direct[unit]) + throughGates);
        Scalar stateFlow = default;
        Scalar c = default;
        if (cell.HasState)
        {
            stateFlow = new Scalar(gradients.State[unit]);
            c = new Scalar(memory.State[unit]);
        }

        cell.Backward(
            Read(cell.SavedCount, memory.Saved, Place(row, cell.SavedCount, column, width), width),
            new Scalar(memory.Hidden[unit]),
            c,
            ref hiddenFlow,
            ref stateFlow,
            out Gates<Scalar> input,
            out Gates<Scalar> recurrent);
        results.Direct[unit] = hiddenFlow.Value;
        if (cell.HasState)
        {
            results.State[unit] = stateFlow.Value;
        }

        int gates = Place(row, cell.GateCount, column, width);
        Write(cell.GateCount, input, results.Input, gates, width);
        if (cell.SeparatesRecurrent)
        {
            Write(cell.GateCount, recurrent, results.Recurrent, gates, width);
        }
    }

    private static int Place(int row, int count, int column, int width) => (row * width * count) + column;

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
