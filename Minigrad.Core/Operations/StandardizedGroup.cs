using System.Runtime.CompilerServices;
using Minigrad.Numerics;

namespace Minigrad.Operations;

/// <summary>
/// A group of numbers whose mean and variance are known: what layer, batch and root-mean-square normalisation make of one
/// of them, and its gradient.
/// </summary>
/// <typeparam name="T">The number type; see <see cref="IReal{T}"/>.</typeparam>
/// <param name="mean">The group's mean; 0 where it is not subtracted.</param>
/// <param name="variance">The mean of the squared deviations from it.</param>
/// <param name="epsilon">ε, added to the variance.</param>
public readonly struct StandardizedGroup<T>(T mean, T variance, float epsilon)
    where T : struct, IReal<T>
{
    private readonly T mean = mean;
    private readonly T scale = default(ReciprocalSquareRoot).Forward(variance + epsilon);

    /// <summary>x̂ = (x − mean) / √(variance + ε).</summary>
    /// <param name="x">A number of the group.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Value(T x) => (x - mean) * scale;

    /// <summary>y = x̂ · weight + bias.</summary>
    /// <param name="x">A number of the group.</param>
    /// <param name="weight">Its weight.</param>
    /// <param name="bias">Its bias.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Output(T x, T weight, T bias) => (Value(x) * weight) + bias;

    /// <summary>
    /// The gradient of x: (h − mean(h) − x̂ · mean(h · x̂)) / √(variance + ε), where h is the gradient of x̂. Where no mean is
    /// subtracted, mean(h) is left out: pass 0.
    /// </summary>
    /// <param name="x">A number of the group.</param>
    /// <param name="h">The gradient of its x̂, which is that of y times the weight.</param>
    /// <param name="meanGradient">mean(h) over the group, or 0.</param>
    /// <param name="meanProduct">mean(h · x̂) over the group.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T InputGradient(T x, T h, T meanGradient, T meanProduct) =>
        (h - meanGradient - (Value(x) * meanProduct)) * scale;
}
