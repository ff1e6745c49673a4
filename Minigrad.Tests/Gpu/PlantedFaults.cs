using ILGPU;

namespace Minigrad.Tests.Gpu;

/// <summary>Kernels that are wrong on purpose, to see that the lint finds it.</summary>
public static class PlantedFaults
{
    public static void IntegerBitsAsFloat(Index1D i, ArrayView<float> x, ArrayView<float> y) => y[i] = x[i] > 0 ? 1 : 0;

    public static void HiddenDouble(Index1D i, ArrayView<float> x, ArrayView<float> y) => y[i] = (float)(x[i] * 0.1);

    public static void ApproximateExponential(Index1D i, ArrayView<float> x, ArrayView<float> y) => y[i] = MathF.Exp(x[i]);

    public static void MaximumWithoutNaN(Index1D i, ArrayView<float> x, ArrayView<float> y) => y[i] = MathF.Max(x[i], y[i]);

    public static void ArrayInLocalMemory(Index1D i, ArrayView<float> x, ArrayView<float> y)
    {
        float[] recent = new float[4];
        for (int k = 0; k < 4; k++)
        {
            recent[k] = x[k];
        }

        y[i] = recent[i % 4];
    }

    public static void UnresolvedFunction(Index1D i, ArrayView<float> x, ArrayView<float> y) =>
        y[i] = MathF.FusedMultiplyAdd(x[i], x[i], y[i]);

    public static void DoesNotCompile(Index1D i, ArrayView<float> x, ArrayView<float> y) =>
        y[i] = Math.Clamp(x[i], -1f, 1f);
}
