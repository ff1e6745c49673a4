using Minigrad.Autodiff;
using Minigrad.Operations;

namespace Minigrad.Layers;

/// <summary>
/// What recurrent layers share: stacking, both directions, states, sequences of different lengths. A whole sequence is
/// one operation; see <see cref="Rnn"/>, <see cref="Lstm"/>, <see cref="Gru"/> and, for a cell of your own,
/// <see cref="Recurrent{TCell}"/>.
/// </summary>
/// <remarks>
/// Parameters have PyTorch's names and shapes, G being the number of gates: <c>weight_ih_l0</c> <c>[G · hidden, in]</c>,
/// <c>weight_hh_l0</c> <c>[G · hidden, hidden]</c>, <c>bias_ih_l0</c> and <c>bias_hh_l0</c> <c>[G · hidden]</c>; <c>l1</c> for
/// the second layer, <c>_reverse</c> for the backward direction.
/// </remarks>
public abstract class RecurrentLayer : Layer
{
    /// <summary>How many numbers of a kind a unit may have: as many as <see cref="Gates{T}"/> holds.</summary>
    private const int MostNumbers = 4;

    private readonly RecurrentOptions options;
    private readonly Generator dropoutGenerator;
    private readonly Direction[] parts;

    private protected RecurrentLayer(
        IRecurrentCell cell, int inputSize, int hiddenSize, RecurrentOptions? options)
    {
        CheckCount(cell, nameof(cell.GateCount), cell.GateCount);
        CheckCount(cell, nameof(cell.SavedCount), cell.SavedCount);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(inputSize);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(hiddenSize);
        this.options = options ?? new RecurrentOptions();
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(this.options.LayerCount, nameof(RecurrentOptions.LayerCount));
        Dropout.CheckProbability(this.options.Dropout);
        if (this.options.Dropout > 0 && this.options.LayerCount == 1)
        {
            throw new ArgumentException(
                $"{GetType().Name}: dropout {this.options.Dropout} acts between layers, but there is only one. Set LayerCount to 2 or more, or put a Dropout layer after this one.",
                nameof(options));
        }

        InputSize = inputSize;
        HiddenSize = hiddenSize;
        GateCount = cell.GateCount;
        HasCellState = cell.HasState;

        // Masks come from the generator that was given itself, since nobody can keep a fork's position to resume a run. The fork takes
        // a number all the same, so that the weights of a seed stay what they were.
        Generator fork = (this.options.Generator ?? Generator.Default).Fork("dropout");
        dropoutGenerator = this.options.Generator ?? fork;
        parts = new Direction[this.options.LayerCount * DirectionCount];
        for (int part = 0; part < parts.Length; part++)
        {
            parts[part] = CreateDirection(part / DirectionCount, part % DirectionCount == 1);
        }
    }

    /// <summary>How many features a step of the input has.</summary>
    public int InputSize { get; }

    /// <summary>How many hidden values a step of one direction has.</summary>
    public int HiddenSize { get; }

    /// <summary>How many features a step of the output has: directions · hidden.</summary>
    public int OutputSize => DirectionCount * HiddenSize;

    /// <summary>How many gates a unit has.</summary>
    internal int GateCount { get; }

    private bool HasCellState { get; }

    private int DirectionCount => options.IsBidirectional ? 2 : 1;

    /// <summary>Computes a batch of sequences from a state, and the state that it ends with.</summary>
    /// <param name="input">
    /// <c>[batch, time, in]</c>, or <c>[time, batch, in]</c> if not batch first; a single sequence may be <c>[time, in]</c>.
    /// </param>
    /// <param name="state">What to begin with; zeros if null.</param>
    /// <param name="lengths">
    /// How many steps each sequence has, each at least 1; the rest is padding, which is not read. Null if all fill the input.
    /// Each result is what the sequence alone would give.
    /// </param>
    /// <returns>The outputs of all steps, and the state after each sequence's last one.</returns>
    /// <exception cref="ShapeException">
    /// The input, a length or the state does not fit, or there is no step; the message begins with the layer's path.
    /// </exception>
    public SequenceOutput Forward(Tensor input, RecurrentState? state, int[]? lengths = null)
    {
        ArgumentNullException.ThrowIfNull(input);
        SequenceOutput result = Named(() => Run(input, state, lengths));
        Observe(result.Output);
        return result;
    }

