using ILGPU;

namespace Minigrad.Gpu.Kernels;

/// <summary>What forward left for a step back of a recurrent cell, as a kernel argument.</summary>
/// <param name="width">The hidden size.</param>
/// <param name="saved">What forward saved.</param>
/// <param name="hidden">The hidden values of the step before.</param>
/// <param name="state">The cell states of the step before.</param>
internal readonly struct CellMemory(int width, ArrayView<float> saved, ArrayView<float> hidden, ArrayView<float> state)
{
    /// <summary>The hidden size.</summary>
    public readonly int Width = width;

    /// <summary>What forward saved.</summary>
    public readonly ArrayView<float> Saved = saved;

    /// <summary>The hidden values of the step before.</summary>
    public readonly ArrayView<float> Hidden = hidden;

    /// <summary>The cell states of the step before.</summary>
    public readonly ArrayView<float> State = state;
}
