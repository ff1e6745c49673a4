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

    public static void LessBranch(Index1D i, ArrayView<float> x, ArrayView<float> y)
    {
        if (x[i] < 1f)
        {
            y[i] = 2f;
        }
    }

    public static void LessOrEqualBranch(Index1D i, ArrayView<float> x, ArrayView<float> y)
    {
        if (x[i] <= 1f)
        {
            y[i] = 2f;
        }
    }

    public static void GreaterBranch(Index1D i, ArrayView<float> x, ArrayView<float> y)
    {
        if (x[i] > 1f)
        {
            y[i] = 2f;
        }
    }

    public static void GreaterOrEqualBranch(Index1D i, ArrayView<float> x, ArrayView<float> y)
    {
        if (x[i] >= 1f)
        {
            y[i] = 2f;
        }
    }

    public static void SignedDivision(Index1D i, ArrayView<float> x, ArrayView<float> y) => y[i] = x[(i.X - 9) / 4];

    public static void UnsignedDivision(Index1D i, ArrayView<float> x, ArrayView<float> y) => y[i] = x[(int)((uint)i.X / 256)];

    public static void LongDivision(Index1D i, ArrayView<float> x, ArrayView<float> y) => y[i] = x[(y.Length - 9) / 1024];

    /// <summary>Right as it is: three is no power of two, and 4f is no integer.</summary>
    public static void DivisionThatStays(Index1D i, ArrayView<float> x, ArrayView<float> y) => y[i] = x[(i.X - 9) / 3] / 4f;

    public static void CallThatStays(Index1D i, ArrayView<float> x, ArrayView<float> y) => y[i] = Factorial(x[i], i);

    public static void CopiedSign(Index1D i, ArrayView<float> x, ArrayView<float> y) => y[i] = MathF.CopySign(x[i], y[i]);

    public static void UnsignedAsFloat(Index1D i, ArrayView<uint> x, ArrayView<float> y) => y[i] = x[i];

    public static void BoolInArgument(Index1D i, WithBool argument, ArrayView<float> y) => y[i] = argument.Flag ? 1f : 2f;

    private static float Factorial(float start, int n) => n <= 1 ? start : n * Factorial(start, n - 1);

    public readonly struct WithBool(bool flag)
    {
        public readonly bool Flag = flag;
    }
}
