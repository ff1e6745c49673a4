using Minigrad.Numerics;

namespace Minigrad.Operations;

/// <summary>An associative way to make one number of many: terms of the elements, combined in a fixed order.</summary>
public interface IReduction
{
    /// <summary>The result over no elements, which combining leaves unchanged.</summary>
    float Initial { get; }

    /// <summary>What one element contributes.</summary>
    /// <typeparam name="T">The number type; see <see cref="IReal{T}"/>.</typeparam>
    /// <param name="x">One element, or one vector of elements.</param>
    T Term<T>(T x)
        where T : struct, IReal<T>;

    /// <summary>Two partial results made one.</summary>
    /// <typeparam name="T">The number type; see <see cref="IReal{T}"/>.</typeparam>
    /// <param name="a">The partial result of earlier elements.</param>
    /// <param name="b">The partial result of later elements.</param>
    T Combine<T>(T a, T b)
        where T : struct, IReal<T>;
}
