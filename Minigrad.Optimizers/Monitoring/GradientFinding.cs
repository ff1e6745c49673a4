namespace Minigrad.Optimizers.Monitoring;

/// <summary>Something that a <see cref="GradientMonitor"/> has found.</summary>
/// <param name="Fault">What is wrong.</param>
/// <param name="Layer">The path of the layer where it is worst; its kind if it has no path.</param>
/// <param name="Ratio">How bad it is: the ratio that the message speaks of.</param>
/// <param name="Message">All of it in plain words.</param>
public sealed record GradientFinding(GradientFault Fault, string Layer, double Ratio, string Message)
{
    /// <summary>The message.</summary>
    public override string ToString() => Message;
}
