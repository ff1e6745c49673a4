using Minigrad.Optimizers.Clipping;

namespace Minigrad.Optimizers;

/// <summary>
/// The clipping stages. The scope is in the name: all gradients together, each parameter's, each output unit's, or each
/// element. Thresholds are positive; +∞ measures and never clips; 0, negative numbers and NaN are refused.
/// </summary>
public static class Clip
{
    /// <summary>
    /// Scales all gradients by one coefficient c / max(n, c), so that their common norm n is at most c (Pascanu, Mikolov
    /// and Bengio, 2012, arXiv:1211.5063). The direction of the step stays.
    /// </summary>
    /// <param name="threshold">c.</param>
    /// <param name="order">The order p of the norm: 1, 2, any positive number, or +∞ for the largest magnitude.</param>
    /// <param name="pyTorchEpsilon">Added to the norm before dividing: PyTorch adds 10⁻⁶; 0 is exact at n = c.</param>
    /// <exception cref="ArgumentOutOfRangeException">The threshold or the order is 0, negative or NaN.</exception>
    public static ClipStage GlobalNorm(double threshold, double order = 2, double pyTorchEpsilon = 0) =>
        new GlobalNormClip(threshold, order, pyTorchEpsilon);

    /// <summary>Scales each parameter's gradient by its own coefficient c / max(n, c).</summary>
    /// <param name="threshold">c.</param>
    /// <param name="order">The order p of the norm.</param>
    /// <param name="pyTorchEpsilon">Added to the norm before dividing: PyTorch adds 10⁻⁶; 0 is exact at n = c.</param>
    /// <exception cref="ArgumentOutOfRangeException">The threshold or the order is 0, negative or NaN.</exception>
    public static ClipStage ParameterNorm(double threshold, double order = 2, double pyTorchEpsilon = 0) =>
        new ParameterNormClip(threshold, order, pyTorchEpsilon);

    /// <summary>
    /// Adaptive gradient clipping (Brock et al., 2021, arXiv:2102.06171): limits the norm of each output unit's gradient to
    /// a part of the norm of its weights.
    /// </summary>
    /// <param name="clipping">λ, the largest ratio of gradient norm to weight norm.</param>
    /// <param name="epsilon">ε, the smallest weight norm that counts.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is 0, negative or NaN.</exception>
    public static ClipStage UnitNorm(double clipping = 0.01, double epsilon = 1e-3) => new UnitNormClip(clipping, epsilon);

    /// <summary>Clamps every element to ±c.</summary>
    /// <param name="bound">c.</param>
    /// <exception cref="ArgumentOutOfRangeException">The bound is 0, negative or NaN.</exception>
    public static ClipStage Value(double bound) => new ValueClip(bound);
}
