using Minigrad.Numerics;

namespace Minigrad.Backends.Cpu;

/// <summary>
/// What the lanes of a vector are in loops over the rows of a matrix: neighbours in one row (<see cref="LanesAlongRow"/>), or a number of each of
/// several rows (<see cref="RowInEachLane"/>). The loops are the same.
/// </summary>
internal interface IRowLanes
{
    /// <summary>How many rows make one item of work, whatever the width of vectors.</summary>
    static abstract int RowsOfItem { get; }

    /// <summary>How many numbers the rows that are walked at once need room for where they do not lie as they are walked.</summary>
    static abstract int RoomLength { get; }

    /// <summary>How many rows are walked at once.</summary>
    static abstract int RowsAtOnce<TLanes>()
        where TLanes : struct, ILanes<TLanes>;

    /// <summary>How many numbers are walked, one vector after the other.</summary>
    /// <param name="columns">The length of a row.</param>
    static abstract nuint Length<TLanes>(int columns)
        where TLanes : struct, ILanes<TLanes>;

    /// <summary>The numbers of some rows as they are walked.</summary>
    /// <param name="matrix">The matrix.</param>
    /// <param name="row">The first of the rows.</param>
    /// <param name="rows">How many, at most as many as are walked at once.</param>
    /// <param name="columns">The length of a row.</param>
    /// <param name="room">Where they are put if they do not lie so.</param>
    static abstract ref float Read<TLanes>(float[] matrix, int row, int rows, int columns, Span<float> room)
        where TLanes : struct, ILanes<TLanes>;

    /// <summary>Where the numbers of some rows are to be written as they are walked.</summary>
    static abstract ref float Target(float[] matrix, int row, int columns, Span<float> room);

    /// <summary>Brings what was written to its rows.</summary>
    static abstract void Write<TLanes>(Span<float> room, float[] matrix, int row, int rows, int columns)
        where TLanes : struct, ILanes<TLanes>;

    /// <summary>How many neighbouring columns are copied together, to be walked as rows.</summary>
    static abstract int ColumnsAtOnce<TLanes>()
        where TLanes : struct, ILanes<TLanes>;

    /// <summary>Copies some neighbouring columns, each of which is a row then: as many as are walked at once, and the next behind them.</summary>
    /// <param name="matrix">The matrix, from the first of the columns on.</param>
    /// <param name="step">From one row of the matrix to the next.</param>
    /// <param name="columns">How many columns, at most as many as are copied together.</param>
    /// <param name="length">The length of a column.</param>
    /// <param name="room">Where they are put.</param>
    static abstract void ReadColumns<TLanes>(ReadOnlySpan<float> matrix, int step, int columns, int length, Span<float> room)
        where TLanes : struct, ILanes<TLanes>;

    /// <summary>Copies them back.</summary>
    static abstract void WriteColumns<TLanes>(ReadOnlySpan<float> room, Span<float> matrix, int step, int columns, int length)
        where TLanes : struct, ILanes<TLanes>;

    /// <summary>A number for each column, as a row with these numbers is walked.</summary>
    static abstract ref float ForColumns<TLanes>(float[] numbers, int columns, Span<float> room)
        where TLanes : struct, ILanes<TLanes>;

    /// <summary>A number for each row, in all of its lanes.</summary>
    static abstract TLanes FromRows<TLanes>(ReadOnlySpan<float> numbers)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes>;

    /// <summary>The number of each row, which all of its lanes hold.</summary>
    static abstract void ToRows<TLanes>(TLanes value, Span<float> numbers)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes>;

    /// <summary>The natural logarithm of the number of each row, which all of its lanes hold.</summary>
    static abstract TLanes Log<TLanes>(TLanes value)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes>;

    /// <summary>The largest number of each row, in all of its lanes, from the largest of each lane.</summary>
    static abstract TLanes Largest<TLanes>(TLanes largest)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes>;

    /// <summary>The sum of each row, in all of its lanes, from the sum of each lane.</summary>
    static abstract TLanes Sum<TLanes>(TLanes sum)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes>;
}
