using System.Runtime.CompilerServices;

namespace Minigrad.Numerics;

/// <summary>A 32-bit word, as a GPU's thread draws it.</summary>
/// <param name="value">The word.</param>
internal readonly struct OneWord(uint value) : IWords<OneWord>
{
    /// <summary>The word.</summary>
    public readonly uint Value = value;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static implicit operator OneWord(uint word) => new(word);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static OneWord operator +(OneWord x, OneWord y) => new(x.Value + y.Value);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static OneWord operator ^(OneWord x, OneWord y) => new(x.Value ^ y.Value);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static OneWord Multiply(OneWord x, OneWord y, out OneWord upper)
    {
        ulong product = (ulong)x.Value * y.Value;
        upper = new((uint)(product >> 32));
        return new((uint)product);
    }
}
