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

    /// <summary>A factor as it was when a threshold of NaN became 1 on OpenCL: NaN is asked for, but after the first comparison.</summary>
    public static double FactorOfThresholdNaN(double measure, double threshold)
    {
        if (threshold > double.MaxValue)
        {
            return 1.0;
        }

        if (double.IsNaN(measure) || double.IsNaN(threshold))
        {
            return double.NaN;
        }

        return measure > threshold ? threshold / measure : 1.0;
    }

    /// <summary>The same, mended: NaN is asked for first.</summary>
    public static double FactorThatAsksFirst(double measure, double threshold)
    {
        if (double.IsNaN(threshold))
        {
            return threshold;
        }

        if (threshold > double.MaxValue)
        {
            return 1.0;
        }

        if (double.IsNaN(measure))
        {
            return measure;
        }

        return measure > threshold ? threshold / measure : 1.0;
    }

    public static double ComparisonOfWhatALoopAssigns(double measure, double[] others)
    {
        double largest = double.IsNaN(measure) ? 0.0 : measure;
        foreach (double other in others)
        {
            if (largest < 4.0)
            {
                return largest;
            }

            largest = other;
        }

        return largest;
    }

    public static double ComparisonOfWhatWasAssignedSince(double measure, double[] others)
    {
        double largest = double.IsNaN(measure) ? 0.0 : measure;
        foreach (double other in others)
        {
            largest = other;
            if (largest < measure)
            {
                return largest;
            }
        }

        return measure;
    }

    public static int ComparisonThatIsStored(double measure, double threshold) => measure <= threshold ? 3 : 4;

    public static int ComparisonOfIntegers(uint i, double count)
    {
        if (i < 4u && double.IsFinite(count))
        {
            if ((double)(int)i < count)
            {
                return 1;
            }
        }

        return 2;
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
