using ILGPU;
using Minigrad.Numerics;
using Minigrad.Operations;

namespace Minigrad.Gpu.Kernels;

/// <summary>A <see cref="Backends.GradientScale"/> as a kernel argument.</summary>
/// <param name="first">The first factor of the coefficient.</param>
/// <param name="second">The second factor of the coefficient.</param>
/// <param name="low">The smallest value, −∞ for none.</param>
/// <param name="high">The largest value, +∞ for none.</param>
/// <param name="unitFactors">Two factors for each unit; any view if there are no units.</param>
/// <param name="unitLength">How many consecutive elements are of one unit, 0 if there are no units.</param>
/// <param name="unitCount">How many units there are.</param>
/// <param name="clamped">One number that becomes 1 if an element passes a bound; any view if there is none.</param>
internal readonly struct UpdateArguments(
    float first,
    float second,
    float low,
    float high,
    ArrayView<float> unitFactors,
    int unitLength,
    int unitCount,
    ArrayView<float> clamped)
{
    /// <summary>The first factor of the coefficient.</summary>
    public readonly float First = first;

    /// <summary>The second factor of the coefficient.</summary>
    public readonly float Second = second;

    /// <summary>The smallest value, −∞ for none.</summary>
    public readonly float Low = low;

    /// <summary>The largest value, +∞ for none.</summary>
    public readonly float High = high;

    /// <summary>Two factors for each unit.</summary>
    public readonly ArrayView<float> UnitFactors = unitFactors;

    /// <summary>How many consecutive elements are of one unit, 0 if there are no units.</summary>
    public readonly int UnitLength = unitLength;

    /// <summary>How many units there are.</summary>
    public readonly int UnitCount = unitCount;

    /// <summary>One number that becomes 1 if an element passes a bound.</summary>
    public readonly ArrayView<float> Clamped = clamped;

    /// <summary>An element of the gradient as the update reads it.</summary>
    /// <param name="element">The number in memory.</param>
    /// <param name="place">Which element it is.</param>
    /// <param name="moved">Becomes 1 where it has passed a bound.</param>
    public Scalar Gradient(float element, int place, ref Scalar moved)
    {
        float firstFactor = First;
        float secondFactor = Second;
        if (UnitLength > 0)
        {
            int unit = place / UnitLength % UnitCount;
            firstFactor *= UnitFactors[2 * unit];
            secondFactor *= UnitFactors[(2 * unit) + 1];
        }

        return new ScaledGradient(firstFactor, secondFactor, Low, High).Forward(new Scalar(element), ref moved);
    }
}
