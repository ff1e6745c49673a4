using Minigrad.Numerics;

namespace Minigrad.Backends.Cpu;

/// <summary>The operand's numbers as they are.</summary>
internal readonly struct PlainForm : IPackedForm
{
    public static int Value => 1;

    public static bool IsRounded => false;

    public static TLanes Round<TLanes>(TLanes x)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes> => x;
}
