namespace Minigrad.Operations;

/// <summary>An update rule that makes a part of the update, which follows from what is measured of it and a threshold.</summary>
/// <typeparam name="TRule">The implementing type itself.</typeparam>
public interface IMeasuredRule<TRule> : IUpdateMeasure
    where TRule : unmanaged, IMeasuredRule<TRule>
{
    /// <summary>The rule that makes only a part of the update.</summary>
    /// <param name="coefficient">Which part.</param>
    TRule Shortened(double coefficient);
}
