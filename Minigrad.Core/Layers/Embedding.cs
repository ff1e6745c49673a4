using Minigrad.Autodiff;

namespace Minigrad.Layers;

/// <summary>
/// A table of learned vectors, one for each token: <c>[…] → […, width]</c>. The gradient of a row is the sum over its
/// places (a scatter-add). Parameter <c>weight</c>, <c>[tokens, width]</c>.
/// </summary>
/// <remarks>Tokens are whole numbers, so this is a module with a Forward of its own and not a <see cref="Layer"/> from tensor to tensor.</remarks>
public sealed class Embedding : Module
{
    /// <summary>A table of normal numbers, as in PyTorch.</summary>
    /// <param name="tokens">How many tokens there are, at least 1.</param>
    /// <param name="width">How long a vector is, at least 1.</param>
    /// <param name="paddingIndex">
    /// A token that stands for nothing: its vector is 0 and takes no gradient. Null if there is none.
    /// </param>
    /// <param name="generator">Where the initial numbers come from; <see cref="Generator.Default"/> if null.</param>
    /// <exception cref="ArgumentOutOfRangeException">A size is not positive, or the padding index is no token.</exception>
    /// <exception cref="ShapeException">There would be more numbers than one array can hold.</exception>
    public Embedding(int tokens, int width, int? paddingIndex = null, Generator? generator = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(tokens);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(width);
        if (paddingIndex is { } index && (index < 0 || index >= tokens))
        {
            throw new ArgumentOutOfRangeException(
                nameof(paddingIndex), index, $"Embedding: the padding index must be one of the tokens, from 0 to {tokens - 1}.");
        }

        PaddingIndex = paddingIndex;
        float[] values = Tensor.Normal([tokens, width], generator: generator).ToArray();
        if (paddingIndex is { } padding)
        {
            values.AsSpan(padding * width, width).Clear();
        }

        Weight = Parameter("weight", Tensor.Of(values, tokens, width));
    }

    /// <summary>The vectors, <c>[tokens, width]</c>.</summary>
    public Tensor Weight { get; }

    /// <summary>The token whose vector takes no gradient, or null.</summary>
    public int? PaddingIndex { get; }

    /// <summary>Looks vectors up.</summary>
    /// <param name="tokens">Token numbers, of any shape.</param>
    /// <returns><c>[…tokens, width]</c>.</returns>
    /// <exception cref="ShapeException">A token is not in the table; the message says where.</exception>
    public Tensor Forward(Indices tokens)
    {
        using LayerScope scope = Enter();
        return Weight.Embedding(tokens, PaddingIndex);
    }

    /// <inheritdoc/>
    public override string ToString() => $"Embedding({Weight.Shape[0]} → {Weight.Shape[1]})";
}
