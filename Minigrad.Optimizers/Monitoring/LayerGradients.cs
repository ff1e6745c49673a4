namespace Minigrad.Optimizers.Monitoring;

/// <summary>What a <see cref="GradientMonitor"/> knows of a layer with parameters.</summary>
/// <param name="Layer">Its path; its kind if it has none.</param>
/// <param name="Place">Its place among the layers with parameters, from 1.</param>
/// <param name="Norm">The L2 norm of the gradients of all its parameters together, before clipping, at the last step in which it had one; NaN before the first.</param>
/// <param name="MedianNorm">The median of those norms over the last steps; NaN before the first.</param>
/// <param name="RatioToLast">The median as a multiple of the last layer's.</param>
/// <param name="UpdateRatio">‖Δw‖ / ‖w‖: which part of themselves a step changes its weights by, the median of some steps; NaN before the first.</param>
public sealed record LayerGradients(string Layer, int Place, double Norm, double MedianNorm, double RatioToLast, double UpdateRatio);