    /// <summary>
    /// One step of each sequence, for sampling and for control: the same numbers, to the bit, as in a whole sequence.
    /// </summary>
    /// <param name="input">The step's features: <c>[batch, in]</c>.</param>
    /// <param name="state">What the step before ended with; zeros if null.</param>
    /// <returns>The output, <c>[batch, hidden]</c>, and the state for the next step.</returns>
    /// <exception cref="InvalidOperationException">The layer is bidirectional: it would have to know the steps to come.</exception>
    /// <exception cref="ShapeException">The input or the state does not fit.</exception>
    public SequenceOutput Step(Tensor input, RecurrentState? state = null)
    {
        ArgumentNullException.ThrowIfNull(input);
        if (options.IsBidirectional)
        {
            throw new InvalidOperationException(
                $"{this}.Step: a bidirectional layer reads the sequence from its end too, so it cannot go on step by step. Use Forward on the whole sequence.");
        }

        if (input.Rank != 2)
        {
            Named<SequenceOutput>(() => throw new ShapeException(
                $"Step takes one step of each sequence, [batch, {InputSize}], but the input has shape {input.Shape}."));
        }

        int axis = options.IsBatchFirst ? 1 : 0;
        (Tensor output, RecurrentState next) = Forward(input.Unsqueeze(axis), state);
        return new SequenceOutput(output.Squeeze(axis), next);
    }

    /// <inheritdoc/>
    public override string ToString()
    {
        string layers = options.LayerCount == 1 ? string.Empty : $", {options.LayerCount} layers";
        string name = GetType().Name.Split('`')[0];
        return $"{name}({InputSize} → {HiddenSize}{layers}{(options.IsBidirectional ? ", bidirectional" : string.Empty)})";
    }

    /// <inheritdoc/>
    protected override Tensor Compute(Tensor input) => Run(input, null, null).Output;

    /// <summary>Runs one direction of one layer.</summary>
    private protected abstract (Tensor Output, Tensor LastHidden, Tensor? LastState) Scan(PackedSteps steps, SequenceInputs inputs);

    /// <summary>The biases of the input parts, one for each layer and direction.</summary>
    private protected IEnumerable<(Tensor FromInput, Tensor FromHidden)> Biases() =>
        parts.Where(part => part.InputBias is not null).Select(part => (part.InputBias!, part.HiddenBias!));

    private static void CheckCount(IRecurrentCell cell, string name, int count)
    {
        if (count is < 1 or > MostNumbers)
        {
            throw new ArgumentException(
                $"The cell {cell.GetType().Name} has a {name} of {count}, but it must be from 1 to {MostNumbers}, the numbers that Gates<T> holds.", nameof(cell));
        }
    }

    private Direction CreateDirection(int layer, bool isReverse)
    {
        int inputSize = layer == 0 ? InputSize : OutputSize;
        string suffix = $"_l{layer}{(isReverse ? "_reverse" : string.Empty)}";
        int rows = GateCount * HiddenSize;
        Tensor Create(string name, params ReadOnlySpan<int> shape)
        {
            Tensor tensor = Parameter(name + suffix, Tensor.Zeros(shape));
            Initialize.FanInUniform(tensor, HiddenSize, options.Generator);
            return tensor;
        }

        Tensor inputWeight = Create("weight_ih", rows, inputSize);
        Tensor hiddenWeight = Create("weight_hh", rows, HiddenSize);
        if (options.HasOrthogonalStart)
        {
            Orthogonalize(hiddenWeight);
        }

        return options.HasBias
            ? new Direction(inputWeight, hiddenWeight, Create("bias_ih", rows), Create("bias_hh", rows), isReverse)
            : new Direction(inputWeight, hiddenWeight, null, null, isReverse);
    }

    private void Orthogonalize(Tensor weight)
    {
        Tensor[] gates = new Tensor[GateCount];
        for (int gate = 0; gate < gates.Length; gate++)
        {
            gates[gate] = Tensor.Zeros(HiddenSize, HiddenSize);
            Initialize.Orthogonal(gates[gate], generator: options.Generator);
        }

        using NoGrad scope = new();
        weight.Assign(Tensor.Concatenate(gates));
    }

    private SequenceOutput Run(Tensor input, RecurrentState? state, int[]? lengths)
    {
        int batchAxis = options.IsBatchFirst ? 0 : 1;
        CheckInput(input);
        Tensor x = input.Rank == 3 ? input : input.Unsqueeze(batchAxis);
        int batch = x.Shape[batchAxis];
        int time = x.Shape[1 - batchAxis];
        CheckLengths(lengths, batch, time);
        CheckState(state, batch);

        SequencePacking packing = new(batch, time, lengths, options.IsBatchFirst);
        Tensor? rows = null; // What the layer below gives; the input is packed once it is needed.
        Tensor Project(Direction part)
        {
            if (rows is null && LookupLinearNode.Serves(input)
                && LookupLinearNode.Run(input, packing.Places(part.IsReverse), part.InputWeight, part.InputBias) is { } projected)
            {
                return projected;
            }

            rows ??= packing.Pack(x);
            return (part.IsReverse ? packing.Reverse(rows) : rows).Linear(part.InputWeight, part.InputBias);
        }

        List<Tensor> hidden = [];
        List<Tensor> cells = [];
        for (int layer = 0; layer < options.LayerCount; layer++)
        {
            if (layer > 0 && IsTraining)
            {
                rows = Dropout.Drop(rows!, options.Dropout, dropoutGenerator);
            }

            Tensor[] outputs = new Tensor[DirectionCount];
            for (int direction = 0; direction < DirectionCount; direction++)
            {
                int part = (layer * DirectionCount) + direction;
                (outputs[direction], Tensor last, Tensor? lastCell) =
                    RunDirection(parts[part], part, Project(parts[part]), packing, state, batch);
                hidden.Add(packing.Unsort(last));
                if (lastCell is not null)
                {
                    cells.Add(packing.Unsort(lastCell));
                }
            }

            rows = DirectionCount == 1 ? outputs[0] : Tensor.Concatenate(outputs, 1);
        }

        Tensor output = packing.Unpack(rows!);
        RecurrentState next = new(Tensor.Stack(hidden), HasCellState ? Tensor.Stack(cells) : null);
        return new SequenceOutput(input.Rank == 3 ? output : output.Squeeze(batchAxis), next);
    }

