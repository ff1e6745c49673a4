using System.Reflection;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Minigrad.Tests.Architecture;

/// <summary>The arrows between projects and between Core's layers, read from the project files and the sources.</summary>
public sealed partial class ArchitectureTests
{
    private static readonly string Root = Repository.Root;

    /// <summary>Core's folders from the ground up: a layer may use what stands above it in this list, never below.</summary>
    private static readonly string[] Layers =
    [
        "Minigrad.Numerics", "Minigrad.Operations", "Minigrad.Backends", "Minigrad.Backends.Cpu", "Minigrad", "Minigrad.Layers",
        "Minigrad.Losses", "Minigrad.Data", "Minigrad.Plots",
    ];

    [Theory]
    [InlineData("Minigrad.Core", "")]
    [InlineData("Minigrad.Optimizers", "Minigrad.Core")]
    [InlineData("Minigrad.Gpu", "Minigrad.Core")]
    [InlineData("Minigrad", "Minigrad.Core,Minigrad.Optimizers")]
    public void Projects_reference_only_what_the_design_allows(string project, string allowed)
    {
        IEnumerable<string> references = Items(project, "ProjectReference").Select(path => Path.GetFileNameWithoutExtension(path)!);
        Assert.Equal(allowed.Split(',', StringSplitOptions.RemoveEmptyEntries), references.Order());
    }

    [Theory]
    [InlineData("Minigrad.Core", "MathNet.Numerics,Sep")]
    [InlineData("Minigrad.Optimizers", "")]
    [InlineData("Minigrad.Gpu", "ILGPU,ILGPU.Algorithms")]
    [InlineData("Minigrad", "")]
    public void Packages_are_the_few_that_the_design_allows(string project, string allowed) =>
        Assert.Equal(allowed.Split(',', StringSplitOptions.RemoveEmptyEntries), Items(project, "PackageReference").Order());

    [Fact]
    public void Core_layers_use_only_what_lies_below_them()
    {
        List<string> faults = [];
        foreach (string file in Sources("Minigrad.Core"))
        {
            string folder = Path.GetRelativePath(Path.Combine(Root, "Minigrad.Core"), Path.GetDirectoryName(file)!);
            int layer = LayerOf(folder == "." ? "Minigrad" : "Minigrad." + folder.Replace(Path.DirectorySeparatorChar, '.'));
            foreach (Match match in UsingDirective().Matches(File.ReadAllText(file)))
            {
                int used = LayerOf(match.Groups[1].Value);
                if (used > layer)
                {
                    faults.Add($"{Path.GetRelativePath(Root, file)} uses {match.Groups[1].Value}");
                }
            }
        }

        Assert.Empty(faults);
    }

    [Fact]
    public void Files_are_named_after_their_type()
    {
        foreach (string project in new[] { "Minigrad.Core", "Minigrad.Optimizers", "Minigrad.Gpu" })
        {
            foreach (string file in Sources(project))
            {
                string name = Path.GetFileNameWithoutExtension(file).Split('.')[0];
                Assert.True(
                    Regex.IsMatch(File.ReadAllText(file), $@"\b(class|struct|interface|enum|record|record struct)\s+{name}\b"),
                    $"{Path.GetRelativePath(Root, file)} holds no type named {name}");
            }
        }
    }

    [Fact]
    public void Namespaces_follow_folders_and_no_type_is_a_helper()
    {
        foreach (Assembly assembly in new[] { typeof(Tensor).Assembly, typeof(Minigrad.Optimizers.Optimizer).Assembly, typeof(Minigrad.Gpu.GpuBackend).Assembly })
        {
            foreach (Type type in assembly.GetExportedTypes())
            {
                Assert.DoesNotMatch("Utils?$|Helpers?$|Manager$", type.Name);
                Assert.StartsWith("Minigrad", type.Namespace, StringComparison.Ordinal);
            }
        }
    }

    private static int LayerOf(string name)
    {
        string known = name == "Minigrad.Autodiff" ? "Minigrad" : name;
        int layer = Array.IndexOf(Layers, known);
        Assert.True(layer >= 0, $"{name} is not in the list of layers");
        return layer;
    }

    private static IEnumerable<string> Sources(string project) =>
        Directory.EnumerateFiles(Path.Combine(Root, project), "*.cs", SearchOption.AllDirectories)
            .Where(file => !file.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal)
                && !file.Contains($"{Path.DirectorySeparatorChar}bin{Path.DirectorySeparatorChar}", StringComparison.Ordinal));

    private static IEnumerable<string> Items(string project, string kind) =>
        XDocument.Load(Path.Combine(Root, project, project + ".csproj")).Descendants(kind)
            .Select(element => element.Attribute("Include")!.Value.Replace('\\', '/'));

    [GeneratedRegex(@"^using (?:static )?(Minigrad(?:\.\w+)*);", RegexOptions.Multiline)]
    private static partial Regex UsingDirective();
}
