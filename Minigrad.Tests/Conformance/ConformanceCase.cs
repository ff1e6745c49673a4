using System.Text.Json;

namespace Minigrad.Tests.Conformance;

/// <summary>One case: its fields, and what compares a result with them.</summary>
internal sealed class ConformanceCase(JsonElement element, ConformanceBackend backend)
{
    private readonly double? ownTolerance =
        element.TryGetProperty("tol", out JsonElement tolerance) ? tolerance.GetDouble() : null;

    public string Kind => element.GetProperty("kind").GetString()!;

    public ConformanceBackend Backend { get; } = backend;

    public Attributes Attributes { get; } =
        new(element.TryGetProperty("attrs", out JsonElement attributes) ? attributes : JsonDocument.Parse("{}").RootElement);

    public double Tolerance => (ownTolerance ?? Comparison.ToleranceOf(Kind)) * Backend.ToleranceFactor;

    public bool Has(string name) => element.TryGetProperty(name, out _);

    public JsonElement Field(string name) => element.TryGetProperty(name, out JsonElement value)
        ? value
        : throw new ConformanceException($"the field '{name}' is missing");

    public string Text(string name) => Field(name).GetString()!;

    public TensorData? Tensor(string name) => TensorData.Read(Field(name));

    public TensorData?[] Tensors(string name) => [.. Field(name).EnumerateArray().Select(TensorData.Read)];

    /// <summary>One tensor, or null, for each of so many.</summary>
    public TensorData?[] Tensors(string name, int count) => Tensors(name) is { } tensors && tensors.Length == count
        ? tensors
        : throw new ConformanceException($"the field '{name}' has not {count} tensors");

    public double[] Numbers(string name) => [.. Field(name).EnumerateArray().Select(TensorData.ReadNumber)];

    public void Check(string what, TensorData expected, Tensor actual, double floor = 0) =>
        Comparison.Check(what, expected, actual, Tolerance, floor);

    public void Check(string what, double[] expected, double[] actual) =>
        Comparison.Check(what, expected, actual, Tolerance, 0);
}
