namespace Minigrad.Backends;

/// <summary>
/// One step back of a recurrent cell for some sequences: G is the number of gates, S of saved numbers, width the hidden
/// size. Outputs overlap no input. A cell without a cell state never touches it or its gradients.
/// </summary>
public readonly record struct CellBackward
{
    /// <summary>How many sequences make the step.</summary>
    public required int Rows { get; init; }

    /// <summary>The hidden size.</summary>
    public required int Width { get; init; }

    /// <summary>What forward saved: <c>[rows, S · width]</c>.</summary>
    public required Part Saved { get; init; }

    /// <summary>The hidden values of the step before: <c>[rows, width]</c>.</summary>
    public required Part HiddenBefore { get; init; }

    /// <summary>The cell states of the step before: <c>[rows, width]</c>.</summary>
    public required Part StateBefore { get; init; }

    /// <summary>The gradient of this step's output: <c>[rows, width]</c>. The three parts of the hidden gradient are added.</summary>
    public required Part OutputGradient { get; init; }

    /// <summary>The part of the hidden gradient that came from the step after, past its gates: <c>[rows, width]</c>.</summary>
    public required Part DirectGradient { get; init; }

    /// <summary>The part of the hidden gradient that came from the step after, through its gates: <c>[rows, width]</c>.</summary>
    public required Part GateGradient { get; init; }

    /// <summary>The gradient of the new cell states: <c>[rows, width]</c>.</summary>
    public required Part StateGradient { get; init; }

    /// <summary>Receives what goes to the step before past the gates: <c>[rows, width]</c>.</summary>
    public required Part DirectGradientBefore { get; init; }

    /// <summary>Receives the gradient of the old cell states: <c>[rows, width]</c>.</summary>
    public required Part StateGradientBefore { get; init; }

    /// <summary>Receives the gradients of what came from the input: <c>[rows, G · width]</c>.</summary>
    public required Part InputGradient { get; init; }

    /// <summary>
    /// Receives the gradients of what came from the step before, if the cell separates them: <c>[rows, G · width]</c>.
    /// </summary>
    public required Part RecurrentGradient { get; init; }
}
