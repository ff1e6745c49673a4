namespace Minigrad.Autodiff;

/// <summary>Where a functional gradient gathers for one of the tensors asked for.</summary>
internal sealed class GradientCapture
{
    /// <summary>The gradient gathered so far.</summary>
    public Tensor? Gradient { get; set; }
}
