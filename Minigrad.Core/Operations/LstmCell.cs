using System.Runtime.CompilerServices;
using Minigrad.Numerics;

namespace Minigrad.Operations;

/// <summary>
/// The long short-term memory cell (Hochreiter and Schmidhuber, 1997) with a forget gate (Gers, Schmidhuber and Cummins,
/// 2000). From the sums of both parts, gates in PyTorch's order: i = σ(a₁), f = σ(a₂), g = tanh a₃, o = σ(a₄);
/// c′ = f · c + i · g; h′ = o · tanh c′.
/// </summary>
public readonly struct LstmCell : IRecurrentCell
{
    /// <inheritdoc/>
    public int GateCount => 4;

    /// <inheritdoc/>
    public int SavedCount => 4;

    /// <inheritdoc/>
    public bool HasState => true;

    /// <inheritdoc/>
    public bool SeparatesRecurrent => false;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Forward<T>(Gates<T> input, Gates<T> recurrent, ref T hidden, ref T state, out Gates<T> saved)
        where T : struct, IReal<T>
    {
        T i = T.Sigmoid(input.First + recurrent.First);
        T f = T.Sigmoid(input.Second + recurrent.Second);
        T g = T.Tanh(input.Third + recurrent.Third);
        T o = T.Sigmoid(input.Fourth + recurrent.Fourth);
        state = Remember(i, f, g, state);
        hidden = o * T.Tanh(state);
        saved = new Gates<T>(i, f, g, o);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Backward<T>(
        Gates<T> saved,
        T hidden,
        T state,
        ref T hiddenGradient,
        ref T stateGradient,
        out Gates<T> inputGradient,
        out Gates<T> recurrentGradient)
        where T : struct, IReal<T>
    {
        (T i, T f, T g, T o) = (saved.First, saved.Second, saved.Third, saved.Fourth);
        LogisticSigmoid sigmoid = default;
        HyperbolicTangent tanh = default;

        // Computed again rather than saved: it costs one tanh, less than reading a fifth number.
        T y = T.Tanh(Remember(i, f, g, state));
        T flow = stateGradient + (hiddenGradient * o * tanh.SlopeFromOutput(y));
        inputGradient = new Gates<T>(
            flow * g * sigmoid.SlopeFromOutput(i),
            flow * state * sigmoid.SlopeFromOutput(f),
            flow * i * tanh.SlopeFromOutput(g),
            hiddenGradient * y * sigmoid.SlopeFromOutput(o));
        recurrentGradient = inputGradient;
        stateGradient = flow * f;
        hiddenGradient = 0f;
    }

    /// <summary>c′ = f · c + i · g.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T Remember<T>(T i, T f, T g, T state)
        where T : struct, IReal<T> => (f * state) + (i * g);
}
