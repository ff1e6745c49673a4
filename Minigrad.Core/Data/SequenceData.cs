namespace Minigrad.Data;

/// <summary>Sequences of different lengths, each with a class or none with any.</summary>
public sealed class SequenceData : IDataset<SequenceBatch>
{
    private readonly float[][] sequences;
    private readonly int[] labels;

    /// <summary>A set of sequences.</summary>
    /// <param name="sequences">The sequences, each <c>[length, features]</c> with the same features; they are copied.</param>
    /// <param name="labels">The class of each; null if they have none.</param>
    /// <exception cref="ArgumentException">A sequence is null.</exception>
    /// <exception cref="ShapeException">A sequence is empty or differs in features, or there are not as many labels.</exception>
    public SequenceData(IReadOnlyList<Tensor> sequences, int[]? labels = null)
    {
        ArgumentNullException.ThrowIfNull(sequences);
        this.labels = labels ?? [];
        if (labels is not null && labels.Length != sequences.Count)
        {
            throw new ShapeException(
                $"SequenceData: {sequences.Count} sequences came with {labels.Length} labels; give one for each, or none at all.");
        }

        FeatureCount = sequences.Count > 0 && sequences[0] is { Rank: 2 } first ? first.Shape[1] : 0;
        for (int number = 0; number < sequences.Count; number++)
        {
            Shape shape = sequences[number]?.Shape ?? throw new ArgumentException(
                $"SequenceData: sequence {number} is null. Leave it out.", nameof(sequences));
            if (shape.Rank != 2 || shape[1] != FeatureCount || shape.Size == 0)
            {
                throw new ShapeException(
                    $"SequenceData: sequence {number} has shape {shape}; each must be [length, features] with at least one step, and as many features as sequence 0. Leave empty sequences out.");
            }
        }

        this.sequences = [.. sequences.Select(sequence => sequence.ToArray())];
    }

    /// <summary>The number of sequences.</summary>
    public int Count => sequences.Length;

    /// <summary>The number of features of each step.</summary>
    public int FeatureCount { get; }

    /// <inheritdoc/>
    public SequenceBatch Take(ReadOnlySpan<int> rows)
    {
        Dataset.CheckRows(this, Count, rows);
        int[] chosen = rows.ToArray();
        int[] lengths = Array.ConvertAll(chosen, row => sequences[row].Length / FeatureCount);
        int longest = lengths.DefaultIfEmpty().Max();
        Dataset.CheckFits(this, chosen.Length, (long)longest * FeatureCount);
        float[] padded = new float[chosen.Length * longest * FeatureCount];
        for (int i = 0; i < chosen.Length; i++)
        {
            sequences[chosen[i]].CopyTo(padded, i * longest * FeatureCount);
        }

        return new SequenceBatch(
            Tensor.Of(padded, chosen.Length, longest, FeatureCount),
            lengths,
            labels.Length == 0 ? [] : Array.ConvertAll(chosen, row => labels[row]));
    }

    /// <summary>What this is, for messages.</summary>
    public override string ToString() => $"{Count} sequences of {FeatureCount} features";
}
