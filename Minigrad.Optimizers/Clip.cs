using System.Globalization;
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
    /// <param name="order">The order p of the norm: 1, 2, any number of at least 0.1, or +∞ for the largest magnitude.</param>
    /// <param name="pyTorchEpsilon">Added to the norm before dividing: PyTorch adds 10⁻⁶; 0 is exact at n = c.</param>
    /// <exception cref="ArgumentOutOfRangeException">The threshold is 0, negative or NaN, the order below 0.1 or NaN, or ε is negative or not finite.</exception>
    public static ClipStage GlobalNorm(Threshold threshold, double order = 2, double pyTorchEpsilon = 0) =>
        Norm(nameof(GlobalNorm), threshold, NormMeasure.Norm, isCommon: 1, order, pyTorchEpsilon);

    /// <summary>
    /// Scales each parameter's gradient by its own coefficient c / max(n, c). Unlike a global norm it changes the direction
    /// of the step.
    /// </summary>
    /// <param name="threshold">c; a rule keeps a history for each parameter.</param>
    /// <param name="order">The order p of the norm.</param>
    /// <param name="pyTorchEpsilon">Added to the norm before dividing: PyTorch adds 10⁻⁶; 0 is exact at n = c.</param>
    /// <exception cref="ArgumentOutOfRangeException">The threshold is 0, negative or NaN, the order below 0.1 or NaN, or ε is negative or not finite.</exception>
    public static ClipStage ParameterNorm(Threshold threshold, double order = 2, double pyTorchEpsilon = 0) =>
        Norm(nameof(ParameterNorm), threshold, NormMeasure.Norm, isCommon: 0, order, pyTorchEpsilon);

    /// <summary>
    /// Scales each parameter's gradient by c / max(r, c), where r is the root of the mean square of its elements, ‖g‖₂ / √size (as
    /// optax's <c>clip_by_block_rms</c>). One threshold suits parameters of every size.
    /// </summary>
    /// <param name="threshold">c; a rule keeps a history for each parameter.</param>
    /// <exception cref="ArgumentOutOfRangeException">The threshold is 0, negative or NaN.</exception>
    public static ClipStage BlockRms(Threshold threshold) =>
        Norm(nameof(BlockRms), threshold, NormMeasure.RootMeanSquare, isCommon: 0, order: 2, epsilon: 0);

    /// <summary>
    /// Scales each parameter's gradient by c / max(a, c), where a = ‖g‖₂ / size is its average norm (as TensorFlow 1's
    /// <c>clip_by_average_norm</c>): no mean, since the norm does not grow with the size.
    /// </summary>
    /// <param name="threshold">c; a rule keeps a history for each parameter.</param>
    /// <exception cref="ArgumentOutOfRangeException">The threshold is 0, negative or NaN.</exception>
    public static ClipStage AverageNorm(Threshold threshold) =>
        Norm(nameof(AverageNorm), threshold, NormMeasure.Average, isCommon: 0, order: 2, epsilon: 0);

    /// <summary>
    /// Adaptive gradient clipping (Brock et al., 2021, arXiv:2102.06171): limits the norm of each output unit's gradient to
    /// a part of the norm of its weights.
    /// </summary>
    /// <param name="clipping">λ, the largest ratio of gradient norm to weight norm, 0.01 if not given; a rule keeps a history of the ratios of each unit.</param>
    /// <param name="epsilon">ε, the smallest weight norm that counts.</param>
    /// <param name="layout">Whether a unit is a row of a weight, as in Minigrad's layers, or a column.</param>
    /// <exception cref="ArgumentOutOfRangeException">λ is 0, negative or NaN, ε is not positive and finite, or there is no such layout.</exception>
    public static ClipStage UnitNorm(Threshold? clipping = null, double epsilon = 1e-3, UnitLayout layout = UnitLayout.Rows) =>
        new UnitNormClip(clipping ?? 0.01, epsilon, layout);

    /// <summary>
    /// Clamps every element to ±c. The direction of the step changes. Under <see cref="NonFinitePolicy.Propagate"/> NaN stays NaN and all
    /// other elements are clamped; a rule that remembers has no threshold then, and makes all NaN (see <see cref="Threshold"/>).
    /// </summary>
    /// <param name="bound">c; a rule sees the largest magnitude of all gradients, for which they are measured once more.</param>
    /// <exception cref="ArgumentOutOfRangeException">The bound is 0, negative or NaN.</exception>
    public static ClipStage Value(Threshold bound)
    {
        ArgumentNullException.ThrowIfNull(bound);
        return Value(bound, -1, 1, details: string.Empty);
    }

    /// <summary>Clamps every element to an interval. The direction of the step changes; NaN and infinities are as in <see cref="Value(Threshold)"/>.</summary>
    /// <param name="low">The lower edge, at most 0; −∞ for none.</param>
    /// <param name="high">The upper edge, at least 0; +∞ for none.</param>
    /// <param name="scale">What both edges are multiplied by, 1 if not given; a rule sees the largest magnitude of all gradients, for which they are measured once more.</param>
    /// <exception cref="ArgumentOutOfRangeException">The interval has no length, does not contain 0, or an edge is NaN; the scale is 0, negative or NaN.</exception>
    public static ClipStage Value(double low, double high, Threshold? scale = null)
    {
        if (!(low <= 0) || !(high >= 0) || low == high)
        {
            throw new ArgumentOutOfRangeException(
                nameof(low), low, string.Create(CultureInfo.InvariantCulture, $"Clip.Value: the interval must contain 0 and have a length (low ≤ 0 ≤ high, low < high), but it is from {low} to {high}. Without 0 in it, a parameter whose gradient is 0 would move; with 0 alone, none would."));
        }

        return Value(scale ?? 1, low, high, string.Create(CultureInfo.InvariantCulture, $", from {low} to {high}"));
    }

    private static DecisionStage<ValueDecision> Value(Threshold scale, double low, double high, string details) => new(
        nameof(Value), scale, new ValueDecision(low, high), scale.SeesNorms ? double.PositiveInfinity : 2, details);

    private static DecisionStage<NormDecision> Norm(
        string name, Threshold threshold, NormMeasure measure, int isCommon, double order, double epsilon) => new(
            name,
            threshold,
            new NormDecision(isCommon, (int)measure, CheckEpsilon(epsilon, name)),
            order,
            order == 2 ? string.Empty : string.Create(CultureInfo.InvariantCulture, $", order {order}"));

    private static double CheckEpsilon(double epsilon, string stage) => epsilon >= 0 && double.IsFinite(epsilon)
        ? epsilon
        : throw new ArgumentOutOfRangeException(
            nameof(epsilon), epsilon, string.Create(CultureInfo.InvariantCulture, $"Clip.{stage}: pyTorchEpsilon is added to the norm before dividing and must be finite and not negative, but it is {epsilon}: a negative one makes coefficients too large, or turns gradients round. PyTorch's is 1e-6; 0 is exact."));
}
