namespace Minigrad.Gpu;

/// <summary>A device that a <see cref="GpuBackend"/> can be opened on.</summary>
/// <param name="Index">Its place in <see cref="GpuDevice.List"/>, which <see cref="GpuDevice.Open(string)"/> takes.</param>
/// <param name="Name">Its name, as its driver gives it.</param>
/// <param name="Kind">How it is driven.</param>
/// <param name="MemoryBytes">Its memory in bytes.</param>
public sealed record GpuDeviceDescription(int Index, string Name, GpuDeviceKind Kind, long MemoryBytes)
{
    /// <summary>The device in one line: <c>[0] NVIDIA H100 (CUDA, 79.1 GiB)</c>.</summary>
    public override string ToString()
    {
        double gibibytes = MemoryBytes / (double)(1L << 30);
        return FormattableString.Invariant($"[{Index}] {Name} ({KindName}, {gibibytes:0.0} GiB)");
    }

    private string KindName => Kind switch
    {
        GpuDeviceKind.Cuda => "CUDA",
        GpuDeviceKind.OpenClGpu => "OpenCL",
        GpuDeviceKind.OpenClOther => "OpenCL, not a GPU",
        _ => "ILGPU's CPU accelerator, for debugging",
    };
}
