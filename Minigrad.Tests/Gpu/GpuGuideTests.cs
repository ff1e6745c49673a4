using System.Reflection;
using System.Text.RegularExpressions;
using ILGPU;
using ILGPU.Runtime.CPU;
using Minigrad.Backends;
using Minigrad.Gpu;
using Minigrad.Layers;

namespace Minigrad.Tests.Gpu;

/// <summary>Holds docs/gpu.md: its code, compiled and asserted, and the tests that it names.</summary>
public sealed partial class GpuGuideTests
{
    private static readonly string Guide = File.ReadAllText(Path.Combine(Repository.Root, "docs", "gpu.md"));

    [Fact]
    public void A_model_moves_to_whatever_there_is()
    {
        Linear model = new(3, 2, generator: new Generator(1));
        Tensor input = Tensor.Ones(4, 3);
        float expected = model.Forward(input).Sum().Item();

        Backend device = GpuDevice.OpenOrCpu();
        model.To(device);
        float value = model.Forward(input.To(device)).Sum().Item();

        Assert.Equal(expected, value, 1e-5f);
        (device as IDisposable)?.Dispose();
    }

    [Fact]
    public void The_kernel_reverses_and_passes_the_lint()
    {
        Assert.Empty(KernelText.Faults(typeof(GuideKernels).GetMethod(nameof(GuideKernels.Reverse))!, allowDouble: false));
        Context context = Context.Create(builder => builder.CPU(new CPUDevice(4, 4, 1)));
        using DeviceQueue queue = new(context, context.CreateCPUAccelerator(0));
        ArrayView<float> x = queue.Allocate(3).View.BaseView;
        ArrayView<float> y = queue.Allocate(3).View.BaseView;
        queue.Upload<float>([1f, 2f, 3f], x);

        queue.Launch(GuideKernels.Reverse, y.IntLength, x, y);

        float[] found = new float[3];
        queue.Download<float>(y, found);
        Assert.Equal([3f, 2f, 1f], found);
    }

    [Fact]
    public void Every_guard_that_it_names_is_a_test()
    {
        MatchCollection guards = Guard().Matches(Guide);
        Assert.True(guards.Count > 20);
        Assert.All(guards, guard =>
        {
            MethodInfo? test = typeof(GpuGuideTests).Assembly.GetTypes().Where(type => type.Name == guard.Groups[1].Value)
                .Select(type => type.GetMethod(guard.Groups[2].Value)).FirstOrDefault(method => method is not null);
            Assert.True(test?.GetCustomAttribute<FactAttribute>() is { Skip: null }, $"{guard.Value} is no test.");
        });
    }

    [Fact]
    public void Every_trap_has_a_guard() =>
        Assert.All(TrapRow().Matches(Guide), row => Assert.Matches(Guard(), row.Groups[1].Value));

    [GeneratedRegex(@"`(\w+Tests)\.(\w+)`")]
    private static partial Regex Guard();

    [GeneratedRegex(@"^\| (?!trap|---|variable|`MINIGRAD)[^|]+\|[^|]+\|([^|]*)\|$", RegexOptions.Multiline)]
    private static partial Regex TrapRow();
}
