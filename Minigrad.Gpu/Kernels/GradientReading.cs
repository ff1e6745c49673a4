using Minigrad.Numerics;
using Minigrad.Operations;

namespace Minigrad.Gpu.Kernels;

/// <summary>How a step reads an element of a gradient: what is pending, and whether bad elements are read as 0.</summary>
/// <param name="record">The place of the step's record.</param>
/// <param name="firstStage">The place of the record of the step's first stage.</param>
/// <param name="readsAsZero">1 if bad elements are read as 0, else 0.</param>
/// <param name="largestUsable">The magnitude from which on a scaled element is bad.</param>
internal readonly struct GradientReading(int record, int firstStage, int readsAsZero, float largestUsable)
{
    /// <summary>The place of the step's record.</summary>
    public readonly int Record = record;

    /// <summary>The place of the record of the step's first stage.</summary>
    public readonly int FirstStage = firstStage;

    private readonly int readsAsZero = readsAsZero;
    private readonly float largestUsable = largestUsable;

    /// <summary>The element in memory.</summary>
    /// <param name="element">The number that is there.</param>
    public float Plain(float element) =>
        readsAsZero != 0 ? new KeepBelow(float.PositiveInfinity).Forward(new Scalar(element)).Value : element;

    /// <summary>The element as the update reads it.</summary>
    /// <param name="element">The number in memory.</param>
    /// <param name="first">The first factor.</param>
    /// <param name="second">The second factor.</param>
    /// <param name="low">The lower bound.</param>
    /// <param name="high">The upper bound.</param>
    /// <param name="moved">Becomes 1 where it has passed a bound.</param>
    public Scalar Scaled(float element, float first, float second, float low, float high, ref Scalar moved)
    {
        Scalar scaled = new ScaledGradient(first, second, low, high).Forward(new Scalar(Plain(element)), ref moved);
        return readsAsZero != 0 ? new KeepBelow(largestUsable).Forward(scaled) : scaled;
    }
}
