using Minigrad.Operations;

namespace Minigrad.Autodiff;

/// <summary>
/// A recurrent sequence in primitive operations: what <see cref="SequenceNode{TCell}"/> runs where its gradient is
/// differentiated again, and its oracle in the tests.
/// </summary>
/// <typeparam name="TCell">The cell.</typeparam>
internal sealed class TracedSequence<TCell>
    where TCell : unmanaged, IRecurrentCell
{
    private readonly TCell cell;
    private readonly PackedSteps steps;
    private readonly SequenceInputs inputs;
    private readonly int width;
    private readonly (Tensor Hidden, Tensor State, Gates<Traced> Saved)[] kept;
    private readonly Tensor[] outputs;
    private readonly Tensor[] states;

    /// <summary>Runs forward.</summary>
    public TracedSequence(TCell cell, PackedSteps steps, SequenceInputs inputs)
    {
        this.cell = cell;
        this.steps = steps;
        this.inputs = inputs;
        width = inputs.Hidden.Shape[1];
        kept = new (Tensor, Tensor, Gates<Traced>)[steps.Count];
        outputs = new Tensor[steps.Count];
        states = new Tensor[steps.Count];
        Tensor hidden = inputs.Hidden;
        Tensor state = inputs.State ?? inputs.Hidden;
        for (int step = 0; step < steps.Count; step++)
        {
            int rows = steps.RowCounts[step];
            hidden = hidden.SliceOrAll(0, 0, rows);
            state = state.SliceOrAll(0, 0, rows);
            Tensor recurrent = hidden.Linear(inputs.Weight, inputs.Bias);
            Traced h = new(hidden);
            Traced c = new(state);
            cell.Forward(Split(Rows(inputs.Projected, step)), Split(recurrent), ref h, ref c, out Gates<Traced> saved);
            kept[step] = (hidden, state, saved);
            outputs[step] = hidden = h.ToTensor(hidden);
            states[step] = state = c.ToTensor(state);
        }
    }

    /// <summary>The hidden values of all steps, <c>[rows of all steps, hidden]</c>.</summary>
    public Tensor Output => Tensor.Concatenate(outputs);

    /// <summary>The hidden values after each sequence's last step.</summary>
    public Tensor LastHidden => Last(outputs);

    /// <summary>The cell states after each sequence's last step.</summary>
    public Tensor LastState => Last(states);

    /// <summary>Walks back with the cell's own backward, and so gives the gradients of the inputs as a recorded graph.</summary>
    /// <param name="output">The gradient of <see cref="Output"/>.</param>
    /// <param name="lastHidden">The gradient of <see cref="LastHidden"/>.</param>
    /// <param name="lastState">The gradient of <see cref="LastState"/>; ignored by a cell without one.</param>
    public SequenceInputs Gradients(Tensor output, Tensor lastHidden, Tensor lastState)
    {
        Tensor[] projected = new Tensor[steps.Count];
        Tensor? weight = null;
        Tensor? bias = null;
        Tensor hiddenFlow = lastHidden;
        Tensor stateFlow = lastState;
        for (int step = steps.Count - 1; step >= 0; step--)
        {
            int rows = steps.RowCounts[step];
            (Tensor hidden, Tensor state, Gates<Traced> saved) = kept[step];
            Traced h = new(Rows(output, step) + hiddenFlow.SliceOrAll(0, 0, rows));
            Traced c = new(stateFlow.SliceOrAll(0, 0, rows));
            cell.Backward(saved, new(hidden), new(state), ref h, ref c, out Gates<Traced> input, out Gates<Traced> recurrent);
            projected[step] = Join(input, hidden);
            Tensor gates = Join(recurrent, hidden);
            Tensor before = h.ToTensor(hidden) + gates.MatMul(inputs.Weight);
            hiddenFlow = Replace(hiddenFlow, before);
            stateFlow = Replace(stateFlow, c.ToTensor(hidden));
            weight = Sum(weight, gates.MatMul(hidden, transposeLeft: true));
            bias = Sum(bias, gates.Sum([0]));
        }

        return new SequenceInputs(Tensor.Concatenate(projected), weight!, bias, hiddenFlow, stateFlow);
    }

    private static Tensor Sum(Tensor? sum, Tensor term) => sum is null ? term : sum + term;

    /// <summary>The first rows replaced; the others belong to sequences that ended before this step.</summary>
    private static Tensor Replace(Tensor all, Tensor first) =>
        first.Shape[0] == all.Shape[0] ? first : Tensor.Concatenate([first, all.Slice(0, first.Shape[0])]);

    private Tensor Rows(Tensor packed, int step) =>
        packed.Slice(0, steps.Starts[step], steps.Starts[step] + steps.RowCounts[step]);

    private Tensor Last(Tensor[] values)
    {
        List<Tensor> ends = [];
        for (int step = steps.Count - 1, done = 0; step >= 0; step--)
        {
            // Sequences that end here are those that the step after, further up in the walk, did not have.
            int rows = steps.RowCounts[step];
            if (rows > done)
            {
                ends.Add(values[step].Slice(0, done, rows));
                done = rows;
            }
        }

        return ends.Count == 0 ? values[^1] : Tensor.Concatenate(ends);
    }

    private Gates<Traced> Split(Tensor values)
    {
        Traced Gate(int gate) => gate < cell.GateCount ? new(values.Slice(1, gate * width, (gate + 1) * width)) : default;
        return new Gates<Traced>(Gate(0), Gate(1), Gate(2), Gate(3));
    }

    private Tensor Join(Gates<Traced> gates, Tensor like)
    {
        Traced[] all = [gates.First, gates.Second, gates.Third, gates.Fourth];
        return Tensor.Concatenate([.. all.Take(cell.GateCount).Select(gate => gate.ToTensor(like))], 1);
    }
}
