using Minigrad.Numerics;

namespace Minigrad.Operations;

/// <summary>
/// An elementwise function of one variable, y = f(x). Writing <see cref="Forward"/> is all there is to do: the same
/// method runs vectorised on the CPU, as a GPU kernel, and as its own derivative.
/// </summary>
/// <remarks>
/// Implement it as a <c>public readonly struct</c>. Fields are the function's constants (a negative slope, an
/// exponent); they are numbers, never <c>bool</c>, which ILGPU refuses in a kernel argument. On the CPU a loop
/// has room for about four functions such as tanh together with their slopes. A formula of more is right, but its gradient may take
/// several times as long; as two formulas whose results are combined it does not.
/// </remarks>
/// <example>
/// <code>
/// public readonly struct Squareplus : IUnaryOp
/// {
///     public T Forward&lt;T&gt;(T x) where T : struct, IReal&lt;T&gt; => 0.5f * (x + T.Sqrt((x * x) + 4f));
/// }
/// </code>
/// </example>
public interface IUnaryOp
{
    /// <summary>y = f(x).</summary>
    /// <typeparam name="T">The number type; see <see cref="IReal{T}"/>.</typeparam>
    /// <param name="x">One element, or one vector of elements.</param>
    T Forward<T>(T x)
        where T : struct, IReal<T>;
}
