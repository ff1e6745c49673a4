using Minigrad.Gpu;

namespace Minigrad.Tests.Gpu;

/// <summary>Devices looked for by several threads at once, as when a program opens one on each.</summary>
public sealed class OpeningTests
{
    [Fact]
    public void Every_thread_sees_the_same_devices()
    {
        string[] seen = new string[8];
        Thread[] threads = [.. Enumerable.Range(0, seen.Length).Select(i => new Thread(() => seen[i] = string.Join('\n', GpuDevice.List())))];
        Array.ForEach(threads, thread => thread.Start());
        Array.ForEach(threads, thread => thread.Join());
        Assert.Single(seen.Distinct());
    }

    [Fact]
    public void A_program_that_is_compiled_ahead_is_told_what_to_add()
    {
        GpuException refused = Assert.Throws<GpuException>(() => GpuDevice.ThrowIfCompiledAhead(canCompile: false));
        Assert.Contains("#:property PublishAot=false", refused.Message, StringComparison.Ordinal);
        GpuDevice.ThrowIfCompiledAhead(canCompile: true);
    }
}