    private (Tensor Output, Tensor LastHidden, Tensor? LastState) RunDirection(
        Direction part, int number, Tensor projected, SequencePacking packing, RecurrentState? state, int batch)
    {
        Tensor Initial(Tensor? values)
        {
            if (values is null)
            {
                return Tensor.Filled([batch, HiddenSize], 0f, projected.Backend);
            }

            Tensor.CommonBackend(projected, values, $"{this} (the state to begin with)");
            return packing.Sort(values.Select(0, number));
        }

        LayerListener.Current?.HearGates(this, number, projected, packing.Steps);
        SequenceInputs inputs = new(
            projected, part.HiddenWeight, part.HiddenBias, Initial(state?.Hidden), HasCellState ? Initial(state?.Cell) : null);
        (Tensor output, Tensor lastHidden, Tensor? lastState) = Scan(packing.Steps, inputs);
        return (part.IsReverse ? packing.Reverse(output) : output, lastHidden, lastState);
    }

    private void CheckInput(Tensor input)
    {
        string wanted = options.IsBatchFirst ? $"[batch, time, {InputSize}]" : $"[time, batch, {InputSize}]";
        if (input.Rank is not (2 or 3))
        {
            throw new ShapeException(
                $"the input has shape {input.Shape}, but a batch of sequences {wanted} is needed, or one sequence [time, {InputSize}].");
        }

        if (input.Shape[-1] != InputSize)
        {
            throw new ShapeException(
                $"the input has shape {input.Shape}, but its last dimension must be {InputSize}, the features of a step: {wanted}. "
                + $"If a step is a single number, add a dimension with Unsqueeze(-1); else create the layer with an input size of {input.Shape[-1]}.");
        }

        int time = input.Shape[input.Rank == 3 && options.IsBatchFirst ? 1 : 0];
        if (time == 0)
        {
            throw new ShapeException(
                $"the input has shape {input.Shape}: sequences of length 0. A sequence needs at least one step; leave empty ones out of the batch.");
        }
    }

    private static void CheckLengths(int[]? lengths, int batch, int time)
    {
        if (lengths is null)
        {
            return;
        }

        if (lengths.Length != batch)
        {
            throw new ShapeException(
                $"{lengths.Length} lengths were given for a batch of {batch} sequences; give one for each.");
        }

        for (int sequence = 0; sequence < lengths.Length; sequence++)
        {
            if (lengths[sequence] < 1 || lengths[sequence] > time)
            {
                throw new ShapeException(
                    $"the length of sequence {sequence} is {lengths[sequence]}, but it must be from 1 to {time}, the steps of the input. "
                    + (lengths[sequence] == 0 ? "A sequence of length 0 has no output; leave it out of the batch." : "Lengths count steps, not features."));
            }
        }
    }

    private void CheckState(RecurrentState? state, int batch)
    {
        if (state is null)
        {
            return;
        }

        Shape wanted = Shape.Create([parts.Length, batch, HiddenSize]);
        if (HasCellState != state.Cell is not null)
        {
            throw new ShapeException(HasCellState
                ? $"the state has hidden values only, but a {GetType().Name} carries cell states too: new RecurrentState(hidden, cell)."
                : $"the state has cell states, which a {GetType().Name} does not carry. Was it taken from an Lstm?");
        }

        foreach ((string name, Tensor? tensor) in new[] { ("hidden values", state.Hidden), ("cell states", state.Cell) })
        {
            if (tensor is not null && !tensor.Shape.Equals(wanted))
            {
                throw new ShapeException(
                    $"the state's {name} have shape {tensor.Shape}, but {wanted} is needed: [layers · directions, batch, hidden]. Was it taken from a batch of another size?");
            }
        }
    }

    /// <summary>The parameters of one direction of one layer.</summary>
    private sealed record Direction(
        Tensor InputWeight, Tensor HiddenWeight, Tensor? InputBias, Tensor? HiddenBias, bool IsReverse);
}
