using Minigrad.Numerics;

namespace Minigrad.Operations;

/// <summary>
/// A unary function whose slope is cheapest from its output, as tanh's 1 − y². Declaring it is optional and changes
/// only speed: without it the slope comes from <see cref="IUnaryOp.Forward"/> by <see cref="Dual{T}"/>. Backward then
/// saves the output and not the input. A test holds every declared slope against the derived one.
/// </summary>
public interface IOutputSlope : IUnaryOp
{
    /// <summary>dy/dx as a function of y = f(x).</summary>
    /// <typeparam name="T">The number type; see <see cref="IReal{T}"/>.</typeparam>
    /// <param name="y">The output.</param>
    T SlopeFromOutput<T>(T y)
        where T : struct, IReal<T>;
}
