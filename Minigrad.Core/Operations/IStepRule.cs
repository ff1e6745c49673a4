namespace Minigrad.Operations;

/// <summary>
/// An update rule whose constants follow from the number of the step, as Adam's corrections of bias do. On a device the
/// number is known there alone, since a step may have been skipped, so it is the device that makes the rule.
/// </summary>
/// <remarks>Implement it as a <c>public readonly struct</c> whose fields are the optimizer's constants.</remarks>
/// <typeparam name="TRule">The rule of one step.</typeparam>
public interface IStepRule<TRule>
    where TRule : unmanaged, IUpdateRule
{
    /// <summary>The rule of a step.</summary>
    /// <typeparam name="TMath">The functions of where it runs.</typeparam>
    /// <param name="step">Which update of the parameter this is, from 1.</param>
    /// <param name="memory">One number that is carried from step to step, 0 before the first.</param>
    TRule At<TMath>(double step, ref double memory)
        where TMath : struct, IStepMath;
}
