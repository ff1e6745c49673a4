namespace Minigrad.Backends;

/// <summary>
/// One step of a recurrent cell for some sequences: G is the number of gates, S of saved numbers, width the hidden size.
/// Outputs overlap no input. A cell without a cell state never touches it; any buffer may stand in.
/// </summary>
public readonly record struct CellForward
{
    /// <summary>How many sequences make the step.</summary>
    public required int Rows { get; init; }

    /// <summary>The hidden size.</summary>
    public required int Width { get; init; }

    /// <summary>What the gates receive from the input: <c>[rows, G · width]</c>.</summary>
    public required Part Input { get; init; }

    /// <summary>What the gates receive from the step before, without its bias: <c>[rows, G · width]</c>.</summary>
    public required Part Recurrent { get; init; }

    /// <summary>The bias of that: <c>[G · width]</c>.</summary>
    public required Part Bias { get; init; }

    /// <summary>The hidden values of the step before: <c>[rows, width]</c>.</summary>
    public required Part HiddenBefore { get; init; }

    /// <summary>The cell states of the step before: <c>[rows, width]</c>.</summary>
    public required Part StateBefore { get; init; }

    /// <summary>Receives the new hidden values: <c>[rows, width]</c>.</summary>
    public required Part Hidden { get; init; }

    /// <summary>Receives the new cell states: <c>[rows, width]</c>.</summary>
    public required Part State { get; init; }

    /// <summary>Receives what backward will need: <c>[rows, S · width]</c>.</summary>
    public required Part Saved { get; init; }
}
