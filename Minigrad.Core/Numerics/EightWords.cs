using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Minigrad.Numerics;

/// <summary>
/// Eight 32-bit words in two 256-bit registers (AVX2), each the lower half of a 64-bit lane. That is where the processor's
/// multiplication takes its factors from; what stands in the upper halves does not matter to it, nor here.
/// </summary>
/// <param name="first">Words 0 to 3.</param>
/// <param name="last">Words 4 to 7.</param>
internal readonly struct EightWords(Vector256<ulong> first, Vector256<ulong> last) : IWords<EightWords>
{
    private readonly Vector256<ulong> first = first;
    private readonly Vector256<ulong> last = last;

    /// <summary>Whether the processor has the instructions.</summary>
    public static bool IsSupported => Avx2.IsSupported;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static implicit operator EightWords(uint word) => new(Vector256.Create((ulong)word), Vector256.Create((ulong)word));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static EightWords operator +(EightWords x, EightWords y) => new(x.first + y.first, x.last + y.last);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static EightWords operator ^(EightWords x, EightWords y) => new(x.first ^ y.first, x.last ^ y.last);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static EightWords Multiply(EightWords x, EightWords y, out EightWords upper)
    {
        Vector256<ulong> first = Avx2.Multiply(x.first.AsUInt32(), y.first.AsUInt32());
        Vector256<ulong> last = Avx2.Multiply(x.last.AsUInt32(), y.last.AsUInt32());
        upper = new(first >> 32, last >> 32);
        return new(first, last);
    }

    /// <summary>The lower halves of a number and the seven after it, modulo 2⁶⁴.</summary>
    /// <param name="number">The first number.</param>
    /// <param name="upper">The upper halves.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static EightWords From(ulong number, out EightWords upper)
    {
        Vector256<ulong> first = Vector256.Create(number) + Vector256<ulong>.Indices;
        Vector256<ulong> last = first + Vector256.Create(4UL);
        upper = new(first >> 32, last >> 32);
        return new(first, last);
    }

    /// <summary>The words side by side.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector256<uint> Narrow() => Vector256.Narrow(first, last);
}
