namespace Minigrad.Backends;

/// <summary>
/// A computation of many steps in which rows do not depend on each other, as the sequences of a batch do not; see
/// <see cref="Backend.WalkRows{TWalk}"/>.
/// </summary>
public interface IRowWalk
{
    /// <summary>How many steps the rows before one make together.</summary>
    /// <param name="row">The row; for the number of rows, all their steps.</param>
    long StepsBefore(int row);

    /// <summary>Takes some rows through all of their steps. Several ranges may run at once.</summary>
    /// <param name="first">The first row.</param>
    /// <param name="end">The row after the last one.</param>
    void Run(int first, int end);
}
