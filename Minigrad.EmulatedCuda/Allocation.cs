using System.Runtime.InteropServices;

namespace Minigrad.EmulatedCuda;

/// <summary>A piece of the device's memory, filled with what no program expects.</summary>
internal sealed unsafe class Allocation
{
    /// <summary>What memory holds before it is written: as a float32 or a float64 NaN, as an integer a very large place.</summary>
    public const byte Unwritten = 0xFF;

    /// <summary>Above this only what is used costs the host memory and time.</summary>
    private const nuint MostFilled = 1 << 26;

    /// <summary>Allocates a piece.</summary>
    /// <param name="size">Its bytes.</param>
    public Allocation(nuint size)
    {
        Size = size;
        Begin = (byte*)NativeMemory.AlignedAlloc(size, 256);
        Records = (AccessRecord*)NativeMemory.AllocZeroed((size / 4) + 1, (nuint)sizeof(AccessRecord));
        if (size <= MostFilled)
        {
            NativeMemory.Fill(Begin, size, Unwritten);
        }
    }

    /// <summary>Its first byte.</summary>
    public byte* Begin { get; }

    /// <summary>Its bytes.</summary>
    public nuint Size { get; }

    /// <summary>Who has used each 4 bytes.</summary>
    public AccessRecord* Records { get; }

    /// <summary>Whether some bytes are all in it.</summary>
    /// <param name="address">The first.</param>
    /// <param name="size">How many.</param>
    public bool Has(byte* address, nuint size) =>
        address >= Begin && (nuint)(address - Begin) <= Size && size <= Size - (nuint)(address - Begin);

    /// <summary>Gives the memory back.</summary>
    public void Free()
    {
        NativeMemory.AlignedFree(Begin);
        NativeMemory.Free(Records);
    }
}
