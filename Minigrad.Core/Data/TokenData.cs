namespace Minigrad.Data;

/// <summary>Rows of token numbers, each with the tokens that a model should give for it.</summary>
public sealed class TokenData : IDataset<TokenData>
{
    /// <summary>Tokens with their targets.</summary>
    /// <param name="inputs">Token numbers, <c>[rows, length]</c>.</param>
    /// <param name="targets">Token numbers, of the same shape.</param>
    /// <exception cref="ShapeException">The shapes are not equal or not of two dimensions.</exception>
    public TokenData(Indices inputs, Indices targets)
    {
        ArgumentNullException.ThrowIfNull(inputs);
        ArgumentNullException.ThrowIfNull(targets);
        if (inputs.Shape.Rank != 2 || !inputs.Shape.Equals(targets.Shape))
        {
            throw new ShapeException(
                $"TokenData: inputs of shape {inputs.Shape} came with targets of shape {targets.Shape}; both must be [rows, length].");
        }

        Inputs = inputs;
        Targets = targets;
    }

    /// <summary>Token numbers, <c>[rows, length]</c>.</summary>
    public Indices Inputs { get; }

    /// <summary>The token numbers to give, <c>[rows, length]</c>.</summary>
    public Indices Targets { get; }

    /// <summary>The number of rows.</summary>
    public int Count => Inputs.Shape[0];

    /// <inheritdoc/>
    public TokenData Take(ReadOnlySpan<int> rows)
    {
        Dataset.CheckRows(this, Count, rows);
        Dataset.CheckFits(this, rows.Length, Inputs.Shape[1]);
        return new TokenData(Select(Inputs, rows), Select(Targets, rows));
    }

    /// <summary>Takes the pair apart: <c>(Indices inputs, Indices targets) = batch</c>.</summary>
    /// <param name="inputs">Token numbers, <c>[rows, length]</c>.</param>
    /// <param name="targets">The token numbers to give, <c>[rows, length]</c>.</param>
    public void Deconstruct(out Indices inputs, out Indices targets) => (inputs, targets) = (Inputs, Targets);

    /// <summary>What this is, for messages.</summary>
    public override string ToString() => $"tokens of shape {Inputs.Shape}";

    private static Indices Select(Indices table, ReadOnlySpan<int> rows)
    {
        int length = table.Shape[1];
        int[] values = new int[rows.Length * length];
        for (int i = 0; i < rows.Length; i++)
        {
            table.Values.AsSpan(rows[i] * length, length).CopyTo(values.AsSpan(i * length));
        }

        return new Indices(values, [rows.Length, length]);
    }
}
