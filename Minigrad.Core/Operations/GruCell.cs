using System.Runtime.CompilerServices;
using Minigrad.Numerics;

namespace Minigrad.Operations;

/// <summary>
/// The gated recurrent unit (Cho et al., 2014, arXiv:1406.1078) in PyTorch's variant, where the reset gate acts on the
/// recurrent part after its product: r = σ(x₁ + u₁), z = σ(x₂ + u₂), n = tanh(x₃ + r · u₃), h′ = n + z · (h − n).
/// </summary>
public readonly struct GruCell : IRecurrentCell
{
    /// <inheritdoc/>
    public int GateCount => 3;

    /// <inheritdoc/>
    public int SavedCount => 4;

    /// <inheritdoc/>
    public bool HasState => false;

    /// <inheritdoc/>
    public bool SeparatesRecurrent => true;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Forward<T>(Gates<T> input, Gates<T> recurrent, ref T hidden, ref T state, out Gates<T> saved)
        where T : struct, IReal<T>
    {
        T r = T.Sigmoid(input.First + recurrent.First);
        T z = T.Sigmoid(input.Second + recurrent.Second);
        T n = T.Tanh(input.Third + (r * recurrent.Third));
        hidden = n + (z * (hidden - n));
        saved = new Gates<T>(r, z, n, recurrent.Third);
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
        (T r, T z, T n, T u) = (saved.First, saved.Second, saved.Third, saved.Fourth);
        LogisticSigmoid sigmoid = default;
        T candidate = hiddenGradient * (1f - z) * default(HyperbolicTangent).SlopeFromOutput(n);
        T reset = candidate * u * sigmoid.SlopeFromOutput(r);
        T update = hiddenGradient * (hidden - n) * sigmoid.SlopeFromOutput(z);
        inputGradient = new Gates<T>(reset, update, candidate, default);
        recurrentGradient = new Gates<T>(reset, update, candidate * r, default);
        hiddenGradient *= z;
    }
}
