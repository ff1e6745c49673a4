using ILGPU;
using Minigrad.Gpu.Kernels;

namespace Minigrad.Gpu;

/// <summary>The units of all parameters that have gradients, in one layout; made when a stage first asks for it.</summary>
/// <param name="parameterCount">How many parameters there are.</param>
internal sealed class UnitTable(int parameterCount)
{
    /// <summary>The units on the device.</summary>
    public ArrayView<Chunk> View { get; set; }

    /// <summary>Whether it is of the gradients that there are.</summary>
    public bool IsCurrent { get; set; }

    /// <summary>How many units there are.</summary>
    public int Count { get; set; }

    /// <summary>Each parameter's first unit.</summary>
    public int[] Starts { get; } = new int[parameterCount];

    /// <summary>The unit after each parameter's last.</summary>
    public int[] Ends { get; } = new int[parameterCount];
}
