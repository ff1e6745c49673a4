using System.Text.Json;

namespace Minigrad.Tests.Conformance;

/// <summary>A tensor of a case: its shape, its numbers in double precision, and what they are.</summary>
internal sealed record TensorData(int[] Shape, double[] Values, string Kind)
{
    /// <summary>The numbers rounded to float32, as a tensor on a backend.</summary>
    public Tensor ToTensor(ConformanceBackend backend) =>
        Tensor.Of(Array.ConvertAll(Values, value => (float)value), Shape).To(backend.Backend);

    /// <summary>Whole numbers, as labels or places.</summary>
    public Indices ToIndices() =>
        Kind is "int64"
            ? new Indices(Array.ConvertAll(Values, value => (int)value), Minigrad.Shape.Create(Shape))
            : throw new ConformanceException($"a tensor of int64 was expected, but its dtype is {Kind}");

    /// <summary>Reads a tensor, or null.</summary>
    public static TensorData? Read(JsonElement element)
    {
        if (element.ValueKind == JsonValueKind.Null)
        {
            return null;
        }

        string kind = element.TryGetProperty("dtype", out JsonElement dtype) ? dtype.GetString()! : "float64";
        int[] shape = [.. element.GetProperty("shape").EnumerateArray().Select(size => size.GetInt32())];
        double[] values = [.. element.GetProperty("data").EnumerateArray().Select(ReadNumber)];
        return kind is "float64" or "float32" or "int64" or "bool"
            ? new TensorData(shape, values, kind)
            : throw new ConformanceException($"the dtype {kind} is not known");
    }

    /// <summary>Reads a number, which may be written as "nan", "inf" or "-inf", or a truth value.</summary>
    public static double ReadNumber(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Number => element.GetDouble(),
        JsonValueKind.True => 1,
        JsonValueKind.False => 0,
        _ => element.GetString() switch
        {
            "nan" => double.NaN,
            "inf" => double.PositiveInfinity,
            "-inf" => double.NegativeInfinity,
            string other => throw new ConformanceException($"'{other}' is not a number"),
            null => throw new ConformanceException("a number is missing"),
        },
    };
}
