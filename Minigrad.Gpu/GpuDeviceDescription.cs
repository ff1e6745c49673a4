namespace Minigrad.Gpu;

/// <summary>A device that a <see cref="GpuBackend"/> can be opened on, or why it can't.</summary>
/// <param name="Index">Its place in <see cref="GpuDevice.List"/>, which <see cref="GpuDevice.Open(string)"/> takes.</param>
/// <param name="Name">Its name, as its driver gives it.</param>
/// <param name="Kind">How it is driven.</param>
/// <param name="MemoryBytes">Its memory in bytes.</param>
public sealed record GpuDeviceDescription(int Index, string Name, GpuDeviceKind Kind, long MemoryBytes)
{
    /// <summary>What it can do, as its maker counts: <c>compute capability 9.0</c>, <c>OpenCL 3.0</c>.</summary>
    public string Version { get; init; } = string.Empty;

    /// <summary>The driver's own version.</summary>
    public string Driver { get; init; } = string.Empty;

    /// <summary>
    /// Whether it computes in float64. Norms of gradients do, so a device without it runs forward and backward, but no
    /// step of an optimizer.
    /// </summary>
    public bool HasDoublePrecision { get; init; } = true;

    /// <summary>Why it can't be used and what to do about it; null if it can.</summary>
    public string? Problem { get; init; }

    /// <summary>Whether a backend can be opened on it.</summary>
    public bool IsUsable => Problem is null;

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
