using System.Runtime.CompilerServices;
using Minigrad.Numerics;

namespace Minigrad.Operations;

/// <summary>y = ln(1 + e^(βx)) / β, softplus; y = x where βx exceeds the threshold.</summary>
/// <param name="beta">β, how sharp the bend is.</param>
/// <param name="threshold">The value of βx above which y = x.</param>
public readonly struct SoftRectifier(float beta, float threshold) : IUnaryOp
{
    private readonly float beta = beta;
    private readonly float threshold = threshold;

    /// <summary>β itself.</summary>
    /// <param name="beta">β.</param>
    /// <exception cref="ArgumentOutOfRangeException">It is 0 or not finite.</exception>
    internal static float Checked(float beta) => float.IsFinite(beta) && beta != 0
        ? beta
        : throw new ArgumentOutOfRangeException(
            nameof(beta), beta, $"Softplus is ln(1 + e^(βx)) / β, so beta must be a finite number other than 0, but it is {beta}. 1 is usual; a larger one bends more sharply, towards Relu.");

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Forward<T>(T x)
        where T : struct, IReal<T> => T.Less(threshold, beta * x, x, T.Softplus(beta * x) / beta);
}
