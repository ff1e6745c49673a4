using System.Runtime.CompilerServices;
using Minigrad.Numerics;

namespace Minigrad.Operations;

/// <summary>
/// A sum that is read after every addition: x₀ + … + xᵢ, off by sixteen roundings of Σ|x| at most, however long it grows. Terms are added up by
/// sixteens, and what rounding takes from the sum of these is kept (Neumaier, 1974; it is exact: Møller, 1965; Knuth, 1969).
/// </summary>
/// <typeparam name="T">The number type.</typeparam>
public struct RunningSum<T>
    where T : struct, IReal<T>
{
    private const int BlockLength = 16;

    private T blocks;
    private T lost;
    private T block;

    /// <summary>The sum so far; infinite once one of blocks is.</summary>
    public readonly T Value
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => blocks + (lost + block);
    }

    /// <summary>Adds a term.</summary>
    /// <param name="term">The term.</param>
    /// <param name="count">How many there are with it.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Add(T term, int count)
    {
        block += term;
        if (count % BlockLength == 0)
        {
            // What was lost before goes along, lest it grow until adding to it loses as well.
            T whole = lost + block;
            T next = blocks + whole;
            T added = next - blocks;
            T left = (blocks - (next - added)) + (whole - added);
            lost = T.IfNaN(left, 0f, left); // Of an infinite sum nothing is left over.
            blocks = next;
            block = 0f;
        }
    }
}
