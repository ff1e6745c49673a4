namespace Minigrad.Layers;

/// <summary>What a recurrent layer gives: <c>(Tensor output, RecurrentState state) = lstm.Forward(input, state);</c></summary>
/// <param name="Output">
/// The last layer's hidden values of every step: <c>[batch, time, directions · hidden]</c>, or time first; zeros after the end
/// of a shorter sequence.
/// </param>
/// <param name="State">What every layer ended with, after each sequence's own last step.</param>
public sealed record SequenceOutput(Tensor Output, RecurrentState State);
