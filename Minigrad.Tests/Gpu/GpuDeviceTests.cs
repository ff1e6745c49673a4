using System.Runtime.InteropServices;
using ILGPU.Backends.OpenCL;
using ILGPU.Runtime.Cuda;
using Minigrad.Backends;
using Minigrad.Backends.Cpu;
using Minigrad.Gpu;

namespace Minigrad.Tests.Gpu;

public sealed class GpuDeviceTests
{
    [Fact]
    public void List_is_numbered_best_first_and_has_no_emulation()
    {
        IReadOnlyList<GpuDeviceDescription> devices = GpuDevice.List();
        Assert.Equal(Enumerable.Range(0, devices.Count), devices.Select(device => device.Index));
        Assert.Equal(devices.OrderByDescending(device => device.IsUsable).ThenBy(device => device.Kind), devices);
        Assert.All(devices, device => Assert.NotEmpty(device.Version + device.Driver));
        Assert.DoesNotContain(devices, device => device.Kind == GpuDeviceKind.CpuAccelerator);
    }

    [Fact]
    public void Open_gives_a_gpu_or_says_what_to_do()
    {
        if (GpuDevice.List().Any(IsUsableGpu))
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

    [Fact]
    public void OpenOrCpu_gives_a_gpu_or_the_CPU_backend_and_no_emulation()
    {
        Backend backend = GpuDevice.OpenOrCpu();
        using (backend as IDisposable)
        {
            Assert.Equal(GpuDevice.List().Any(IsUsableGpu), backend is GpuBackend { Device.Kind: GpuDeviceKind.Cuda or GpuDeviceKind.OpenClGpu });
            Assert.Equal(backend is not GpuBackend, ReferenceEquals(backend, CpuBackend.Instance));
        }
    }

    [Fact]
    public void Drivers_count_the_devices_or_say_what_to_do()
    {
        IReadOnlyList<GpuDriver> drivers = GpuDevice.Drivers();
        Assert.Equal(["CUDA", "OpenCL"], drivers.Select(driver => driver.Name));
        Assert.Equal(GpuDevice.List().Count, drivers.Sum(driver => driver.DeviceCount));
        Assert.All(drivers, driver => Assert.Equal(driver.DeviceCount == 0, driver.Problem is not null));
    }

    [Theory]
    [InlineData("CUDA", null, "install the driver; the CUDA toolkit is not needed")]
    [InlineData("CUDA", "libcuda.so.1", "`nvidia-smi` must list the GPU")]
    [InlineData("OpenCL", null, "ocl-icd-libopencl1")]
    [InlineData("OpenCL", "libOpenCL.so.1", "`clinfo` must list the GPU")]
    public void A_driver_without_a_device_says_what_to_do(string name, string? library, string advice)
    {
        Assert.Contains(advice, new GpuDriver(name, library, 0).ToString(), StringComparison.Ordinal);
        Assert.Null(new GpuDriver(name, library, 1).Problem);
    }

    [Fact]
    public void A_device_that_cannot_be_used_says_why()
    {
        CudaDriverVersion driver = CudaDriverVersion.FromMajorMinor(11, 2);
        Assert.Null(DeviceRequirements.ProblemOf(driver, CudaArchitecture.SM_80, CudaInstructionSet.ISA_72));
        Assert.Contains("11.2", DeviceRequirements.ProblemOf(driver, null, null), StringComparison.Ordinal);
        string? old = DeviceRequirements.ProblemOf(driver, CudaArchitecture.SM_90, null);
        Assert.Contains("11.2", old, StringComparison.Ordinal);
        Assert.Contains("newer driver", old, StringComparison.Ordinal);

        Assert.Null(DeviceRequirements.ProblemOf(CLCVersion.CL30, hasGenericAddressSpace: true));
        Assert.Contains("generic address space", DeviceRequirements.ProblemOf(CLCVersion.CL30, hasGenericAddressSpace: false), StringComparison.Ordinal);
        Assert.Contains("1.2", DeviceRequirements.ProblemOf(CLCVersion.CL12, hasGenericAddressSpace: true), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("OpenCL", "libOpenCL.so.1")]
    [InlineData("cuda", "libcuda.so.1")]
    public void A_driver_is_found_by_the_name_it_is_installed_under(string asked, string file)
    {
        nint found = NativeLibraryNames.Resolve(typeof(ILGPU.Context).Assembly, asked);
        Assert.Equal(NativeLibrary.TryLoad(file, out nint handle), found != 0);
        Assert.Equal(handle, found);
        Assert.Equal(0, NativeLibraryNames.Resolve(typeof(GpuDevice).Assembly, asked));
        Assert.Equal(0, NativeLibraryNames.Resolve(typeof(ILGPU.Context).Assembly, "libm"));
    }

    [Fact]
    public void A_library_is_found_by_the_first_name_that_loads()
    {
        Assert.Null(NativeLibraryNames.Find(["libno-such-library.so.7"]));
        string present = OperatingSystem.IsWindows() ? "kernel32.dll" : OperatingSystem.IsMacOS() ? "libSystem.dylib" : "libc.so.6";
        Assert.Equal(present, NativeLibraryNames.Find(["libno-such-library.so.7", present, "libm.so.6"]));
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

    private static bool IsUsableGpu(GpuDeviceDescription device) =>
        device.IsUsable && device.Kind is GpuDeviceKind.Cuda or GpuDeviceKind.OpenClGpu;
}
