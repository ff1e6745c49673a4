using Minigrad.Optimizers.Clipping;

namespace Minigrad.Optimizers;

/// <summary>Parameters that are treated alike. What a group does not set, it inherits from the optimizer.</summary>
public sealed class ParameterGroup
{
    /// <summary>A group.</summary>
    /// <param name="parameters">The parameters.</param>
    /// <param name="name">What messages call the group.</param>
    public ParameterGroup(IEnumerable<Tensor> parameters, string? name = null)
    {
        ArgumentNullException.ThrowIfNull(parameters);
        Parameters = [.. parameters];
        Name = name;
    }

    /// <summary>What messages call the group.</summary>
    public string? Name { get; }

    /// <summary>The parameters, in order.</summary>
    public IReadOnlyList<Tensor> Parameters { get; }

    /// <summary>The group's own learning rate, or null for the optimizer's.</summary>
    public double? LearningRate { get; set; }

    /// <summary>The group's own weight decay, or null for the optimizer's.</summary>
    public double? WeightDecay { get; set; }

    /// <summary>
    /// The group's own clipping stages, which then see this group's gradients only; null for the optimizer's, which see
    /// all gradients of groups without their own.
    /// </summary>
    public IReadOnlyList<ClipStage>? Clip { get; set; }

    /// <summary>
    /// The group's own clip of each parameter's update, or null for the optimizer's. <c>UpdateClip.Rms(double.PositiveInfinity)</c>
    /// measures updates and leaves them as they are.
    /// </summary>
    public UpdateClip? UpdateClip { get; set; }
}
