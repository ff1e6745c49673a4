using System.Runtime.CompilerServices;

namespace Minigrad.Numerics;

/// <summary>Reading and writing vectors up to the end of the data.</summary>
internal static class Lanes
{
    /// <summary>A vector from place <paramref name="i"/> on; lanes past the end of the data hold the padding.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes Read<TLanes>(ref readonly float source, nuint i, nuint length, float padding)
        where TLanes : struct, ILanes<TLanes> =>
        length - i >= (nuint)TLanes.Count
            ? TLanes.Load(in source, i)
            : TLanes.LoadPartial(in source, i, (int)(length - i), padding);

    /// <summary>Writes a vector from place <paramref name="i"/> on; lanes past the end of the data are dropped.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Write<TLanes>(TLanes value, ref float destination, nuint i, nuint length)
        where TLanes : struct, ILanes<TLanes>
    {
        if (length - i >= (nuint)TLanes.Count)
        {
            TLanes.Store(value, ref destination, i);
        }
        else
        {
            TLanes.StorePartial(value, ref destination, i, (int)(length - i));
        }
    }
}
