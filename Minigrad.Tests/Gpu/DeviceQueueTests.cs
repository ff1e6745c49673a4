using ILGPU;
using ILGPU.Runtime.CPU;
using Minigrad.Gpu;

namespace Minigrad.Tests.Gpu;

/// <summary>How many threads a launch may have.</summary>
public sealed class DeviceQueueTests : IDisposable
{
    private readonly Context context = Context.Create(builder => builder.CPU(new CPUDevice(4, 4, 1)));
    private readonly DeviceQueue queue;

    public DeviceQueueTests() => queue = new DeviceQueue(context, context.CreateCPUAccelerator(0));

    public void Dispose() => queue.Dispose();

    [Theory]
    [InlineData(0, 4, 4)]
    [InlineData(1, 32, 4)]
    [InlineData(1, 2, 2)]
    [InlineData(536_870_911, 4, 4)]
    [InlineData(536_870_912, 4, 2)]
    [InlineData(1_073_741_824, 4, 1)]
    [InlineData(int.MaxValue, 4, 1)]
    public void Very_many_groups_have_fewer_threads(int groups, int wanted, int expected) =>
        Assert.Equal(expected, queue.GroupSizeFor(groups, wanted));

    [Fact]
    public void More_threads_than_a_launch_can_have_are_refused()
    {
        GpuException exception = Assert.Throws<GpuException>(() => queue.LaunchGroups(Nothing, 1_073_741_824, 2, 1, 2));
        Assert.Contains("Nothing would need 1,073,741,824 groups of 2 threads", exception.Message, StringComparison.Ordinal);
        Assert.Contains("2,147,483,647", exception.Message, StringComparison.Ordinal);
        Assert.Equal(0, queue.Counters.Launches);
    }

    private static void Nothing(int first, int second)
    {
    }
}
