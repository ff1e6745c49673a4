using System.Reflection;
using System.Text.RegularExpressions;
using Minigrad.Gpu;
using Minigrad.Optimizers;

namespace Minigrad.Tests;

/// <summary>The glossary in two languages: the same terms, each tied to what is in the code.</summary>
public sealed partial class GlossaryTests
{
    private static readonly Type[] Types = [.. new[] { typeof(Tensor).Assembly, typeof(Optimizer).Assembly, typeof(GpuBackend).Assembly }.SelectMany(assembly => assembly.GetTypes())];

    [Fact]
    public void Both_languages_have_the_same_terms_and_names() =>
        Assert.Equal(
            Rows("glossary.md").Select(cells => (cells[0], cells[2])),
            Rows(Path.Combine("ja", "glossary.md")).Select(cells => (cells[1], cells[3])));

    [Fact]
    public void Every_name_is_in_the_code()
    {
        string[] names = [.. Rows("glossary.md").SelectMany(cells => Name().Matches(cells[2])).Select(match => match.Groups[1].Value)];
        Assert.True(names.Length > 60);
        Assert.All(names, name => Assert.True(IsInTheCode(name), $"{name} is in the glossary, but not in the code"));
    }

    // What a reader of the guide to clipping meets; each is tied to the code.
    [Theory]
    [InlineData("gradient clipping", "norm clipping", "value clipping", "per-parameter clipping", "threshold")]
    [InlineData("exploding gradient", "vanishing gradient", "gradient norm", "L1 norm", "L2 norm", "learning rate", "mini-batch")]
    [InlineData("optimizer", "SGD", "Adam", "RMSProp", "automatic differentiation", "backpropagation", "weight update")]
    [InlineData("batch normalisation", "dropout", "regularisation", "mixed precision", "loss scaling", "gradient scaling")]
    [InlineData("numerical stability", "fixed threshold", "dynamic threshold")]
    public void The_words_of_clipping_are_there(params string[] terms) =>
        Assert.All(terms, term => Assert.Single(Rows("glossary.md"), cells => cells[0] == term && Name().IsMatch(cells[2])));

    /// <summary>A type, or a type and a member of it, inherited or not, open to users or only to readers.</summary>
    private static bool IsInTheCode(string name)
    {
        string[] parts = name.Split('.');
        string type = TypeArgument().Replace(parts[0], "`1");
        const BindingFlags All = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static;
        return Types.Any(found => found.Name == type && (parts.Length == 1 || found.GetMember(parts[1], All).Length > 0));
    }

    private static IEnumerable<string[]> Rows(string file) =>
        File.ReadLines(Path.Combine(Repository.Root, "docs", file))
            .Where(line => line.StartsWith("| ", StringComparison.Ordinal) && !line.StartsWith("| ---", StringComparison.Ordinal))
            .Select(line => Cell().Split(line.Trim().Trim('|')).Select(cell => cell.Trim()).ToArray())
            .Where(cells => cells[0] is not ("term" or "用語"));

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex Name();

    [GeneratedRegex(@"<\w+>")]
    private static partial Regex TypeArgument();

    /// <summary>A bar that is not escaped.</summary>
    [GeneratedRegex(@"(?<!\\)\|")]
    private static partial Regex Cell();
}
