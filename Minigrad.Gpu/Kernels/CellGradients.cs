using ILGPU;

namespace Minigrad.Gpu.Kernels;

/// <summary>The gradients that arrive at a step back of a recurrent cell, as a kernel argument.</summary>
/// <param name="output">The gradient of the step's output.</param>
/// <param name="direct">What came from the step after, past its gates.</param>
/// <param name="state">The gradient of the new cell states.</param>
internal readonly struct CellGradients(ArrayView<float> output, ArrayView<float> direct, ArrayView<float> state)
{
    /// <summary>The gradient of the step's output.</summary>
    public readonly ArrayView<float> Output = output;

    /// <summary>What came from the step after, past its gates.</summary>
    public readonly ArrayView<float> Direct = direct;

    /// <summary>The gradient of the new cell states.</summary>
    public readonly ArrayView<float> State = state;
}
