using Minigrad.Numerics;

namespace Minigrad.Operations;

/// <summary>A distribution to draw from, as a function of independent uniform numbers.</summary>
public interface IDistribution
{
    /// <summary>One sample.</summary>
    /// <typeparam name="T">The number type; see <see cref="IReal{T}"/>.</typeparam>
    /// <param name="u">A uniform number in (0, 1), never 0 or 1.</param>
    /// <param name="v">A second one, independent of the first.</param>
    T Sample<T>(T u, T v)
        where T : struct, IReal<T>;
}
