using Minigrad.Backends;
using Minigrad.Backends.Cpu;
using Minigrad.Operations;
using Minigrad.Tests.Backends;

namespace Minigrad.Tests.Gpu;

/// <content>Steps of recurrent cells.</content>
public sealed partial class SeamTests
{
    [Theory]
    [InlineData(1, 1)]
    [InlineData(3, 5)]
    [InlineData(2, 17)]
    [InlineData(0, 4)]
    public void Cell(int rows, int width)
    {
        void Check<TCell>(TCell cell)
            where TCell : unmanaged, IRecurrentCell
        {
            foreach (Func<CellOperands, Part> output in (Func<CellOperands, Part>[])
                [
                    operands => operands.Forward.Hidden, operands => operands.Forward.State, operands => operands.Forward.Saved,
                    operands => operands.Backward.DirectGradientBefore, operands => operands.Backward.StateGradientBefore,
                    operands => operands.Backward.InputGradient, operands => operands.Backward.RecurrentGradient,
                ])
            {
                int length = output(new CellOperands(CpuBackend.Instance, rows, width, cell.GateCount, cell.SavedCount)).Storage.Length;
                Same(
                    length,
                    (backend, y) =>
                    {
                        CellOperands operands = new(backend, rows, width, cell.GateCount, cell.SavedCount);
                        backend.Cell(cell, operands.Forward);
                        backend.CellBackward(cell, operands.Backward);
                        StridedLayout layout = new(0, [1]);
                        backend.Copy(output(operands).Storage, layout, y, layout, [length]);
                    },
                    1e-5f);
            }
        }

        Check(default(LstmCell));
        Check(default(GruCell));
        Check(default(ElmanCell<HyperbolicTangent>));
        Check(default(ElmanCell<Rectifier>));
    }
}
