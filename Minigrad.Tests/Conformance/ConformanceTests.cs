using System.Collections.Concurrent;
using System.IO.Compression;
using System.Text.Json;

namespace Minigrad.Tests.Conformance;

/// <summary>
/// What PyTorch computed, and of clipping what published formulas give, replayed through Minigrad's public API: one result for each case and backend. See the README
/// beside this file.
/// </summary>
public sealed class ConformanceTests
{
    private static readonly string Own = Path.Combine(AppContext.BaseDirectory, "Conformance", "cases");

    private static readonly ConcurrentDictionary<string, Lazy<Dictionary<string, JsonElement>>> Files = new();

    /// <summary>File, case and backend of each case there is to replay.</summary>
    public static IEnumerable<object[]> Cases()
    {
        foreach (string file in Directories().SelectMany(CaseFiles))
        {
            foreach (string id in Load(file).Keys)
            {
                foreach (string backend in ConformanceBackend.Chosen)
                {
                    yield return [file, id, backend];
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Case_agrees_with_PyTorch(string file, string id, string backend)
    {
        try
        {
            Run(new ConformanceCase(Load(file)[id], ConformanceBackend.Find(backend)));
        }
        catch (ConformanceException exception)
        {
            Assert.Fail($"{id} ({Path.GetFileName(file)}, {backend}): {exception.Message}");
        }
    }

    [Fact]
    public void The_projects_own_cases_are_found() => Assert.True(CaseFiles(Own).Sum(file => Load(file).Count) >= 1000);

    [Fact]
    public void The_documents_count_what_PyTorch_computed()
    {
        int count = CaseFiles(Own)
            .Where(file => Path.GetFileName(file) is not ("clip_steps.json.gz" or "updates.json.gz"))
            .Sum(file => Load(file).Values.Count(item => !item.TryGetProperty("library", out JsonElement library) || library.GetString() == "pytorch"));
        Assert.Contains(
            FormattableString.Invariant($"\n{count:N0} cases computed by PyTorch"), File.ReadAllText(Path.Combine(Repository.Root, "README.md")), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"kind":"op","op":"frobnicate","attrs":{},"inputs":[],"output":null,"grad_output":null,"grads":[]}""", "the op 'frobnicate'")]
    [InlineData("""{"kind":"dance","attrs":{}}""", "the kind 'dance'")]
    [InlineData("""{"kind":"op","op":"neg","attrs":{"speed":3},"inputs":[{"shape":[],"data":[1]}],"output":{"shape":[],"data":[-1]},"grad_output":{"shape":[],"data":[1]},"grads":[null]}""", "the attribute 'speed'")]
    [InlineData("""{"kind":"op","op":"neg","attrs":{},"inputs":[{"shape":[],"data":[1]}],"output":{"shape":[],"data":[-1.0001]},"grad_output":{"shape":[],"data":[1]},"grads":[null]}""", "expected -1.0001")]
    [InlineData("""{"kind":"layer","layer":"lstn","attrs":{"input_size":1,"hidden_size":1}}""", "the layer 'lstn'")]
    [InlineData("""{"kind":"op","op":"neg","attrs":{},"inputs":[{"shape":[],"data":[1]}],"output":{"shape":[],"data":[-1]},"grad_output":{"shape":[],"data":[1]},"grads":[]}""", "'grads' has not 1")]
    [InlineData("""{"kind":"batch_norm_running","attrs":{"momentum":null},"train_inputs":[],"train_outputs":[],"eval_output":null}""", "a momentum of null")]
    [InlineData("""{"kind":"optimizer","optimizer":"sgd","attrs":{},"params":[{"shape":[],"data":[1]}],"grads":[[{"shape":[],"data":[1]}]],"expected":[]}""", "gradients of 1 steps")]
    public void What_is_unknown_or_wrong_fails_by_name(string json, string part)
    {
        ConformanceCase item = new(JsonDocument.Parse(json).RootElement, ConformanceBackend.Find("cpu"));
        Assert.Contains(part, Assert.Throws<ConformanceException>(() => Run(item)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"kind":"op","op":"flip","attrs":{"dims":[]},"inputs":[{"shape":[2],"data":[1,2]}],"output":{"shape":[2],"data":[1,2]},"grad_output":{"shape":[2],"data":[3,4]},"grads":[{"shape":[2],"data":[3,4]}]}""")]
    [InlineData("""{"kind":"clip","clip":"global_norm","attrs":{"max_norm":1},"params":[{"shape":[2],"data":[1,2]}],"grads":[{"shape":[2],"data":["inf",1]}],"expected_grads":[{"shape":[2],"data":["nan",0]}],"expected_norm":"inf"}""")]
    [InlineData("""{"kind":"clip","clip":"value","attrs":{"clip_value":2},"params":[{"shape":[2],"data":[1,2]}],"grads":[{"shape":[2],"data":["nan",3]}],"expected_grads":[{"shape":[2],"data":["nan",2]}],"expected_norm":null}""")]
    [InlineData("""{"kind":"scheduler","scheduler":"reduce_on_plateau","base_lr":1e-6,"attrs":{"patience":0},"metrics":[1,1,1,1],"lrs":[1e-6,1e-6,1e-7,1e-8,1e-8]}""")]
    [InlineData("""{"kind":"loss","loss":"cross_entropy","attrs":{"ignore_index":-100,"label_smoothing":0.5,"weight":[1,3]},"input":{"shape":[1,2],"data":[0,0]},"target":{"shape":[1,2],"data":[0,1]},"output":{"shape":[],"data":[1.7328679513998632]},"grad_output":{"shape":[],"data":[1]},"grad_input":{"shape":[1,2],"data":[1,-1]}}""")]
    public void What_PyTorch_means_by_an_attribute_holds_where_Minigrads_default_is_another(string json) =>
        Run(new ConformanceCase(JsonDocument.Parse(json).RootElement, ConformanceBackend.Find("cpu")));

    [Fact]
    public void Numbers_that_are_missing_are_not_met() =>
        Assert.Throws<ConformanceException>(() => Comparison.Check("x", [1.0], [1.0, 2.0], 1e-5, 0));

    [Theory]
    [InlineData(1.0, 1.0 + 1.9e-5, true)]
    [InlineData(1.0, 1.0 + 2.1e-5, false)]
    [InlineData(0.0, 0.9e-7, true)]
    [InlineData(0.0, 1.1e-7, false)]
    [InlineData(double.NaN, double.NaN, true)]
    [InlineData(double.NaN, 1.0, false)]
    [InlineData(1.0, double.NaN, false)]
    [InlineData(double.PositiveInfinity, double.PositiveInfinity, true)]
    [InlineData(double.PositiveInfinity, 3e38, false)]
    [InlineData(double.NegativeInfinity, double.PositiveInfinity, false)]
    public void The_comparison_itself_is_as_strict_as_it_says(double expected, double actual, bool agrees)
    {
        Exception? error = Record.Exception(() => Comparison.Check("x", [expected], [actual], 1e-5, 0));
        Assert.Equal(agrees, error is null);
    }

    private static void Run(ConformanceCase item)
    {
        switch (item.Kind)
        {
            case "op":
                OperationCases.RunFirstOrder(item);
                break;
            case "second_order":
                OperationCases.RunSecondOrder(item);
                break;
            case "loss":
                LossCases.Run(item);
                break;
            case "clip":
                ClipCases.Run(item);
                break;
            case "clip_steps":
                ClipStepsCases.RunSteps(item);
                break;
            case "clip_edge":
                ClipStepsCases.RunEdge(item);
                break;
            case "optimizer":
                OptimizerCases.Run(item);
                break;
            case "preset":
                PresetCases.Run(item);
                break;
            case "training":
                TrainingCases.Run(item);
                break;
            case "layer":
                LayerCases.Run(item);
                break;
            case "batch_norm_running":
                BatchNormCases.Run(item);
                break;
            case "update_clip":
                UpdateCases.RunUpdateClip(item);
                break;
            case "spam":
                UpdateCases.RunSpam(item);
                break;
            case "per_example":
                UpdateCases.RunPerExample(item);
                break;
            case "scheduler":
                SchedulerCases.Run(item);
                break;
            default:
                throw new ConformanceException($"the kind '{item.Kind}' is not known");
        }

        item.Attributes.CheckAllRead();
    }

    private static IEnumerable<string> Directories()
    {
        yield return Own;
        if (Environment.GetEnvironmentVariable("MINIGRAD_CONFORMANCE") is { Length: > 0 } other)
        {
            yield return Path.GetFullPath(other);
        }
    }

    private static string[] CaseFiles(string directory)
    {
        string[] files = Directory.Exists(directory)
            ? [.. Directory.EnumerateFiles(directory).Where(file => file.EndsWith(".json", StringComparison.Ordinal) || file.EndsWith(".json.gz", StringComparison.Ordinal)).Order()]
            : [];
        return files.Length > 0
            ? files
            : throw new DirectoryNotFoundException($"There are no conformance cases (*.json, *.json.gz) in {directory}.");
    }

    private static Dictionary<string, JsonElement> Load(string file) => Files.GetOrAdd(file, path => new(() =>
    {
        using Stream stream = File.OpenRead(path);
        using Stream text = path.EndsWith(".gz", StringComparison.Ordinal) ? new GZipStream(stream, CompressionMode.Decompress) : stream;
        return JsonDocument.Parse(text).RootElement.GetProperty("cases").EnumerateArray()
            .ToDictionary(item => item.GetProperty("id").GetString()!, item => item);
    })).Value;
}
