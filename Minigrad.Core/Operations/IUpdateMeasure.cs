using Minigrad.Numerics;

namespace Minigrad.Operations;

/// <summary>
/// An update rule that looks at a whole parameter before its update is made: each element is measured, from the norm of all these
/// numbers follows a size, and that is compared with a threshold.
/// </summary>
public interface IUpdateMeasure : IUpdateRule
{
    /// <summary>The order of the norm: 2, or +∞ for the largest magnitude.</summary>
    static abstract double Order { get; }

    /// <summary>What is measured of one element; nothing moves.</summary>
    /// <typeparam name="T">The number type; see <see cref="IReal{T}"/>.</typeparam>
    /// <param name="parameter">The parameter before the update.</param>
    /// <param name="gradient">The gradient after unscaling, averaging and clipping.</param>
    /// <param name="first">The first remembered number before the update.</param>
    /// <param name="second">The second remembered number before the update.</param>
    /// <param name="third">The third remembered number before the update.</param>
    T Measure<T>(T parameter, T gradient, T first, T second, T third)
        where T : struct, IReal<T>;

    /// <summary>The size that is compared with a threshold.</summary>
    /// <typeparam name="TMath">The functions of where it runs.</typeparam>
    /// <param name="norm">The norm of what was measured; NaN if any of it is.</param>
    /// <param name="count">How many elements were measured.</param>
    double Size<TMath>(double norm, double count)
        where TMath : struct, IStepMath;

    /// <summary>Which part of the size is left; 1 for all of it.</summary>
    /// <param name="size">The size.</param>
    /// <param name="threshold">The threshold.</param>
    double Factor(double size, double threshold);
}
