using ILGPU;
using Minigrad.Numerics;
using Minigrad.Operations;

namespace Minigrad.Gpu.Kernels;

/// <summary>A <see cref="Backends.GradientScale"/> as a kernel argument.</summary>
/// <param name="first">The first factor of the coefficient.</param>
/// <param name="second">The second factor of the coefficient.</param>
/// <param name="bound">The largest magnitude, +∞ for none.</param>
/// <param name="unitFactors">Two factors for each unit; any view if there are no units.</param>
/// <param name="unitLength">How many elements make a unit, 0 if there are no units.</param>
internal readonly struct UpdateArguments(
    float first, float second, float bound, ArrayView<float> unitFactors, int unitLength)
{
    /// <summary>The first factor of the coefficient.</summary>
    public readonly float First = first;

    /// <summary>The second factor of the coefficient.</summary>
    public readonly float Second = second;

    /// <summary>The largest magnitude, +∞ for none.</summary>
    public readonly float Bound = bound;

    /// <summary>Two factors for each unit.</summary>
    public readonly ArrayView<float> UnitFactors = unitFactors;

    /// <summary>How many elements make a unit, 0 if there are no units.</summary>
    public readonly int UnitLength = unitLength;

    /// <summary>An element of the gradient as the update reads it.</summary>
    /// <param name="element">The number in memory.</param>
    /// <param name="place">Which element it is.</param>
    public Scalar Gradient(float element, int place)
    {
        float firstFactor = First;
        float secondFactor = Second;
        if (UnitLength > 0)
        {
            int unit = place / UnitLength;
            firstFactor *= UnitFactors[2 * unit];
            secondFactor *= UnitFactors[(2 * unit) + 1];
        }

        return new ScaledGradient(firstFactor, secondFactor, Bound).Forward(new Scalar(element));
    }
}
