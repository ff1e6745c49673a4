using Minigrad.Numerics;

namespace Minigrad.Backends.Cpu;

/// <summary>What the strips of a packed right operand hold. The count is how many numbers share the room of a float32.</summary>
internal interface IPackedForm : TileKernel.ICount
{
    /// <summary>How many of the highest bits of float32's exponent are 0 in all numbers that share their room, and are left out.</summary>
    static abstract int SpareBits { get; }

    /// <summary>Whether the numbers are others than the operand's own.</summary>
    static abstract bool IsRounded { get; }

    /// <summary>The numbers that are packed in place of the operand's.</summary>
    static abstract TLanes Round<TLanes>(TLanes x)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes>;
}
