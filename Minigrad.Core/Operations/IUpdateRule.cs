using Minigrad.Numerics;

namespace Minigrad.Operations;

/// <summary>
/// An optimizer's update of one parameter element, written once: it runs over lanes on the CPU and as a kernel on the
/// GPU, with the gradient's pending scale already applied.
/// </summary>
/// <remarks>Implement it as a <c>public readonly struct</c> whose fields are this step's constants.</remarks>
public interface IUpdateRule
{
    /// <summary>How many numbers the rule remembers per parameter element, 0 to 3.</summary>
    int StateCount { get; }

    /// <summary>Moves one element, and what is remembered of it, one step forward.</summary>
    /// <typeparam name="T">The number type; see <see cref="IReal{T}"/>.</typeparam>
    /// <param name="parameter">The parameter p, updated in place. A clip of updates runs the rule on 0 to see what it adds, so a rule that reads p cannot have one.</param>
    /// <param name="gradient">The gradient g after unscaling, averaging and clipping.</param>
    /// <param name="first">The first remembered number; untouched if <see cref="StateCount"/> is 0.</param>
    /// <param name="second">The second remembered number; untouched if <see cref="StateCount"/> is below 2.</param>
    /// <param name="third">The third remembered number; untouched if <see cref="StateCount"/> is below 3.</param>
    void Update<T>(ref T parameter, T gradient, ref T first, ref T second, ref T third)
        where T : struct, IReal<T>;
}
