using Minigrad.Operations;

namespace Minigrad.Layers;

/// <summary>
/// In training, sets each element to 0 with a probability and scales the others by 1 / (1 − p), so that the expectation
/// stays; in use, passes everything (Srivastava et al., 2014).
/// </summary>
public sealed class Dropout : Layer
{
    private readonly float probability;
    private readonly Generator generator;

    /// <summary>A layer.</summary>
    /// <param name="probability">How likely an element is dropped, from 0 to 1.</param>
    /// <param name="generator">What the masks are drawn from; the <c>dropout</c> stream of <see cref="Generator.Default"/> if null.</param>
    /// <exception cref="ArgumentOutOfRangeException">The probability is not from 0 to 1.</exception>
    public Dropout(float probability = 0.5f, Generator? generator = null)
    {
        if (!(probability >= 0 && probability <= 1))
        {
            throw new ArgumentOutOfRangeException(
                nameof(probability), probability, "Dropout takes the probability of dropping an element, from 0 (none) to 1 (all).");
        }

        this.probability = probability;
        this.generator = generator ?? Generator.Default.For("dropout");
    }

    /// <inheritdoc/>
    public override string ToString() => $"Dropout({probability})";

    /// <inheritdoc/>
    protected override Tensor Compute(Tensor input)
    {
        if (!IsTraining || probability == 0)
        {
            return input;
        }

        float kept = 1f - probability;
        BernoulliDistribution distribution = new(kept, kept == 0 ? 0f : 1f / kept);
        return input * Tensor.Random(input.Shape, distribution, generator, input.Backend);
    }
}
