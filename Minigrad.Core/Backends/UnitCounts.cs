namespace Minigrad.Backends;

/// <summary>How many units a parameter has in either layout; 0 if it is empty, 1 if it is a vector.</summary>
/// <param name="Rows">How many rows, with all dimensions but the first joined.</param>
/// <param name="Columns">How many columns, with all dimensions but the last joined.</param>
public readonly record struct UnitCounts(int Rows, int Columns)
{
    /// <summary>How many series of norms a stage of that scope has for the parameter.</summary>
    /// <param name="scope">The scope, not <see cref="ThresholdScope.Together"/>.</param>
    public int Series(ThresholdScope scope) => scope switch
    {
        ThresholdScope.Row => Rows,
        ThresholdScope.Column => Columns,
        _ => 1,
    };
}
