using Minigrad.Operations;

namespace Minigrad.Layers;

/// <summary>
/// In training, sets each element to 0 with a probability and scales the others by 1 / (1 − p), so that the expectation
/// stays; in use, passes everything (Srivastava et al., 2014). Any shape in, the same out: <c>[…] → […]</c>.
/// </summary>
public sealed class Dropout : Layer
{
    private readonly float probability;
    private readonly Generator generator;

    /// <summary>A layer.</summary>
    /// <param name="probability">How likely an element is dropped, from 0 to 1.</param>
    /// <param name="generator">What the masks are drawn from; a fork of <see cref="Generator.Default"/> if null. A run that is to be resumed to the bit
    /// needs one of its own, whose <see cref="Generator.Position"/> it keeps.</param>
    /// <exception cref="ArgumentOutOfRangeException">The probability is not from 0 to 1.</exception>
    public Dropout(float probability = 0.5f, Generator? generator = null)
    {
        this.probability = CheckProbability(probability);
        this.generator = generator ?? Generator.Default.Fork("dropout");
    }

    /// <inheritdoc/>
    public override string ToString() => FormattableString.Invariant($"Dropout({probability})");

    /// <inheritdoc/>
    protected override Tensor Compute(Tensor input) => IsTraining ? Drop(input, probability, generator) : input;

    /// <summary>Drops elements of a tensor as a layer in training does.</summary>
    internal static Tensor Drop(Tensor input, float probability, Generator generator)
    {
        if (probability == 0)
        {
            return input;
        }

        float kept = 1f - probability;
        BernoulliDistribution distribution = new(kept, kept == 0 ? 0f : 1f / kept);
        return input * Tensor.Random(input.Shape, distribution, generator, input.Backend);
    }

    /// <summary>Checks a probability of dropping.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is not from 0 to 1.</exception>
    internal static float CheckProbability(float probability) => probability >= 0 && probability <= 1
        ? probability
        : throw new ArgumentOutOfRangeException(
            nameof(probability), probability, "Dropout takes the probability of dropping an element, from 0 (none) to 1 (all).");
}
