using Minigrad.Backends;
using Minigrad.Operations;

namespace Minigrad.Autodiff;

/// <summary>Takes sequences of a batch forward through a recurrent layer, step by step.</summary>
/// <typeparam name="TCell">The cell.</typeparam>
/// <param name="Backend">Who computes.</param>
/// <param name="Cell">The cell and its constants.</param>
/// <param name="Steps">How the sequences lie.</param>
/// <param name="Inputs">What they are computed from.</param>
internal readonly record struct ForwardWalk<TCell>(Backend Backend, TCell Cell, PackedSteps Steps, SequenceInputs Inputs) : IRowWalk
    where TCell : unmanaged, IRecurrentCell
{
    /// <summary>The recurrent bias: <c>[G · hidden]</c>.</summary>
    public required Storage Bias { get; init; }

    /// <summary>Room for what gates receive from the step before: <c>[batch, G · hidden]</c>.</summary>
    public required Storage Recurrent { get; init; }

    /// <summary>Receives the hidden values of all steps.</summary>
    public required Storage Output { get; init; }

    /// <summary>Receives the cell states of all steps.</summary>
    public required Storage States { get; init; }

    /// <summary>Receives what backward will need, of all steps if there is a backward, else of one after the other.</summary>
    public required Storage Saved { get; init; }

    /// <summary>Whether there is a backward.</summary>
    public required bool IsRecorded { get; init; }

    /// <inheritdoc/>
    public long StepsBefore(int row) => Steps.StepsBefore(row);

    /// <inheritdoc/>
    public void Run(int first, int end)
    {
        int width = Inputs.Hidden.Shape[1];
        int gateWidth = Cell.GateCount * width;
        Part hiddenBefore = new(Inputs.Hidden.Storage, first * width);
        Part stateBefore = new((Inputs.State ?? Inputs.Hidden).Storage, first * width);
        for (int step = 0; step < Steps.Count; step++)
        {
            int rows = Steps.RowsOf(step, first, end);
            int start = Steps.Starts[step] + first;
            if (rows == 0)
            {
                return;
            }

            CellForward operands = new()
            {
                Rows = rows,
                Width = width,
                Input = new Part(Inputs.Projected.Storage, start * gateWidth),
                Recurrent = new Part(Recurrent, first * gateWidth),
                Bias = Bias,
                HiddenBefore = hiddenBefore,
                StateBefore = stateBefore,
                Hidden = new Part(Output, start * width),
                State = new Part(States, start * width),
                Saved = new Part(Saved, (IsRecorded ? start : first) * width * Cell.SavedCount),
            };
            Backend.CellStep(Cell, Inputs.Weight.Storage, operands);
            hiddenBefore = operands.Hidden;
            stateBefore = operands.State;
        }
    }
}
