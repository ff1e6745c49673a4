using Minigrad.Optimizers.Clipping;

namespace Minigrad.Optimizers;

/// <summary>Parameters that are treated alike. What a group does not set, it inherits from the optimizer.</summary>
public sealed class ParameterGroup
{
    /// <summary>A group.</summary>
    /// <param name="parameters">The parameters.</param>
    /// <param name="name">What messages call the group.</param>
    /// <exception cref="ArgumentException">A parameter is null.</exception>
    public ParameterGroup(IEnumerable<Tensor> parameters, string? name = null)
    {
        ArgumentNullException.ThrowIfNull(parameters);
        Tensor[] all = [.. parameters];
        Parameters = all;
        if (Array.IndexOf(all, null) is var missing and >= 0)
        {
            throw new ArgumentException(
                $"ParameterGroup{(name is null ? string.Empty : $" '{name}'")}: parameter {missing} is null. Pass model.Parameters, after the model's layers were created.", nameof(parameters));
        }

        Name = name;
    }

    /// <summary>What messages call the group.</summary>
    public string? Name { get; }

    /// <summary>The parameters, in order.</summary>
    public IReadOnlyList<Tensor> Parameters { get; }

    /// <summary>The group's own learning rate, or null for the optimizer's.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is negative or not finite.</exception>
    public double? LearningRate
    {
        get;
        set => field = Check(value, nameof(LearningRate));
    }

    /// <summary>The group's own weight decay, or null for the optimizer's.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is negative or not finite.</exception>
    public double? WeightDecay
    {
        get;
        set => field = Check(value, nameof(WeightDecay));
    }

    /// <summary>
    /// The group's own clipping stages, which then see this group's gradients only; null for the optimizer's, which see
    /// all gradients of groups without their own.
    /// </summary>
    /// <exception cref="ArgumentException">A stage is null.</exception>
    public IReadOnlyList<ClipStage>? Clip
    {
        get;
        set => field = value is null ? null : ClipStage.CheckAll(value, nameof(ParameterGroup));
    }

    /// <summary>
    /// The group's own clip of each parameter's update, or null for the optimizer's. <c>UpdateClip.Rms(double.PositiveInfinity)</c>
    /// measures updates and leaves them as they are.
    /// </summary>
    public UpdateClip? UpdateClip { get; set; }

    /// <summary>Checks a setting.</summary>
    /// <param name="value">What it is to be.</param>
    /// <param name="name">What it is called.</param>
    /// <exception cref="ArgumentOutOfRangeException">It is negative or not finite.</exception>
    internal double? Check(double? value, string name) => value is null || (value >= 0 && double.IsFinite(value.Value))
        ? value
        : throw new ArgumentOutOfRangeException(
            name, value, $"ParameterGroup{(Name is null ? string.Empty : $" '{Name}'")}.{name} must be a finite number that is not negative, or null to have the optimizer's, but it is {value}.");
}
