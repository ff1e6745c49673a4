using System.Runtime.CompilerServices;
using Minigrad.Numerics;
using Minigrad.Operations;

namespace Minigrad.Backends.Cpu;

/// <summary>Lanes are neighbours in a row, which is walked where it lies; at its end, what is in them is combined.</summary>
internal readonly struct LanesAlongRow : IRowLanes
{
    /// <inheritdoc/>
    public static int RowsOfItem => 1;

    /// <inheritdoc/>
    public static int RoomLength => 0;

    /// <inheritdoc/>
    public static int RowsAtOnce<TLanes>()
        where TLanes : struct, ILanes<TLanes> => 1;

    /// <inheritdoc/>
    public static nuint Length<TLanes>(int columns)
        where TLanes : struct, ILanes<TLanes> => (nuint)columns;

    /// <inheritdoc/>
    public static ref float Read<TLanes>(float[] matrix, int row, int rows, int columns, Span<float> room)
        where TLanes : struct, ILanes<TLanes> => ref matrix[row * columns];

    /// <inheritdoc/>
    public static ref float Target(float[] matrix, int row, int columns, Span<float> room) => ref matrix[row * columns];

    /// <inheritdoc/>
    public static void Write<TLanes>(Span<float> room, float[] matrix, int row, int rows, int columns)
        where TLanes : struct, ILanes<TLanes>
    {
        // They lie there already.
    }

    /// <inheritdoc/>
    public static int ColumnsAtOnce<TLanes>()
        where TLanes : struct, ILanes<TLanes> => RowInEachLane.RowsOfItem;

    /// <inheritdoc/>
    public static void ReadColumns<TLanes>(ReadOnlySpan<float> matrix, int step, int columns, int length, Span<float> room)
        where TLanes : struct, ILanes<TLanes> => OperandPacking.Transpose(matrix, step, length, columns, room, length);

    /// <inheritdoc/>
    public static void WriteColumns<TLanes>(ReadOnlySpan<float> room, Span<float> matrix, int step, int columns, int length)
        where TLanes : struct, ILanes<TLanes> => OperandPacking.Transpose(room, length, columns, length, matrix, step);

    /// <inheritdoc/>
    public static ref float ForColumns<TLanes>(float[] numbers, int columns, Span<float> room)
        where TLanes : struct, ILanes<TLanes> => ref numbers[0];

    /// <inheritdoc/>
    public static TLanes FromRows<TLanes>(ReadOnlySpan<float> numbers)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes> => numbers[0];

    /// <inheritdoc/>
    public static void ToRows<TLanes>(TLanes value, Span<float> numbers)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes> => numbers[0] = TLanes.First(value);

    /// <inheritdoc/>
    /// <remarks>Of one number: where all lanes would wait for it, that of a vector takes longer.</remarks>
    public static TLanes Log<TLanes>(TLanes value)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes> => Scalar.Log(TLanes.First(value)).Value;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes Largest<TLanes>(TLanes largest)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes> => ReductionLoops.Fold(default(Largest), largest);

    /// <inheritdoc/>
    public static TLanes Sum<TLanes>(TLanes sum)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes> => TLanes.Sum(sum);
}
