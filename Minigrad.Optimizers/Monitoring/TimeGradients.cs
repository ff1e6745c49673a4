namespace Minigrad.Optimizers.Monitoring;

/// <summary>How the gradient of a recurrent layer changes along a sequence.</summary>
/// <param name="Layer">The layer's path, its kind if it has none; for a stacked or bidirectional one with the number and direction.</param>
/// <param name="Norms">
/// For each step, in the order in which the layer reads them, the root mean square over the sequences that reach it of the norm of
/// the gradient at the gates' inputs, which is what flows back along the sequence and what arrives from the output.
/// </param>
public sealed record TimeGradients(string Layer, IReadOnlyList<double> Norms);
