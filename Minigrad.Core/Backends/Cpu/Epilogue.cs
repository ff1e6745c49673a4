using System.Runtime.CompilerServices;
using Minigrad.Numerics;
using Minigrad.Operations;

namespace Minigrad.Backends.Cpu;

/// <summary>
/// What is done to a block of a matrix product when its sums are complete and still in the nearest caches: the bias is
/// added and the activation applied, in one pass that costs no memory traffic.
/// </summary>
/// <typeparam name="TActivation">The activation; <see cref="Identity"/> for none.</typeparam>
/// <param name="bias">A number for each column of the product, or null.</param>
/// <param name="activation">The activation and its constants.</param>
/// <param name="isBiasShared">Whether the first number of the bias is that of every column.</param>
internal readonly struct Epilogue<TActivation>(float[]? bias, TActivation activation, bool isBiasShared = false)
    where TActivation : unmanaged, IUnaryOp
{
    /// <summary>What changes nothing when it is added, not even −0.</summary>
    private const float Nothing = -0f;

    /// <summary>Whether there is nothing to do.</summary>
    public bool IsEmpty => bias is null && typeof(TActivation) == typeof(Identity);

    /// <summary>For a product of one column, computed as one row: the column's bias is that of each element.</summary>
    public Epilogue<TActivation> OfOneColumn => new(bias, activation, isBiasShared: true);

    /// <summary>Finishes a block.</summary>
    /// <param name="target">The block's first element.</param>
    /// <param name="step">From one row to the next.</param>
    /// <param name="rows">The block's rows.</param>
    /// <param name="column">The product's column that is the block's first.</param>
    /// <param name="columns">The block's columns.</param>
    public void Finish<TLanes>(ref float target, int step, int rows, int column, int columns)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes>
    {
        if (bias is null || isBiasShared)
        {
            AddAndActivate<TLanes>(activation, ref target, (nuint)step, rows, bias is null ? Nothing : bias[0], (nuint)columns);
        }
        else
        {
            AddAndActivate<TLanes>(activation, ref target, (nuint)step, rows, ref bias[column], (nuint)columns);
        }
    }

    // The end of a row that fills no vector is computed after its loop, which so stays free of branches.
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void AddAndActivate<TLanes>(
        TActivation activation, ref float target, nuint step, int rows, ref float bias, nuint columns)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes>
    {
        nuint whole = columns - (columns % (nuint)TLanes.Count);
        for (int row = 0; row < rows; row++)
        {
            for (nuint column = 0; column < whole; column += (nuint)TLanes.Count)
            {
                TLanes.Store(activation.Forward(TLanes.Load(in target, column) + TLanes.Load(in bias, column)), ref target, column);
            }

            if (whole < columns)
            {
                TLanes sum = Lanes.Read<TLanes>(in target, whole, columns, 0f) + Lanes.Read<TLanes>(in bias, whole, columns, 0f);
                Lanes.Write(activation.Forward(sum), ref target, whole, columns);
            }

            target = ref Unsafe.Add(ref target, step);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void AddAndActivate<TLanes>(
        TActivation activation, ref float target, nuint step, int rows, float bias, nuint columns)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes>
    {
        TLanes added = bias;
        nuint whole = columns - (columns % (nuint)TLanes.Count);
        for (int row = 0; row < rows; row++)
        {
            for (nuint column = 0; column < whole; column += (nuint)TLanes.Count)
            {
                TLanes.Store(activation.Forward(TLanes.Load(in target, column) + added), ref target, column);
            }

            if (whole < columns)
            {
                Lanes.Write(activation.Forward(Lanes.Read<TLanes>(in target, whole, columns, 0f) + added), ref target, whole, columns);
            }

            target = ref Unsafe.Add(ref target, step);
        }
    }
}
