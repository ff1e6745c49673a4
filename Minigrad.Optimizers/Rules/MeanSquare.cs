using System.Runtime.CompilerServices;
using Minigrad.Numerics;

namespace Minigrad.Optimizers.Rules;

/// <summary>The running mean of g² that RMSProp divides by, plain or centred: v ← α · v + (1 − α) · g².</summary>
/// <param name="decay">α.</param>
/// <param name="rate">1 − α.</param>
/// <param name="epsilon">ε, outside the root.</param>
public readonly struct MeanSquare(float decay, float rate, float epsilon)
{
    private readonly float decay = decay;
    private readonly float rate = rate;
    private readonly float epsilon = epsilon;

    /// <summary>g / (√v + ε), after v has moved one step.</summary>
    /// <typeparam name="T">The number type.</typeparam>
    /// <param name="gradient">g.</param>
    /// <param name="square">v.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Normalize<T>(T gradient, ref T square)
        where T : struct, IReal<T>
    {
        square = Running.MeanSquare(square, decay, rate, gradient);
        return gradient / (T.Sqrt(square) + epsilon);
    }

    /// <summary>g / (√(v − ḡ²) + ε), after v and ḡ have moved one step.</summary>
    /// <typeparam name="T">The number type.</typeparam>
    /// <param name="gradient">g.</param>
    /// <param name="square">v.</param>
    /// <param name="mean">ḡ.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T NormalizeCentered<T>(T gradient, ref T square, ref T mean)
        where T : struct, IReal<T>
    {
        square = Running.MeanSquare(square, decay, rate, gradient);
        mean = Running.Mean(mean, rate, gradient);
        return gradient / (T.Sqrt(Variance(square, mean)) + epsilon);
    }

    /// <summary>v − ḡ², which rounding may not make negative.</summary>
    /// <typeparam name="T">The number type.</typeparam>
    /// <param name="square">v.</param>
    /// <param name="mean">ḡ.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Variance<T>(T square, T mean)
        where T : struct, IReal<T> => T.Max(square - (mean * mean), 0f);
}
