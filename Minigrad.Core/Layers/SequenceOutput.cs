namespace Minigrad.Layers;

/// <summary>What a recurrent layer gives: <c>(Tensor output, RecurrentState state) = lstm.Forward(input, state);</c></summary>
/// <param name="Output">
/// The last layer's hidden values of every step: <c>[batch, time, directions · hidden]</c>, or time first; zeros after the end
/// of a shorter sequence. <c>[time, directions · hidden]</c> of a single sequence <c>[time, in]</c>, and of a single step
/// <c>[batch, hidden]</c>.
/// </param>
/// <param name="State">
/// What every layer ended with, after each sequence's own last step: <c>[layers · directions, batch, hidden]</c>. A single
/// sequence is a batch of one there too: <c>[layers · directions, 1, hidden]</c>.
/// </param>
public sealed record SequenceOutput(Tensor Output, RecurrentState State);
