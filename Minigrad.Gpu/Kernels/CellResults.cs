using ILGPU;

namespace Minigrad.Gpu.Kernels;

/// <summary>What a step back of a recurrent cell writes, as a kernel argument.</summary>
/// <param name="direct">What goes to the step before past the gates.</param>
/// <param name="state">The gradient of the old cell states.</param>
/// <param name="input">The gradients of what came from the input.</param>
/// <param name="recurrent">The gradients of what came from the step before.</param>
internal readonly struct CellResults(
    ArrayView<float> direct, ArrayView<float> state, ArrayView<float> input, ArrayView<float> recurrent)
{
    /// <summary>What goes to the step before past the gates.</summary>
    public readonly ArrayView<float> Direct = direct;

    /// <summary>The gradient of the old cell states.</summary>
    public readonly ArrayView<float> State = state;

    /// <summary>The gradients of what came from the input.</summary>
    public readonly ArrayView<float> Input = input;

    /// <summary>The gradients of what came from the step before.</summary>
    public readonly ArrayView<float> Recurrent = recurrent;
}
