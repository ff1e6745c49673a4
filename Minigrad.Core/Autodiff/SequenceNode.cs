using Minigrad.Backends;
using Minigrad.Operations;

namespace Minigrad.Autodiff;

/// <summary>
/// A recurrent sequence as one operation: each step is one product with the recurrent weights and one fused cell; backward
/// walks the steps in reverse with what they saved, and the weights' gradients are one product over all steps.
/// </summary>
/// <typeparam name="TCell">The cell.</typeparam>
internal sealed class SequenceNode<TCell> : Node, ISequenceNode
    where TCell : unmanaged, IRecurrentCell
{
    private const int Projected = 0;
    private const int Weight = 1;
    private const int Hidden = 2;
    private const int State = 3;
    private const int Bias = 4;

    private readonly TCell cell;
    private readonly PackedSteps steps;
    private readonly int width;
    private readonly bool hasState;
    private readonly bool hasBias;
    private SavedTensor projected;
    private SavedTensor weight;
    private SavedTensor hidden;
    private SavedTensor state;
    private SavedTensor bias;
    private SavedTensor output;
    private Storage? states;
    private Storage? saved;
    private Tensor? lastHiddenGradient;
    private Tensor? lastStateGradient;

    private SequenceNode(TCell cell, PackedSteps steps, SequenceInputs inputs, Storage states, Storage saved)
        : base([inputs.Projected, inputs.Weight, inputs.Hidden, inputs.State ?? inputs.Hidden, inputs.Bias ?? inputs.Weight])
    {
        this.cell = cell;
        this.steps = steps;
        width = inputs.Hidden.Shape[1];
        hasState = inputs.State is not null;
        hasBias = inputs.Bias is not null;
        projected = new SavedTensor(inputs.Projected);
        weight = new SavedTensor(inputs.Weight);
        hidden = new SavedTensor(inputs.Hidden);
        state = new SavedTensor(inputs.State ?? inputs.Hidden);
        bias = new SavedTensor(inputs.Bias ?? inputs.Weight);
        this.states = states;
        this.saved = saved;
    }

    /// <inheritdoc/>
    public override string Operation => $"Sequence({typeof(TCell).Name.Split('`')[0]})";

    /// <inheritdoc/>
    public override bool HasGradient => base.HasGradient || lastHiddenGradient is not null || lastStateGradient is not null;

    /// <inheritdoc/>
    public override IEnumerable<Tensor> ArrivedGradients
    {
        get
        {
            Tensor?[] further = [lastHiddenGradient, lastStateGradient];
            return base.ArrivedGradients.Concat(further.OfType<Tensor>());
        }
    }

    private int GateWidth => cell.GateCount * width;

    /// <summary>Runs the sequence.</summary>
    /// <returns>
    /// The hidden values of all steps, <c>[rows of all steps, hidden]</c>, and those and the cell states after each
    /// sequence's last step, <c>[batch, hidden]</c>.
    /// </returns>
    public static (Tensor Output, Tensor LastHidden, Tensor? LastState) Run(TCell cell, PackedSteps steps, SequenceInputs inputs)
    {
        Backend backend = inputs.Projected.Backend;
        int width = inputs.Hidden.Shape[1];
        bool isRecorded = Tensor.IsRecorded(inputs.Projected, inputs.Weight) || Tensor.IsRecorded(inputs.Hidden)
            || (inputs.Bias is { } bias && Tensor.IsRecorded(bias)) || (inputs.State is { } state && Tensor.IsRecorded(state));
        Tensor output = Tensor.Allocate(Shape.Create([steps.TotalRows, width]), backend);
        Storage states = cell.HasState ? backend.Allocate(steps.TotalRows * width) : output.Storage;
        Storage saved = backend.Allocate((isRecorded ? steps.TotalRows : steps.Batch) * width * cell.SavedCount);
        Forward(cell, steps, inputs, output.Storage, states, saved, isRecorded);

        Tensor lastHidden = Last(output.Storage, steps, width);
        Tensor? lastState = cell.HasState ? Last(states, steps, width) : null;
        if (!isRecorded)
        {
            saved.Recycle();
            if (cell.HasState)
            {
                states.Recycle();
            }

            return (output, lastHidden, lastState);
        }

        SequenceNode<TCell> node = new(cell, steps, inputs, states, saved);
        node.output = new SavedTensor(output);
        node.Output(output);
        new StateNode(output, node, isCellState: false).Output(lastHidden);
        if (lastState is not null)
        {
            new StateNode(output, node, isCellState: true).Output(lastState);
        }

        return (output, lastHidden, lastState);
    }

    /// <inheritdoc/>
    public override string PlaceText(int element)
    {
        int row = element / width;
        int step = Array.FindLastIndex(steps.Starts, start => start <= row);
        return $"time step {step}, row {row - steps.Starts[step]}, unit {element % width}";
    }

    /// <inheritdoc/>
    public void ReceiveLast(Tensor gradient, bool isCellState)
    {
        gradient.Storage.GradientReferences++;
        (isCellState ? ref lastStateGradient : ref lastHiddenGradient) = gradient;
    }

    /// <inheritdoc/>
    public override void ForgetGradients()
    {
        base.ForgetGradients();
        Forget(ref lastHiddenGradient);
        Forget(ref lastStateGradient);
    }

    /// <inheritdoc/>
    public override void Backward(Tensor gradient)
    {
        SequenceInputs inputs = new(
            projected.Read(this),
            weight.Read(this),
            hasBias ? bias.Read(this) : null,
            hidden.Read(this),
            hasState ? state.Read(this) : null);
        SequenceInputs gradients = Recording.IsOn ? TracedGradients(inputs, gradient) : FusedGradients(inputs, gradient);
        Give(Projected, gradients.Projected);
        Give(Weight, gradients.Weight);
        Give(Hidden, gradients.Hidden);
        if (hasState)
        {
            Give(State, gradients.State!);
        }

        if (hasBias)
        {
            Give(Bias, gradients.Bias!);
        }

        ForgetGradients();
    }

    /// <inheritdoc/>
    protected override void ReleaseSaved()
    {
        projected.Release();
        weight.Release();
        hidden.Release();
        state.Release();
        bias.Release();
        output.Release();
        saved?.Recycle();
        if (cell.HasState)
        {
            states?.Recycle();
        }

        (saved, states) = (null, null);
    }

    private static void Forget(ref Tensor? gradient)
    {
        if (gradient is not null)
        {
            gradient.Storage.GradientReferences--;
            gradient = null;
        }
    }

    private static void Forward(
        TCell cell, PackedSteps steps, SequenceInputs inputs, Storage output, Storage states, Storage saved, bool isRecorded)
    {
        Backend backend = EmulatedPrecision.Loops(output.Backend);
        int width = inputs.Hidden.Shape[1];
        int gateWidth = cell.GateCount * width;

        Storage recurrent = backend.Allocate(steps.Batch * gateWidth);
        ForwardWalk<TCell> walk = new(backend, cell, steps, inputs)
        {
            Bias = inputs.Bias?.Storage ?? Zeros(backend, gateWidth),
            Recurrent = recurrent,
            Output = output,
            States = states,
            Saved = saved,
            IsRecorded = isRecorded,
        };
        MatrixProductShape product = new(steps.Batch, gateWidth, width) { TransposeRight = true };
        backend.WalkRows(product, inputs.Weight.Storage, walk);
        recurrent.Recycle();
    }

    private static Tensor Last(Storage values, PackedSteps steps, int width)
    {
        Tensor last = Tensor.Allocate(Shape.Create([steps.Batch, width]), values.Backend);
        if (steps.IsUniform)
        {
            StridedLayout rows = StridedLayout.RowMajor(last.Shape);
            values.Backend.Copy(values, rows with { Offset = steps.Starts[^1] * width }, last.Storage, rows, last.Shape);
            return last;
        }

        RowNumbers ends = new(steps.LastRows());
        values.Backend.Gather(values, ends, width, last.Storage);
        ends.Release();
        return last;
    }

    private static Storage Zeros(Backend backend, int length)
    {
        Storage zeros = backend.Allocate(length);
        backend.Fill(zeros, 0f);
        return zeros;
    }

    private static Storage CopyOrZeros(Tensor? values, Backend backend, int length)
    {
        if (values is null)
        {
            return Zeros(backend, length);
        }

        Storage copy = backend.Allocate(length);
        StridedLayout layout = StridedLayout.RowMajor(values.Shape);
        backend.Copy(values.Storage, layout, copy, layout, values.Shape);
        return copy;
    }

    private SequenceInputs TracedGradients(SequenceInputs inputs, Tensor gradient)
    {
        Tensor Zero() => Tensor.Filled([steps.Batch, width], 0f, gradient.Backend);
        TracedSequence<TCell> traced = new(cell, steps, inputs);
        return traced.Gradients(gradient, lastHiddenGradient ?? Zero(), lastStateGradient ?? Zero());
    }

    private SequenceInputs FusedGradients(SequenceInputs inputs, Tensor gradient)
    {
        Backend backend = gradient.Loops;
        int batchLength = steps.Batch * width;
        Storage y = output.Read(this).Storage;
        Tensor input = Tensor.Allocate(inputs.Projected.Shape, backend);
        Storage recurrent = cell.SeparatesRecurrent ? backend.Allocate(input.Length) : input.Storage;

        BackwardWalk<TCell>.Flow Begin(Tensor? last) => new(CopyOrZeros(last, backend, batchLength), CopyOrZeros(last, backend, batchLength));
        BackwardWalk<TCell>.Flow directFlow = Begin(lastHiddenGradient);
        BackwardWalk<TCell>.Flow stateFlow = hasState ? Begin(lastStateGradient) : directFlow;
        Storage throughGates = Zeros(backend, batchLength);
        BackwardWalk<TCell> walk = new(backend, cell, steps, inputs)
        {
            Saved = saved!,
            Output = y,
            States = states!,
            OutputGradient = gradient.Storage,
            Direct = directFlow,
            State = stateFlow,
            ThroughGates = throughGates,
            InputGradient = input.Storage,
            RecurrentGradient = recurrent,
        };
        MatrixProductShape product = new(steps.Batch, width, GateWidth);
        backend.WalkRows(product, inputs.Weight.Storage, walk);
        if (Needs(Hidden))
        {
            backend.MatrixProduct(product, recurrent, inputs.Weight.Storage, throughGates);
        }

        (Storage direct, Storage directAfter) = (directFlow.After(steps.Count), directFlow.After(steps.Count - 1));
        Tensor hiddenGradient = Tensor.Allocate(inputs.Hidden.Shape, backend);
        backend.Zip(default(Add), new Operand(direct), new Operand(throughGates), hiddenGradient.Storage);
        Tensor weightGradient = WeightGradient(inputs, recurrent, y);
        Tensor biasGradient = Tensor.Allocate(Shape.Create([GateWidth]), backend);
        backend.Reduce(default(Sum), recurrent, new AxisLayout(1, steps.TotalRows, GateWidth), biasGradient.Storage);
        Tensor? stateGradient = hasState ? new Tensor(inputs.Hidden.Shape, stateFlow.After(steps.Count)) : null;

        direct.Recycle();
        directAfter.Recycle();
        throughGates.Recycle();
        if (hasState)
        {
            stateFlow.After(steps.Count - 1).Recycle();
        }

        if (cell.SeparatesRecurrent)
        {
            recurrent.Recycle();
        }

        return new SequenceInputs(input, weightGradient, biasGradient, hiddenGradient, stateGradient);
    }

    /// <summary>Σ over all steps of gateᵀ · (hidden value before): the first step's from the initial values, then all others at once.</summary>
    private Tensor WeightGradient(SequenceInputs inputs, Storage gates, Storage y)
    {
        Backend backend = EmulatedPrecision.Loops(gates.Backend);
        Tensor first = Tensor.Allocate(inputs.Weight.Shape, backend);
        MatrixProductShape shape = new(GateWidth, width, steps.Batch) { TransposeLeft = true };
        backend.MatrixProduct(shape, gates, inputs.Hidden.Storage, first.Storage);
        int rest = steps.TotalRows - steps.Batch;
        if (rest == 0)
        {
            return first;
        }

        Storage before = y;
        if (!steps.IsUniform)
        {
            before = backend.Allocate(rest * width);
            RowNumbers rows = new(steps.RowsBefore());
            backend.Gather(y, rows, width, before);
            rows.Release();
        }

        Tensor sum = Tensor.Allocate(inputs.Weight.Shape, backend);
        backend.MatrixProduct(shape with { Depth = rest }, new Part(gates, steps.Batch * GateWidth), before, sum.Storage);
        backend.Zip(default(Add), new Operand(sum.Storage), new Operand(first.Storage), sum.Storage);
        first.Storage.Recycle();
        if (!steps.IsUniform)
        {
            before.Recycle();
        }

        return sum;
    }
}
