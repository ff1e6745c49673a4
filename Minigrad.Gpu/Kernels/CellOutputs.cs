using ILGPU;

namespace Minigrad.Gpu.Kernels;

/// <summary>What a step of a recurrent cell writes, as a kernel argument.</summary>
/// <param name="hidden">The new hidden values.</param>
/// <param name="state">The new cell states.</param>
/// <param name="saved">What backward will need.</param>
internal readonly struct CellOutputs(ArrayView<float> hidden, ArrayView<float> state, ArrayView<float> saved)
{
    /// <summary>The new hidden values.</summary>
    public readonly ArrayView<float> Hidden = hidden;

    /// <summary>The new cell states.</summary>
    public readonly ArrayView<float> State = state;

    /// <summary>What backward will need.</summary>
    public readonly ArrayView<float> Saved = saved;
}
