using ILGPU;

namespace Minigrad.Gpu.Kernels;

/// <summary>What a step of a recurrent cell reads, as a kernel argument.</summary>
/// <param name="width">The hidden size.</param>
/// <param name="input">What the gates receive from the input.</param>
/// <param name="bias">The bias of what they receive from the step before.</param>
/// <param name="hidden">The hidden values of the step before.</param>
/// <param name="state">The cell states of the step before.</param>
internal readonly struct CellInputs(
    int width,
    ArrayView<float> input,
    ArrayView<float> bias,
    ArrayView<float> hidden,
    ArrayView<float> state)
{
    /// <summary>The hidden size.</summary>
    public readonly int Width = width;

    /// <summary>What the gates receive from the input.</summary>
    public readonly ArrayView<float> Input = input;

    /// <summary>The bias of what they receive from the step before.</summary>
    public readonly ArrayView<float> Bias = bias;

    /// <summary>The hidden values of the step before.</summary>
    public readonly ArrayView<float> Hidden = hidden;

    /// <summary>The cell states of the step before.</summary>
    public readonly ArrayView<float> State = state;
}
