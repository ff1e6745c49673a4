using ILGPU;

namespace Minigrad.Tests.Gpu;

/// <summary>The kernel of docs/gpu.md.</summary>
public static class GuideKernels
{
    /// <summary>y[i] = x[n − 1 − i].</summary>
    public static void Reverse(Index1D i, ArrayView<float> x, ArrayView<float> y) =>
        y[i] = x[x.IntLength - 1 - i];
}
