namespace Minigrad.Data;

/// <summary>Sequences of different lengths side by side.</summary>
/// <param name="Inputs">The sequences, <c>[batch, longest, features]</c>, each followed by zeros.</param>
/// <param name="Lengths">How many steps of each sequence are its own.</param>
/// <param name="Labels">The class of each sequence; empty if there are none.</param>
public sealed record SequenceBatch(Tensor Inputs, int[] Lengths, int[] Labels);
