using Minigrad.Numerics;
using Minigrad.Operations;

namespace Minigrad.Benchmarks;

/// <summary>
/// σ(x) · tanh x + sin x · e^(−x²), as a user might write it: <see cref="Forward"/> is not marked to be inlined, so the JIT has
/// less room for its four functions, and for those of its slope, than for a formula of the engine.
/// </summary>
internal readonly struct GatedWave : IUnaryOp
{
    public T Forward<T>(T x)
        where T : struct, IReal<T> => (T.Sigmoid(x) * T.Tanh(x)) + (T.Sin(x) * T.Exp(-(x * x)));
}
