using System.Reflection;
using System.Text.RegularExpressions;
using Minigrad.Backends;
using Minigrad.Optimizers;

namespace Minigrad.Tests;

/// <summary>Holds the documents against the repository: their code is compiled in tests, their links lead somewhere.</summary>
public sealed partial class ReadmeTests
{
    private static readonly string Root = Repository.Root;

    [Theory]
    [InlineData("README.md", 8, "Readme.cs")]
    [InlineData("docs/numerics.md", 2, "Autodiff/AnomalyGuideTests.cs")]
    [InlineData("docs/gpu.md", 3, "Gpu/GpuGuideTests.cs", "Gpu/GuideKernels.cs")]
    [InlineData("docs/gradient-clipping.md", 10, "ClippingGuide.cs")]
    [InlineData("docs/ja/gradient-clipping.md", 10, "ClippingGuide.cs")]
    public void Every_snippet_is_compiled_and_asserted(string document, int least, params string[] sources)
    {
        string compiled = Unindented(string.Concat(sources.Select(source => File.ReadAllText(Path.Combine(Root, "Minigrad.Tests", source)))));
        MatchCollection snippets = Snippet().Matches(File.ReadAllText(Path.Combine(Root, document)));
        Assert.True(snippets.Count >= least);
        Assert.All(snippets, snippet => Assert.Contains(Unindented(snippet.Groups[1].Value), compiled, StringComparison.Ordinal));
    }

    [Fact]
    public void Every_link_leads_to_a_file()
    {
        foreach (string document in Directory.EnumerateFiles(Root, "*.md").Concat(Directory.EnumerateFiles(Path.Combine(Root, "docs"), "*.md", SearchOption.AllDirectories)))
        {
            foreach (Match link in Link().Matches(File.ReadAllText(document)))
            {
                string target = Path.Combine(Path.GetDirectoryName(document)!, link.Groups[1].Value);
                Assert.True(File.Exists(target) || Directory.Exists(target), $"{Path.GetFileName(document)} links to {link.Groups[1].Value}");
            }
        }
    }

    // A translation says the same in other words: as many sections, and the same tables, pictures, code and commands.
    [Fact]
    public void The_translated_guide_has_what_the_original_has()
    {
        string original = File.ReadAllText(Path.Combine(Root, "docs", "gradient-clipping.md"));
        string translation = File.ReadAllText(Path.Combine(Root, "docs", "ja", "gradient-clipping.md")).Replace("](../", "](", StringComparison.Ordinal);
        foreach (Regex same in new[] { Block(), Picture(), FirstCell() })
        {
            Assert.Equal(same.Matches(original).Select(match => match.Groups[1].Value), same.Matches(translation).Select(match => match.Groups[1].Value));
        }

        Assert.Equal(Heading().Count(original), Heading().Count(translation));
    }

    [Fact]
    public void The_two_commands_name_what_exists()
    {
        string readme = File.ReadAllText(Path.Combine(Root, "README.md"));
        Assert.Contains("\ndotnet run -c Release examples/03-digits.cs\n", readme, StringComparison.Ordinal);
        Assert.Contains("\ndotnet test -c Release\n", readme, StringComparison.Ordinal);
        Assert.True(File.Exists(Path.Combine(Root, "examples", "03-digits.cs")));
    }

    // A program's first lines can't stand in a test: the project that they name must exist, and the namespaces be Minigrad's.
    [Fact]
    public void The_program_of_ones_own_is_compiled_and_names_what_exists()
    {
        string program = Assert.Single(Block().Matches(File.ReadAllText(Path.Combine(Root, "README.md"))), block => block.Groups[1].Value.StartsWith("\n#:project ", StringComparison.Ordinal)).Groups[1].Value;
        string[] lines = program.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.True(Directory.Exists(Path.Combine(Root, Path.GetFileName(lines[0]))));
        string[] namespaces = [.. lines.Where(line => line.StartsWith("using ", StringComparison.Ordinal)).Select(line => line[6..^1])];
        Assert.Equal(["Minigrad", "Minigrad.Layers", "Minigrad.Losses", "Minigrad.Optimizers"], namespaces);
        Assert.Contains(
            Unindented(string.Join('\n', lines.Skip(1 + namespaces.Length))),
            Unindented(File.ReadAllText(Path.Combine(Root, "Minigrad.Tests", "Readme.cs"))),
            StringComparison.Ordinal);
    }

    // A name that the compiler does not know is looked for there.
    [Fact]
    public void Every_namespace_with_something_public_is_named()
    {
        string readme = File.ReadAllText(Path.Combine(Root, "README.md"));
        IEnumerable<string?> namespaces = new[] { typeof(Tensor).Assembly, typeof(Optimizer).Assembly }
            .SelectMany(assembly => assembly.GetExportedTypes()).Select(type => type.Namespace).Distinct();
        Assert.All(namespaces, name => Assert.True(
            readme.Contains($"\nusing {name};\n", StringComparison.Ordinal) || readme.Contains($"`{name}`", StringComparison.Ordinal), $"README.md does not name {name}"));
    }

    [Fact]
    public void The_seam_has_as_many_methods_as_the_documents_say()
    {
        MethodInfo[] seam = [.. typeof(Backend).GetMethods(BindingFlags.Instance | BindingFlags.Public | BindingFlags.DeclaredOnly).Where(method => method.IsVirtual && !method.IsSpecialName)];
        int own = seam.Count(method => method.IsAbstract);
        Assert.Contains($"the seam, {seam.Length} methods.", File.ReadAllText(Path.Combine(Root, "README.md")), StringComparison.Ordinal);
        Assert.Contains(
            $"`Backend` has {seam.Length} methods, of which {own} are abstract", File.ReadAllText(Path.Combine(Root, "docs", "architecture.md")), StringComparison.Ordinal);
    }

    private static string Unindented(string code) =>
        string.Join('\n', code.Split('\n').Select(line => line.Trim()).Where(line => line.Length > 0));

    [GeneratedRegex("```csharp\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Snippet();

    [GeneratedRegex("```(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Block();

    [GeneratedRegex(@"!\[[^\]]*\]\(([^)]+)\)")]
    private static partial Regex Picture();

    /// <summary>A table's cell that is code.</summary>
    [GeneratedRegex(@"^\| (`[^|]+`) \|", RegexOptions.Multiline)]
    private static partial Regex FirstCell();

    [GeneratedRegex("^#+ ", RegexOptions.Multiline)]
    private static partial Regex Heading();

    [GeneratedRegex(@"\]\((?!https?:)([^)#]+)\)")]
    private static partial Regex Link();
}
