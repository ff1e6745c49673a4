using System.Runtime.CompilerServices;

namespace Minigrad.Backends.Cpu;

/// <summary>
/// Numbers that begin where a line of the caches does and are never moved. A 512-bit vector is as long as a line: one that begins
/// elsewhere is read from two of them, which takes the room of two reads.
/// </summary>
internal sealed class AlignedBuffer
{
    /// <summary>Bytes in a line of the caches.</summary>
    private const int LineBytes = 64;

    private readonly float[] array;
    private readonly int first;

    /// <summary>Makes room for numbers, which are undefined until written.</summary>
    /// <param name="length">How many.</param>
    public unsafe AlignedBuffer(int length)
    {
        array = GC.AllocateUninitializedArray<float>(length + (LineBytes / sizeof(float)) - 1, pinned: true);
        nuint past = (nuint)Unsafe.AsPointer(ref array[0]) % LineBytes;
        first = past == 0 ? 0 : (int)(LineBytes - past) / sizeof(float);
        Length = length;
    }

    /// <summary>How many numbers there is room for.</summary>
    public int Length { get; }

    /// <summary>Some of the numbers.</summary>
    public ArraySegment<float> Slice(int start, int length) => new(array, first + start, length);
}
