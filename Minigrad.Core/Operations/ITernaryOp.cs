using Minigrad.Numerics;

namespace Minigrad.Operations;

/// <summary>An elementwise function of three variables, y = f(a, b, c). See <see cref="IUnaryOp"/> for how to write one.</summary>
public interface ITernaryOp
{
    /// <summary>y = f(a, b, c).</summary>
    /// <typeparam name="T">The number type; see <see cref="IReal{T}"/>.</typeparam>
    /// <param name="a">One element, or one vector of elements, of the first operand.</param>
    /// <param name="b">The same of the second operand.</param>
    /// <param name="c">The same of the third operand.</param>
    T Forward<T>(T a, T b, T c)
        where T : struct, IReal<T>;
}
