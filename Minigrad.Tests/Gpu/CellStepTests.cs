using Minigrad.Backends;
using Minigrad.Backends.Cpu;
using Minigrad.Gpu;
using Minigrad.Numerics;
using Minigrad.Operations;
using Minigrad.Tests.Backends;

namespace Minigrad.Tests.Gpu;

/// <summary>A step of a recurrent layer in one launch, held against its product and its cell on the CPU.</summary>
public sealed class CellStepTests(GpuFixture fixture) : IClassFixture<GpuFixture>
{
    private GpuBackend Gpu => fixture.Backend;

    public static TheoryData<int, int, int> Sizes => new()
    {
        { 1, 1, 1 }, { 3, 5, 2 }, { 2, 17, 0 }, { 9, 8, 9 }, { 33, 4, 31 }, { 0, 4, 0 },
    };

    [Theory]
    [MemberData(nameof(Sizes))]
    public void Every_cell_makes_a_step(int rows, int width, int rowsAfter)
    {
        Check(default(LstmCell), rows, width, rowsAfter);
        Check(default(GruCell), rows, width, rowsAfter);
        Check(default(ElmanCell<HyperbolicTangent>), rows, width, rowsAfter);
    }

    [Fact]
    public void A_step_is_one_launch()
    {
        CellOperands operands = new(Gpu, 3, 5, 4, 4);
        Storage weight = Numbers(Gpu, 4 * 5 * 5);
        Part after = Numbers(Gpu, 3 * 4 * 5);
        GpuCounters before = Gpu.Counters;
        Gpu.CellStep(default(LstmCell), weight, operands.Forward);
        Gpu.CellStepBackward(default(LstmCell), weight, 3, after, operands.Backward);
        Assert.Equal(2, (Gpu.Counters - before).Launches);
    }

    [Fact]
    public void A_row_has_the_same_bits_in_every_batch()
    {
        const int Width = 9;
        CellOperands all = new(Gpu, 5, Width, 4, 4);
        Storage weight = Numbers(Gpu, 4 * Width * Width);
        Gpu.CellStep(default(LstmCell), weight, all.Forward);
        float[] together = GpuFixture.Download(all.Forward.Hidden.Storage)[all.Forward.Hidden.Start..];
        Gpu.CellStep(default(LstmCell), weight, all.Forward with { Rows = 1 });
        Assert.Equal(together, GpuFixture.Download(all.Forward.Hidden.Storage)[all.Forward.Hidden.Start..]);
    }

    private static Storage Numbers(Backend backend, int length)
    {
        float[] values = new float[length];
        for (int i = 0; i < length; i++)
        {
            Philox.Uniform(11, 0, (ulong)i, out values[i], out _);
            values[i] -= 0.5f;
        }

        return GpuFixture.Upload(backend, values);
    }

    private static float[][] Results<TCell>(Backend backend, TCell cell, int rows, int width, int rowsAfter)
        where TCell : unmanaged, IRecurrentCell
    {
        CellOperands operands = new(backend, rows, width, cell.GateCount, cell.SavedCount);
        Storage weight = Numbers(backend, cell.GateCount * width * width);
        Part after = Numbers(backend, rowsAfter * cell.GateCount * width);

        // Rows of sequences that have no step after: nothing comes through their gates.
        Storage throughGates = backend.Allocate(rows * width);
        backend.Fill(throughGates, 0f);
        CellBackward backward = operands.Backward with { GateGradient = throughGates };
        backend.CellStep(cell, weight, operands.Forward);
        backend.CellStepBackward(cell, weight, rowsAfter, after, backward);
        Part[] outputs =
        [
            operands.Forward.Hidden, operands.Forward.State, operands.Forward.Saved, backward.DirectGradientBefore,
            backward.StateGradientBefore, backward.InputGradient, backward.RecurrentGradient,
        ];
        return Array.ConvertAll(outputs, output => GpuFixture.Download(output.Storage));
    }

    private void Check<TCell>(TCell cell, int rows, int width, int rowsAfter)
        where TCell : unmanaged, IRecurrentCell
    {
        float[][] expected = Results(CpuBackend.Instance, cell, rows, width, rowsAfter);
        float[][] found = Results(Gpu, cell, rows, width, rowsAfter);
        for (int output = 0; output < expected.Length; output++)
        {
            Assert.Equal(expected[output].Length, found[output].Length);
            Assert.All(expected[output].Zip(found[output]), pair => Assert.Equal(pair.First, pair.Second, 2e-5f));
        }
    }
}
