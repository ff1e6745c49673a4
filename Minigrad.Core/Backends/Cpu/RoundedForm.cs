using System.Runtime.CompilerServices;
using Minigrad.Numerics;
using Minigrad.Operations;

namespace Minigrad.Backends.Cpu;

/// <summary>The operand's numbers rounded to a format, as float32.</summary>
internal readonly struct RoundedForm<TRounding> : IPackedForm
    where TRounding : unmanaged, IRounding
{
    public static int Value => 1;

    public static int SpareBits => 0;

    public static bool IsRounded => true;

    /// <summary>A NaN may have set lower bits only, without which it would be an infinity in 16 bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes Round<TLanes>(TLanes x)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes> => TLanes.IfNaN(x, float.NaN, default(TRounding).Forward(x));
}
