using System.Runtime.CompilerServices;
using Minigrad.Numerics;

namespace Minigrad.Operations;

/// <summary>
/// Rows of logits whose largest values m and l = ln Σ e^(x − m) are known, one row or one in each lane: their softmax, and the slope of
/// their cross-entropy.
/// </summary>
/// <typeparam name="T">The number type; see <see cref="IReal{T}"/>.</typeparam>
/// <param name="shift">m.</param>
/// <param name="logarithm">l.</param>
public readonly struct NormalizedRow<T>(T shift, T logarithm)
    where T : struct, IReal<T>
{
    private readonly T shift = shift;
    private readonly T logarithm = logarithm;

    /// <summary>ln softmax(x) = x − m − l, in this order, which loses nothing where m is large.</summary>
    /// <param name="logit">x.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T LogProbability(T logit) => logit - shift - logarithm;

    /// <summary>g · (Σ t · softmax(x) − t).</summary>
    /// <param name="logit">x.</param>
    /// <param name="target">t, the part of the row's target at this class.</param>
    /// <param name="total">Σ t.</param>
    /// <param name="gradient">g.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Slope(T logit, T target, T total, T gradient) => gradient * ((total * T.Exp(LogProbability(logit))) - target);
}
