using Minigrad.Backends;
using Minigrad.Operations;

namespace Minigrad.Autodiff;

/// <summary>Takes the gradients of a batch's sequences backward through a recurrent layer, from the last step to the first.</summary>
/// <typeparam name="TCell">The cell.</typeparam>
/// <param name="Backend">Who computes.</param>
/// <param name="Cell">The cell and its constants.</param>
/// <param name="Steps">How the sequences lie.</param>
/// <param name="Inputs">What they were computed from.</param>
internal readonly record struct BackwardWalk<TCell>(Backend Backend, TCell Cell, PackedSteps Steps, SequenceInputs Inputs) : IRowWalk
    where TCell : unmanaged, IRecurrentCell
{
    /// <summary>What forward saved.</summary>
    public required Storage Saved { get; init; }

    /// <summary>The hidden values of all steps.</summary>
    public required Storage Output { get; init; }

    /// <summary>The cell states of all steps.</summary>
    public required Storage States { get; init; }

    /// <summary>The gradients of the hidden values of all steps.</summary>
    public required Storage OutputGradient { get; init; }

    /// <summary>What flows back past the gates; see <see cref="Flow"/>.</summary>
    public required Flow Direct { get; init; }

    /// <summary>What flows back through the cell states; that past the gates if there are none.</summary>
    public required Flow State { get; init; }

    /// <summary>What flows back through the gates of one step: <c>[batch, hidden]</c>, zeros at first.</summary>
    public required Storage ThroughGates { get; init; }

    /// <summary>Receives the gradients of what the gates received from the input.</summary>
    public required Storage InputGradient { get; init; }

    /// <summary>Receives those of what they received from the step before; the same buffer unless the cell separates them.</summary>
    public required Storage RecurrentGradient { get; init; }

    /// <inheritdoc/>
    public long StepsBefore(int row) => Steps.StepsBefore(row);

    /// <inheritdoc/>
    public void Run(int first, int end)
    {
        int width = Inputs.Hidden.Shape[1];
        int gateWidth = Cell.GateCount * width;
        int place = first * width;
        for (int step = Steps.Count - 1; step >= 0; step--)
        {
            int rows = Steps.RowsOf(step, first, end);
            int start = Steps.Starts[step] + first;
            int before = step == 0 ? place : (Steps.Starts[step - 1] + first) * width;
            int distance = Steps.Count - 1 - step;
            CellBackward operands = new()
            {
                Rows = rows,
                Width = width,
                Saved = new Part(Saved, start * width * Cell.SavedCount),
                HiddenBefore = new Part(step == 0 ? Inputs.Hidden.Storage : Output, before),
                StateBefore = new Part(step == 0 ? (Inputs.State ?? Inputs.Hidden).Storage : States, before),
                OutputGradient = new Part(OutputGradient, start * width),
                DirectGradient = new Part(Direct.After(distance), place),
                GateGradient = new Part(ThroughGates, place),
                StateGradient = new Part(State.After(distance), place),
                DirectGradientBefore = new Part(Direct.After(distance + 1), place),
                StateGradientBefore = new Part(State.After(distance + 1), place),
                InputGradient = new Part(InputGradient, start * gateWidth),
                RecurrentGradient = new Part(RecurrentGradient, start * gateWidth),
            };
            int rowsAfter = step == Steps.Count - 1 ? 0 : Steps.RowsOf(step + 1, first, end);
            if (rowsAfter > 0)
            {
                Part gradientAfter = new(RecurrentGradient, (Steps.Starts[step + 1] + first) * gateWidth);
                Backend.CellStepBackward(Cell, Inputs.Weight.Storage, rowsAfter, gradientAfter, operands);
            }
            else if (rows > 0)
            {
                Backend.CellBackward(Cell, operands);
            }
        }
    }

    /// <summary>
    /// A gradient on its way to the step before. Two buffers take turns, since a step's outputs may not overlap its inputs.
    /// Rows of sequences that have ended already hold the gradients of their last values in both.
    /// </summary>
    /// <param name="Even">What the last step receives, and every other one from there.</param>
    /// <param name="Odd">What the others receive.</param>
    internal readonly record struct Flow(Storage Even, Storage Odd)
    {
        /// <summary>What the step receives that is so many steps from the last one.</summary>
        public Storage After(int distance) => distance % 2 == 0 ? Even : Odd;
    }
}
