using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace Minigrad.Backends.Cpu;

/// <summary>
/// Lines of the processor's caches, which can be asked for before they are needed. A processor asks by itself where an array is read
/// from first to last, but only within a page of 4 KB, and for one or two such streams in each page. A loop that reads several
/// arrays at once, or several parts of a row, gets its numbers sooner if it asks itself.
/// </summary>
internal static class CacheLine
{
    /// <summary>Numbers in a line.</summary>
    public const int Length = 16;

    /// <summary>
    /// How many numbers before it reads one a loop over arrays asks for it: memory answers in about the time of so many. A half or the double
    /// of it gained as much where it was measured.
    /// </summary>
    public const int NumbersAhead = 512;

    /// <summary>
    /// Asks for the line that holds a number, to read it or to write to it. Nothing waits for it, and no bit of a result depends on it. A place
    /// behind the end of an array is asked for in vain and does no harm.
    /// </summary>
    /// <param name="numbers">Where numbers begin.</param>
    /// <param name="place">How many numbers further.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe void Fetch(ref readonly float numbers, nuint place)
    {
        if (Sse.IsSupported)
        {
            // A reference must not point behind an array; an address may.
            Sse.Prefetch0((float*)Unsafe.AsPointer(ref Unsafe.AsRef(in numbers)) + place);
        }
    }
}
