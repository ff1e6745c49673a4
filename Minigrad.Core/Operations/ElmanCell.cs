using System.Runtime.CompilerServices;
using Minigrad.Numerics;

namespace Minigrad.Operations;

/// <summary>The plain recurrent cell, h′ = f(x + u) with an activation f (Elman, 1990, "Finding Structure in Time").</summary>
/// <typeparam name="TActivation">f, whose slope is known from its output.</typeparam>
public readonly struct ElmanCell<TActivation> : IRecurrentCell
    where TActivation : unmanaged, IOutputSlope
{
    /// <inheritdoc/>
    public int GateCount => 1;

    /// <inheritdoc/>
    public int SavedCount => 1;

    /// <inheritdoc/>
    public bool HasState => false;

    /// <inheritdoc/>
    public bool SeparatesRecurrent => false;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Forward<T>(Gates<T> input, Gates<T> recurrent, ref T hidden, ref T state, out Gates<T> saved)
        where T : struct, IReal<T>
    {
        hidden = default(TActivation).Forward(input.First + recurrent.First);
        saved = new Gates<T>(hidden);
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
        inputGradient = new Gates<T>(hiddenGradient * default(TActivation).SlopeFromOutput(saved.First));
        recurrentGradient = inputGradient;
        hiddenGradient = 0f;
    }
}
