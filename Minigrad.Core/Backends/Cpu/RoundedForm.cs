using System.Runtime.CompilerServices;
using Minigrad.Numerics;
using Minigrad.Operations;

namespace Minigrad.Backends.Cpu;

/// <summary>
/// The operand's numbers rounded to a format. Two numbers that are upper halves of float32 share the room of one: a product
/// of few rows is as fast as its weights are read, so half the bytes are up to half the time, and to unpack them takes two
/// instructions for two vectors. IEEE halves would take seven, which costs more than it saves as long as the caches hold the weights.
/// </summary>
internal readonly struct RoundedForm<TRounding> : IPackedForm
    where TRounding : unmanaged, IRounding
{
    public static int Value => TRounding.IsUpperHalf ? 2 : 1;

    public static bool IsRounded => true;

    /// <summary>A NaN may have set lower bits only, without which it would be an infinity.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes Round<TLanes>(TLanes x)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes> => TLanes.IfNaN(x, float.NaN, default(TRounding).Forward(x));
}
