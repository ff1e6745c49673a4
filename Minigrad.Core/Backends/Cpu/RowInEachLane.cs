using System.Runtime.InteropServices;
using Minigrad.Numerics;

namespace Minigrad.Backends.Cpu;

/// <summary>
/// Each lane is a row. Rows that fill few vectors are transposed, as many at a time as there are lanes: then nothing has to be combined
/// across lanes, no vector is read in part, and a call serves several rows. A row's bits do not depend on those beside it, nor on the
/// width of vectors.
/// </summary>
internal readonly struct RowInEachLane : IRowLanes
{
    /// <summary>The longest rows that are walked so. Longer ones fill more vectors than are saved.</summary>
    public const int MostColumns = 32;

    /// <summary>The longest that are walked so where each number is only read, which takes no longer than to transpose it.</summary>
    public const int MostColumnsToRead = 16;

    /// <inheritdoc/>
    public static int RowsOfItem => 16;

    /// <inheritdoc/>
    public static int RoomLength => RowsOfItem * MostColumns;

    /// <inheritdoc/>
    public static int RowsAtOnce<TLanes>()
        where TLanes : struct, ILanes<TLanes> => TLanes.Count;

    /// <inheritdoc/>
    public static nuint Length<TLanes>(int columns)
        where TLanes : struct, ILanes<TLanes> => (nuint)(columns * TLanes.Count);

    /// <inheritdoc/>
    public static ref float Read<TLanes>(float[] matrix, int row, int rows, int columns, Span<float> room)
        where TLanes : struct, ILanes<TLanes>
    {
        if (rows < TLanes.Count)
        {
            room[..(columns * TLanes.Count)].Clear();
        }

        OperandPacking.Transpose(matrix.AsSpan(row * columns, rows * columns), columns, rows, columns, room, TLanes.Count);
        return ref room[0];
    }

    /// <inheritdoc/>
    public static ref float Target(float[] matrix, int row, int columns, Span<float> room) => ref room[0];

    /// <inheritdoc/>
    public static void Write<TLanes>(Span<float> room, float[] matrix, int row, int rows, int columns)
        where TLanes : struct, ILanes<TLanes> =>
        OperandPacking.Transpose(room, TLanes.Count, columns, rows, matrix.AsSpan(row * columns, rows * columns), columns);

    /// <inheritdoc/>
    public static int ColumnsAtOnce<TLanes>()
        where TLanes : struct, ILanes<TLanes> => TLanes.Count;

    /// <inheritdoc/>
    public static void ReadColumns<TLanes>(ReadOnlySpan<float> matrix, int step, int columns, int length, Span<float> room)
        where TLanes : struct, ILanes<TLanes> => Copy<TLanes>(matrix, step, room, TLanes.Count, length, columns);

    /// <inheritdoc/>
    public static void WriteColumns<TLanes>(ReadOnlySpan<float> room, Span<float> matrix, int step, int columns, int length)
        where TLanes : struct, ILanes<TLanes> => Copy<TLanes>(room, TLanes.Count, matrix, step, length, columns);

    /// <inheritdoc/>
    public static ref float ForColumns<TLanes>(float[] numbers, int columns, Span<float> room)
        where TLanes : struct, ILanes<TLanes>
    {
        for (int column = 0; column < columns; column++)
        {
            room.Slice(column * TLanes.Count, TLanes.Count).Fill(numbers[column]);
        }

        return ref room[0];
    }

    /// <inheritdoc/>
    public static TLanes FromRows<TLanes>(ReadOnlySpan<float> numbers)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes> => Lanes.Read<TLanes>(in numbers[0], 0, (nuint)numbers.Length, 0f);

    /// <inheritdoc/>
    public static void ToRows<TLanes>(TLanes value, Span<float> numbers)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes> => Lanes.Write(value, ref numbers[0], 0, (nuint)numbers.Length);

    /// <inheritdoc/>
    public static TLanes Log<TLanes>(TLanes value)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes> => TLanes.Log(value);

    /// <inheritdoc/>
    public static TLanes Largest<TLanes>(TLanes largest)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes> => largest;

    /// <inheritdoc/>
    public static TLanes Sum<TLanes>(TLanes sum)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes> => sum;

    /// <summary>Whole vectors, since a call takes as long as several of them.</summary>
    private static void Copy<TLanes>(ReadOnlySpan<float> source, int step, Span<float> target, int targetStep, int rows, int columns)
        where TLanes : struct, ILanes<TLanes>
    {
        if (columns < TLanes.Count)
        {
            NormalizationColumns.Copy(source, step, target, targetStep, rows, columns);
            return;
        }

        _ = source[((rows - 1) * step) + columns - 1];
        _ = target[((rows - 1) * targetStep) + columns - 1];
        ref float from = ref MemoryMarshal.GetReference(source);
        ref float to = ref MemoryMarshal.GetReference(target);
        for (nuint row = 0; row < (nuint)rows; row++)
        {
            TLanes.Store(TLanes.Load(in from, row * (nuint)step), ref to, row * (nuint)targetStep);
        }
    }
}
