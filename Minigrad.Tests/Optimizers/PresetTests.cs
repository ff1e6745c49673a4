using System.Reflection;
using Minigrad.Optimizers;

namespace Minigrad.Tests.Optimizers;

/// <summary>The presets' surface; their numbers are in the conformance cases of kind <c>preset</c>, by groups.</summary>
public sealed class PresetTests
{
    public static IEnumerable<object[]> Presets => new[] { typeof(LikeKeras), typeof(LikePyTorch) }
        .SelectMany(library => Methods(library).Select(method => (Library: library.Name, method.Name)).Distinct())
        .Select(preset => new object[] { preset.Library, preset.Name });

    // By parameters and by groups: the same arguments in the same order, the same defaults, the same steps to the bit.
    [Theory]
    [MemberData(nameof(Presets))]
    public void Takes_parameters_and_groups_alike(string library, string name)
    {
        MethodInfo[] both = [.. Methods(library == nameof(LikeKeras) ? typeof(LikeKeras) : typeof(LikePyTorch)).Where(method => method.Name == name)];
        MethodInfo byParameters = Assert.Single(both, method => method.GetParameters()[0].ParameterType == typeof(IEnumerable<Tensor>));
        MethodInfo byGroups = Assert.Single(both, method => method.GetParameters()[0].ParameterType == typeof(IEnumerable<ParameterGroup>));
        Assert.Equal(Arguments(byParameters), Arguments(byGroups));

        Tensor one = Parameter();
        Tensor other = Parameter();
        Optimizer first = Make(byParameters, new[] { one });
        Optimizer second = Make(byGroups, new[] { new ParameterGroup([other], "all") });
        Assert.Equal("all", second.Groups[0].Name);
        Assert.Equal((first.GetType(), first.LearningRate, first.WeightDecay), (second.GetType(), second.LearningRate, second.WeightDecay));
        for (int step = 1; step <= 3; step++)
        {
            (one.Gradient, other.Gradient) = (Tensor.Of([0.5f, -step]), Tensor.Of([0.5f, -step]));
            first.Step();
            second.Step();
        }

        Assert.Equal(one.ToArray(), other.ToArray());
        Assert.NotEqual([1f, -2f], one.ToArray());
    }

    [Fact]
    public void Groups_have_rates_decays_and_clips_of_their_own()
    {
        Tensor slow = Parameter();
        Tensor fast = Parameter();
        Optimizer optimizer = LikeKeras.Sgd(
            [new ParameterGroup([slow]), new ParameterGroup([fast], "head") { LearningRate = 1, WeightDecay = 0, Clip = [LikeKeras.ClipValue(0.25)] }],
            learningRate: 0.5,
            weightDecay: 0.5);
        (slow.Gradient, fast.Gradient) = (Tensor.Of([1f, -1f]), Tensor.Of([1f, -1f]));

        StepReport report = optimizer.Step();

        // p ← p − η · λ · p, then p ← p − η · g.
        Assert.Equal([1 - 0.25f - 0.5f, -2 + 0.5f + 0.5f], slow.ToArray());
        Assert.Equal([1 - 0.25f, -2 + 0.25f], fast.ToArray());
        Assert.Equal("head: Value(0.25)", Assert.Single(report.Stages).Stage);
    }

    private static Tensor Parameter() => Tensor.Of([1f, -2f]).WithGradient("w");

    private static IEnumerable<MethodInfo> Methods(Type library) =>
        library.GetMethods(BindingFlags.Public | BindingFlags.Static).Where(method => method.ReturnType == typeof(Optimizer));

    private static IEnumerable<(string? Name, object? Default)> Arguments(MethodInfo method) =>
        method.GetParameters().Skip(1).Select(parameter => (parameter.Name, parameter.DefaultValue));

    private static Optimizer Make(MethodInfo method, object first) =>
        (Optimizer)method.Invoke(null, [first, .. method.GetParameters().Skip(1).Select(parameter => parameter.DefaultValue)])!;
}
