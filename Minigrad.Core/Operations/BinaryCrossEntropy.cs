using System.Runtime.CompilerServices;
using Minigrad.Numerics;

namespace Minigrad.Operations;

/// <summary>
/// With p = a a probability and t = b its target: y = −t · ln p − (1 − t) · ln(1 − p), each logarithm at least −100, where its slope is 10¹²; both as
/// in PyTorch.
/// </summary>
public readonly struct BinaryCrossEntropy : IBinaryOp
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Forward<T>(T a, T b)
        where T : struct, IReal<T> => -((b * Bounded(a, T.Log(a))) + ((1f - b) * Bounded(1f - a, T.Log1P(-a))));

    /// <summary>ln x, or where that is less −100 on a line, which has a slope and, since x is at most 10⁻⁴³ there, no height: a certainty that is wrong learns.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T Bounded<T>(T x, T logarithm)
        where T : struct, IReal<T> => T.Less(logarithm, -100f, (1e12f * x) - 100f, logarithm);
}
