namespace Minigrad.Optimizers;

/// <summary>Where what becomes of some updates of a step of the host is noted.</summary>
/// <param name="first">The place of the first among the parameters that have gradients.</param>
/// <param name="coefficients">Which part of each update is made, 1 at first; empty if no update is clipped.</param>
/// <param name="clamped">Whether an element of each gradient has passed a bound.</param>
internal readonly ref struct UpdatePlaces(int first, Span<double> coefficients, Span<bool> clamped)
{
    /// <summary>The place of the first among the parameters that have gradients.</summary>
    public int First { get; } = first;

    /// <summary>Which part of each update is made, 1 at first; empty if no update is clipped.</summary>
    public Span<double> Coefficients { get; } = coefficients;

    /// <summary>Whether an element of each gradient has passed a bound.</summary>
    public Span<bool> Clamped { get; } = clamped;
}
