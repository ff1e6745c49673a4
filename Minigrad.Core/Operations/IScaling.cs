using Minigrad.Numerics;

namespace Minigrad.Operations;

/// <summary>A product or a quotient: with a number for its second operand it is linear, and has the slope of a number even where x is infinite.</summary>
public interface IScaling : IBinaryOp
{
    /// <summary>y = f(x, c) for a number c, which has no derivative that an infinite x could meet.</summary>
    /// <typeparam name="T">The number type; see <see cref="IReal{T}"/>.</typeparam>
    /// <param name="x">One element, or one vector of elements.</param>
    /// <param name="number">c.</param>
    T Scale<T>(T x, float number)
        where T : struct, IReal<T>;
}
