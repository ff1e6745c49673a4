using System.Runtime.CompilerServices;
using Minigrad.Numerics;

namespace Minigrad.Operations;

/// <summary>A row of logits whose largest value m and l = ln Σ e^(x − m) are known: its softmax, and the slope of its cross-entropy.</summary>
/// <param name="shift">m.</param>
/// <param name="logarithm">l.</param>
public readonly struct NormalizedRow(float shift, float logarithm)
{
    private readonly float shift = shift;
    private readonly float logarithm = logarithm;

    /// <summary>ln softmax(x) = x − m − l, in this order, which loses nothing where m is large.</summary>
    /// <typeparam name="T">The number type; see <see cref="IReal{T}"/>.</typeparam>
    /// <param name="logit">x.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T LogProbability<T>(T logit)
        where T : struct, IReal<T> => logit - shift - logarithm;

    /// <summary>g · (Σ t · softmax(x) − t).</summary>
    /// <typeparam name="T">The number type; see <see cref="IReal{T}"/>.</typeparam>
    /// <param name="logit">x.</param>
    /// <param name="target">t, the part of the row's target at this class.</param>
    /// <param name="total">Σ t.</param>
    /// <param name="gradient">g.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Slope<T>(T logit, T target, float total, float gradient)
        where T : struct, IReal<T> => gradient * ((total * T.Exp(LogProbability(logit))) - target);
}
