namespace Minigrad.Gpu.Kernels;

/// <summary>
/// What a step knows of one gradient, and what is counted of its parameter. The gradient's value is
/// clamp(g · <see cref="Coefficient"/> · unit factor, <see cref="Low"/>, <see cref="High"/>), as the host's pipeline has it.
/// </summary>
internal struct GradientState
{
    /// <summary>The L2 norm of the numbers in memory.</summary>
    public double Norm;

    /// <summary>The norm of the numbers in memory in the order that the running stage asks for.</summary>
    public double StageNorm;

    /// <summary>The L2 norm under the unit factors.</summary>
    public double UnitNorm;

    /// <summary>The factor of all elements.</summary>
    public double Coefficient;

    /// <summary>The smallest value, −∞ for none.</summary>
    public double Low;

    /// <summary>The largest value, +∞ for none.</summary>
    public double High;

    /// <summary>Which stage of the step the bound is of.</summary>
    public double BoundStage;

    /// <summary>How many units have a factor other than 1.</summary>
    public double ScaledUnits;

    /// <summary>Whether these units are columns: 1, or 0 for rows.</summary>
    public double UnitsAreColumns;

    /// <summary>How many updates the parameter had.</summary>
    public double Updates;

    /// <summary>What the rule carried away from an even update.</summary>
    public double EvenMemory;

    /// <summary>What the rule carried away from an odd update.</summary>
    public double OddMemory;

    /// <summary>Whether the running update is an even one.</summary>
    public readonly bool IsEven => ((int)Updates & 1) == 0;

    /// <summary>What the rule carries into the running update.</summary>
    public readonly double Carried => IsEven ? OddMemory : EvenMemory;

    /// <summary>The L2 norm as it is now, before a bound that is pending.</summary>
    public readonly double CurrentNorm => Coefficient * (ScaledUnits > 0.0 ? UnitNorm : Norm);

    /// <summary>Whether elements are clamped.</summary>
    public readonly bool HasBounds => High < double.PositiveInfinity || Low > double.NegativeInfinity;

    /// <summary>The largest magnitude that the bounds let through.</summary>
    public readonly double LargestPossible => High > -Low ? High : -Low;

    /// <summary>Whether a stage that reads memory has to have the value written there first.</summary>
    /// <param name="unitsToo">Whether unit factors are a reason as well as a bound.</param>
    public readonly bool IsPending(int unitsToo) => HasBounds || (unitsToo != 0 && ScaledUnits > 0.0);
}
