namespace Minigrad.Backends;

/// <summary>
/// The groups that a normalisation gives mean 0 and variance 1. Group g of the numbers x[outer, g, inner] is all of its
/// outer · inner numbers: a row of layer normalisation (outer is 1), a channel of batch normalisation.
/// </summary>
/// <param name="Outer">The product of the dimensions before the groups.</param>
/// <param name="Groups">How many groups there are.</param>
/// <param name="Inner">The product of the dimensions after the groups.</param>
public readonly record struct NormalizationShape(int Outer, int Groups, int Inner)
{
    /// <summary>
    /// Whether weight and bias have one number for each group, as in batch normalisation, and not one for each place in the
    /// inner dimension, as in layer normalisation.
    /// </summary>
    public bool IsWeightPerGroup { get; init; }

    /// <summary>Whether the mean is subtracted; root-mean-square normalisation takes it as 0.</summary>
    public bool IsCentred { get; init; }

    /// <summary>ε, added to the variance.</summary>
    public float Epsilon { get; init; }

    /// <summary>An ε that a normalisation can use.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is negative or not finite.</exception>
    internal static float CheckedEpsilon(float epsilon, string operation) => epsilon >= 0 && float.IsFinite(epsilon)
        ? epsilon
        : throw new ArgumentOutOfRangeException(
            nameof(epsilon), epsilon, $"{operation}: ε is {epsilon}, but what is added to a variance before its root is taken must be a finite number and not negative. 1e-5 is usual.");

    /// <summary>How many numbers a group has.</summary>
    public int GroupLength => Outer * Inner;

    /// <summary>How many numbers weight and bias have.</summary>
    public int WeightCount => IsWeightPerGroup ? Groups : Inner;
}
