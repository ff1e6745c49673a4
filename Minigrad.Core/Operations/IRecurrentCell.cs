using Minigrad.Numerics;

namespace Minigrad.Operations;

/// <summary>
/// One step of one unit of a recurrent layer, written once: it runs over lanes on the CPU, as a kernel on the GPU, and
/// over tensors as the recorded graph that second order needs.
/// </summary>
/// <remarks>
/// <para>What a gate receives comes in two parts: from the input, x · Wᵀ + b for all steps at once, and from the hidden
/// values of the step before, h · Uᵀ + d.</para>
/// <para>A cell has its own backward because derivatives by <see cref="Dual{T}"/> would run forward once for each of its
/// up to ten inputs. A test holds it against <see cref="Dual{T}"/>. Implement it as a <c>public readonly struct</c>.</para>
/// <para>Mark both methods with <c>[MethodImpl(MethodImplOptions.AggressiveInlining)]</c>. On the CPU each becomes part of one
/// loop, in which the JIT has room for about six functions such as tanh. A cell with more is right, but several times as slow.</para>
/// </remarks>
public interface IRecurrentCell
{
    /// <summary>How many gates a unit has, 1 to 4: the weights have as many times the hidden size in rows.</summary>
    int GateCount { get; }

    /// <summary>How many numbers a unit keeps for backward, 1 to 4.</summary>
    int SavedCount { get; }

    /// <summary>Whether a unit carries a cell state besides its hidden value.</summary>
    bool HasState { get; }

    /// <summary>
    /// Whether the two parts of some gate have different gradients. If not, <see cref="Backward"/> gives the same for both,
    /// and they are stored once.
    /// </summary>
    bool SeparatesRecurrent { get; }

    /// <summary>Moves one unit a step forward.</summary>
    /// <typeparam name="T">The number type; see <see cref="IReal{T}"/>.</typeparam>
    /// <param name="input">What the gates receive from the input.</param>
    /// <param name="recurrent">What the gates receive from the step before.</param>
    /// <param name="hidden">The hidden value of the step before, replaced by the new one.</param>
    /// <param name="state">The cell state of the step before, replaced by the new one; untouched if there is none.</param>
    /// <param name="saved">What backward will need.</param>
    void Forward<T>(Gates<T> input, Gates<T> recurrent, ref T hidden, ref T state, out Gates<T> saved)
        where T : struct, IReal<T>;

    /// <summary>Moves gradients of one unit a step backward.</summary>
    /// <typeparam name="T">The number type; see <see cref="IReal{T}"/>.</typeparam>
    /// <param name="saved">What forward saved.</param>
    /// <param name="hidden">The hidden value of the step before.</param>
    /// <param name="state">The cell state of the step before.</param>
    /// <param name="hiddenGradient">
    /// The gradient of the new hidden value, replaced by the part of the old one's that does not go through the gates.
    /// </param>
    /// <param name="stateGradient">The gradient of the new cell state, replaced by that of the old one.</param>
    /// <param name="inputGradient">The gradients of what the gates received from the input.</param>
    /// <param name="recurrentGradient">The gradients of what the gates received from the step before.</param>
    void Backward<T>(
        Gates<T> saved,
        T hidden,
        T state,
        ref T hiddenGradient,
        ref T stateGradient,
        out Gates<T> inputGradient,
        out Gates<T> recurrentGradient)
        where T : struct, IReal<T>;
}
