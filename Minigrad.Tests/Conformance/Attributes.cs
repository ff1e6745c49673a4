using System.Text.Json;

namespace Minigrad.Tests.Conformance;

/// <summary>The attributes of a case. One that nobody reads is a failure: it would silently mean nothing.</summary>
internal sealed class Attributes(JsonElement element)
{
    private readonly HashSet<string> read = [];

    public bool Has(string name) => Find(name) is not null;

    /// <summary>Whether an attribute is given as null, where that is not the same as to leave it out.</summary>
    public bool IsNull(string name) => element.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.Null;

    public double Number(string name, double otherwise) =>
        Find(name) is { } value ? TensorData.ReadNumber(value) : otherwise;

    public double Number(string name) => TensorData.ReadNumber(Required(name));

    public float Single(string name, double otherwise) => (float)Number(name, otherwise);

    public int Integer(string name) => Required(name).GetInt32();

    public int Integer(string name, int otherwise) => Find(name)?.GetInt32() ?? otherwise;

    public bool Flag(string name, bool otherwise) => Find(name)?.GetBoolean() ?? otherwise;

    public string Text(string name, string otherwise) => Find(name)?.GetString() ?? otherwise;

    public int[] Integers(string name) => [.. Required(name).EnumerateArray().Select(value => value.GetInt32())];

    /// <summary>A list of axes; null, a missing attribute and one number are understood.</summary>
    public int[] Axes(string name) => Find(name) switch
    {
        null => [],
        { ValueKind: JsonValueKind.Number } one => [one.GetInt32()],
        { } list => [.. list.EnumerateArray().Select(value => value.GetInt32())],
    };

    public double[]? Numbers(string name) => Find(name) is { } list
        ? [.. list.EnumerateArray().Select(TensorData.ReadNumber)]
        : null;

    public TensorData Tensor(string name) => TensorData.Read(Required(name))!;

    /// <summary>Fails if an attribute was not read.</summary>
    public void CheckAllRead()
    {
        foreach (JsonProperty property in element.EnumerateObject())
        {
            if (!read.Contains(property.Name))
            {
                throw new ConformanceException($"the attribute '{property.Name}' is not known here");
            }
        }
    }

    private JsonElement? Find(string name)
    {
        read.Add(name);
        return element.TryGetProperty(name, out JsonElement value) && value.ValueKind != JsonValueKind.Null ? value : null;
    }

    private JsonElement Required(string name) =>
        Find(name) ?? throw new ConformanceException($"the attribute '{name}' is missing");
}
