using ILGPU;

namespace Minigrad.Gpu.Kernels;

/// <summary>A buffer of parameters, and what a rule remembers of them. A view that a rule does not have is any other.</summary>
/// <param name="parameters">The parameters.</param>
/// <param name="first">The first remembered number of each element.</param>
/// <param name="second">The second.</param>
/// <param name="third">The third.</param>
internal readonly struct ParameterMemory(
    ArrayView<float> parameters, ArrayView<float> first, ArrayView<float> second, ArrayView<float> third)
{
    /// <summary>The parameters.</summary>
    public readonly ArrayView<float> Parameters = parameters;

    /// <summary>The first remembered number of each element.</summary>
    public readonly ArrayView<float> First = first;

    /// <summary>The second.</summary>
    public readonly ArrayView<float> Second = second;

    /// <summary>The third.</summary>
    public readonly ArrayView<float> Third = third;
}
