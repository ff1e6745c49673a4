using Minigrad.Gpu;

namespace Minigrad.Tests.Gpu;

public sealed class GpuDeviceTests
{
    [Fact]
    public void List_is_numbered_best_first_and_has_no_emulation()
    {
        IReadOnlyList<GpuDeviceDescription> devices = GpuDevice.List();
        Assert.Equal(Enumerable.Range(0, devices.Count), devices.Select(device => device.Index));
        Assert.Equal(devices.OrderBy(device => device.Kind), devices);
        Assert.DoesNotContain(devices, device => device.Kind == GpuDeviceKind.CpuAccelerator);
    }

    [Fact]
    public void Open_gives_a_gpu_or_says_what_to_do()
    {
        if (GpuDevice.List().Any(device => device.Kind is GpuDeviceKind.Cuda or GpuDeviceKind.OpenClGpu))
        {
            using GpuBackend gpu = GpuDevice.Open();
            Assert.Contains(gpu.Device.Kind, (GpuDeviceKind[])[GpuDeviceKind.Cuda, GpuDeviceKind.OpenClGpu]);
            return;
        }

        GpuException exception = Assert.Throws<GpuException>(() => GpuDevice.Open());
        Assert.Contains("libcuda.so.1", exception.Message, StringComparison.Ordinal);
        Assert.Contains("libOpenCL.so.1", exception.Message, StringComparison.Ordinal);
        Assert.Contains("driver", exception.Message, StringComparison.Ordinal);
        Assert.Contains(nameof(GpuDevice.OpenCpuAccelerator), exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("no such device")]
    [InlineData("99")]
    public void Open_of_an_unknown_device_repeats_its_name(string name)
    {
        GpuException exception = Assert.Throws<GpuException>(() => GpuDevice.Open(name));
        Assert.Contains($"'{name}'", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_refuses_an_empty_name() => Assert.Throws<ArgumentException>(() => GpuDevice.Open(" "));

    [Fact]
    public void Description_is_one_line() => Assert.Equal(
        "[0] Some GPU (CUDA, 79.5 GiB)",
        new GpuDeviceDescription(0, "Some GPU", GpuDeviceKind.Cuda, (79L << 30) + (1L << 29)).ToString());
}
