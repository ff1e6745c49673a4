namespace Minigrad.Gpu;

/// <summary>A way to reach GPUs, and what this machine has of it. Listed by <see cref="GpuDevice.Drivers"/>.</summary>
/// <param name="Name"><c>CUDA</c> or <c>OpenCL</c>.</param>
/// <param name="Library">The file of the driver or loader that was found, or null.</param>
/// <param name="DeviceCount">How many devices it shows, usable or not.</param>
public sealed record GpuDriver(string Name, string? Library, int DeviceCount)
{
    /// <summary>Why it shows no device and what to do about it; null if it shows one.</summary>
    public string? Problem => (Name, Library, DeviceCount) switch
    {
        (_, _, > 0) => null,
        ("CUDA", null, _) =>
            "NVIDIA's driver is not installed: neither libcuda.so.1 nor, on Windows, nvcuda.dll was found. For an NVIDIA GPU "
            + "install the driver; the CUDA toolkit is not needed. A container must be started with access to the GPU.",
        ("CUDA", _, _) =>
            $"NVIDIA's driver is there ({Library}), but it shows no GPU. `nvidia-smi` must list the GPU: if it does not, the "
            + "driver does not fit the GPU or the kernel, or this container was started without access to the GPU.",
        (_, null, _) =>
            "OpenCL's loader is not installed: neither libOpenCL.so.1 nor, on Windows, OpenCL.dll was found. For a GPU of "
            + "another maker install the loader (on Debian and Ubuntu: ocl-icd-libopencl1) and the maker's driver.",
        _ =>
            $"OpenCL's loader is there ({Library}), but no driver is, or none that shows a device. Install the GPU maker's "
            + "OpenCL driver; `clinfo` must list the GPU. On Linux drivers are named in /etc/OpenCL/vendors.",
    };

    /// <summary>The driver in one line.</summary>
    public override string ToString() => $"{Name}: {Problem ?? $"{Library}, {DeviceCount} device{(DeviceCount == 1 ? string.Empty : "s")}"}";
}
