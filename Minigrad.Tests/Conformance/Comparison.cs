namespace Minigrad.Tests.Conformance;

/// <summary>When a result meets the reference.</summary>
internal static class Comparison
{
    /// <summary>To what an expected tensor of zeros must be met.</summary>
    private const double ZeroTolerance = 1e-7;

    /// <summary>The absolute floor, relative to the largest magnitude of the case.</summary>
    private const double FloorTolerance = 1e-6;

    /// <summary>The relative tolerance of each kind of case.</summary>
    public static double ToleranceOf(string kind) => kind switch
    {
        "op" or "loss" or "clip" or "clip_steps" or "clip_edge" or "optimizer" or "preset" or "scheduler" or "update_clip" or "spam" or "per_example" => 1e-5,
        "layer" or "batch_norm_running" => 3e-5,
        "second_order" => 1e-4,
        "training" => 1e-3,
        _ => throw new ConformanceException($"the kind '{kind}' is not known"),
    };

    /// <summary>The absolute floor for a case whose largest finite magnitude is known.</summary>
    public static double Floor(IEnumerable<TensorData?> tensors)
    {
        double largest = 0;
        foreach (TensorData? tensor in tensors)
        {
            largest = Math.Max(largest, tensor is null ? 0 : LargestFinite(tensor.Values));
        }

        return FloorTolerance * largest;
    }

    /// <summary>Fails unless |actual − expected| ≤ tol · (|expected| + max |expected|) + floor for every element.</summary>
    public static void Check(string what, TensorData expected, Tensor actual, double tolerance, double floor)
    {
        if (!actual.Shape.Dimensions.SequenceEqual(expected.Shape))
        {
            throw new ConformanceException($"{what} has shape {actual.Shape}, expected [{string.Join(", ", expected.Shape)}]");
        }

        Check(what, expected.Values, Array.ConvertAll(actual.ToArray(), value => (double)value), tolerance, floor);
    }

    /// <summary>The same for plain numbers.</summary>
    public static void Check(string what, double[] expected, double[] actual, double tolerance, double floor)
    {
        if (actual.Length != expected.Length)
        {
            throw new ConformanceException($"{what}: there are {actual.Length} numbers, expected {expected.Length}");
        }

        double largest = LargestFinite(expected);
        for (int i = 0; i < expected.Length; i++)
        {
            double want = expected[i];
            double have = actual[i];
            if (double.IsNaN(want) ? double.IsNaN(have) : have == want)
            {
                continue;
            }

            double allowed = largest == 0 ? ZeroTolerance : (tolerance * (Math.Abs(want) + largest)) + floor;
            if (!double.IsFinite(want) || !(Math.Abs(have - want) <= allowed))
            {
                throw new ConformanceException(
                    $"{what}[{i}] is {have:g9}, expected {want:g9}, off by {Math.Abs(have - want):g3} where {allowed:g3} is allowed");
            }
        }
    }

    private static double LargestFinite(double[] values)
    {
        double largest = 0;
        foreach (double value in values)
        {
            largest = double.IsFinite(value) ? Math.Max(largest, Math.Abs(value)) : largest;
        }

        return largest;
    }
}
