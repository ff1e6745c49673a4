namespace Minigrad.Autodiff;

/// <summary>What a recurrent sequence is computed from, or the gradients of that.</summary>
/// <param name="Projected">What the gates of each row receive from the input: <c>[rows of all steps, G · hidden]</c>.</param>
/// <param name="Weight">The recurrent weights: <c>[G · hidden, hidden]</c>.</param>
/// <param name="Bias">The recurrent bias, <c>[G · hidden]</c>, or null.</param>
/// <param name="Hidden">The hidden values before the first step: <c>[batch, hidden]</c>.</param>
/// <param name="State">The cell states before the first step, <c>[batch, hidden]</c>, or null for a cell without.</param>
internal sealed record SequenceInputs(Tensor Projected, Tensor Weight, Tensor? Bias, Tensor Hidden, Tensor? State);
