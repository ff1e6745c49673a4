using Minigrad.Backends;
using Minigrad.Backends.Cpu;
using Minigrad.Numerics;
using Minigrad.Operations;

namespace Minigrad.Tests.Backends;

/// <summary>
/// The loops over recurrent cells against the plain version: one unit after another, in single numbers. Widths below a
/// vector (in blocks that are filled and not), of whole vectors, and with an end that overlaps.
/// </summary>
[Trait(SuiteBackend.Trait, SuiteBackend.CpuOnly)]
public sealed class CellTests
{
    public static TheoryData<int, int> Sizes =>
        new() { { 1, 1 }, { 3, 5 }, { 2, 16 }, { 5, 17 }, { 3, 31 }, { 2, 48 }, { 7, 100 }, { 0, 4 }, { 90, 130 },
            { 70, 1 }, { 33, 3 }, { 40, 4 }, { 5, 7 }, { 1100, 2 } };

    [Theory]
    [MemberData(nameof(Sizes))]
    public void Loops_agree_with_the_plain_version(int rows, int width)
    {
        Check(default(LstmCell), rows, width);
        Check(default(GruCell), rows, width);
        Check(default(ElmanCell<HyperbolicTangent>), rows, width);
    }

    private static void Check<TCell>(TCell cell, int rows, int width)
        where TCell : unmanaged, IRecurrentCell
    {
        CellOperands operands = new(CpuBackend.Instance, rows, width, cell.GateCount, cell.SavedCount);
        CellForward forward = operands.Forward;
        CpuBackend.Instance.Cell(cell, forward);
        CellBackward backward = operands.Backward;
        CpuBackend.Instance.CellBackward(cell, backward);
        for (int row = 0; row < rows; row++)
        {
            for (int column = 0; column < width; column++)
            {
                Plain(cell, forward, backward, row, column);
            }
        }
    }

    private static void Plain<TCell>(TCell cell, CellForward forward, CellBackward backward, int row, int column)
        where TCell : unmanaged, IRecurrentCell
    {
        int width = forward.Width;
        int unit = (row * width) + column;
        float At(Part part, int place) => ((CpuStorage)part.Storage).Array[part.Start + place];
        Gates<Scalar> Read(Part part, int line, int count)
        {
            Scalar Gate(int gate) => gate < count ? At(part, (line * count * width) + (gate * width) + column) : 0f;
            return new Gates<Scalar>(Gate(0), Gate(1), Gate(2), Gate(3));
        }

        void Same(float expected, float actual) =>
            Assert.True(MathF.Abs(expected - actual) <= 2e-6f * (1f + MathF.Abs(expected)), $"{typeof(TCell).Name} [{row}, {column}] of width {width}: {actual}, expected {expected}");

        void SameGates(Gates<Scalar> expected, Part part, int count)
        {
            Gates<Scalar> actual = Read(part, row, count);
            Same(expected.First.Value, actual.First.Value);
            Same(count > 1 ? expected.Second.Value : 0f, actual.Second.Value);
            Same(count > 2 ? expected.Third.Value : 0f, actual.Third.Value);
            Same(count > 3 ? expected.Fourth.Value : 0f, actual.Fourth.Value);
        }

        Gates<Scalar> recurrent = Read(forward.Recurrent, row, cell.GateCount);
        Gates<Scalar> bias = Read(forward.Bias, 0, cell.GateCount);
        recurrent = new(
            recurrent.First + bias.First, recurrent.Second + bias.Second, recurrent.Third + bias.Third, recurrent.Fourth + bias.Fourth);
        Scalar h = At(forward.HiddenBefore, unit);
        Scalar c = At(forward.StateBefore, unit);
        cell.Forward(Read(forward.Input, row, cell.GateCount), recurrent, ref h, ref c, out Gates<Scalar> saved);
        Same(h.Value, At(forward.Hidden, unit));
        SameGates(saved, forward.Saved, cell.SavedCount);

        Scalar hiddenFlow = At(backward.OutputGradient, unit) + (At(backward.DirectGradient, unit) + At(backward.GateGradient, unit));
        Scalar stateFlow = At(backward.StateGradient, unit);
        cell.Backward(
            saved,
            At(backward.HiddenBefore, unit),
            At(backward.StateBefore, unit),
            ref hiddenFlow,
            ref stateFlow,
            out Gates<Scalar> input,
            out Gates<Scalar> back);
        Same(hiddenFlow.Value, At(backward.DirectGradientBefore, unit));
        SameGates(input, backward.InputGradient, cell.GateCount);
        if (cell.SeparatesRecurrent)
        {
            SameGates(back, backward.RecurrentGradient, cell.GateCount);
        }

        if (cell.HasState)
        {
            Same(c.Value, At(forward.State, unit));
            Same(stateFlow.Value, At(backward.StateGradientBefore, unit));
        }
    }
}
