using Minigrad.Numerics;

namespace Minigrad.Backends.Cpu;

/// <summary>What the strips of a packed right operand hold. The count is how many numbers share the room of a float32.</summary>
internal interface IPackedForm : TileKernel.ICount
{
    /// <summary>Whether the numbers are others than the operand's own.</summary>
    static abstract bool IsRounded { get; }

    /// <summary>The numbers that are packed in place of the operand's.</summary>
    static abstract TLanes Round<TLanes>(TLanes x)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes>;
}
