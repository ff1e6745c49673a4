using Minigrad.Numerics;

namespace Minigrad.Operations;

/// <summary>An elementwise function of two variables, y = f(a, b). See <see cref="IUnaryOp"/> for how to write one.</summary>
public interface IBinaryOp
{
    /// <summary>y = f(a, b).</summary>
    /// <typeparam name="T">The number type; see <see cref="IReal{T}"/>.</typeparam>
    /// <param name="a">One element, or one vector of elements, of the first operand.</param>
    /// <param name="b">The same of the second operand.</param>
    T Forward<T>(T a, T b)
        where T : struct, IReal<T>;
}
