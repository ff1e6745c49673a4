using Minigrad.Numerics;
using Minigrad.Operations;

namespace Minigrad.Tests.Layers;

/// <summary>A cell of a user's own, with a constant: h′ = (1 − α) · h + α · tanh(x + u).</summary>
public readonly struct LeakyCell(float rate) : IRecurrentCell
{
    private readonly float rate = rate;

    public int GateCount => 1;

    public int SavedCount => 1;

    public bool HasState => false;

    public bool SeparatesRecurrent => false;

    public void Forward<T>(Gates<T> input, Gates<T> recurrent, ref T hidden, ref T state, out Gates<T> saved)
        where T : struct, IReal<T>
    {
        T y = T.Tanh(input.First + recurrent.First);
        hidden = ((1f - rate) * hidden) + (rate * y);
        saved = new Gates<T>(y);
    }

    public void Backward<T>(
        Gates<T> saved, T hidden, T state, ref T hiddenGradient, ref T stateGradient, out Gates<T> inputGradient, out Gates<T> recurrentGradient)
        where T : struct, IReal<T>
    {
        inputGradient = new Gates<T>(rate * hiddenGradient * default(HyperbolicTangent).SlopeFromOutput(saved.First));
        recurrentGradient = inputGradient;
        hiddenGradient = (1f - rate) * hiddenGradient;
    }
}
