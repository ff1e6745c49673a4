namespace Minigrad.Gpu;

/// <summary>How a device is driven.</summary>
public enum GpuDeviceKind
{
    /// <summary>An NVIDIA GPU, by its CUDA driver.</summary>
    Cuda,

    /// <summary>A GPU of any maker, by an OpenCL driver.</summary>
    OpenClGpu,

    /// <summary>An OpenCL device that is not a GPU, such as PoCL on the host's processor. Opened only by name or index.</summary>
    OpenClOther,

    /// <summary>ILGPU's emulation on the host's processor, for debugging. Never listed; see <see cref="GpuDevice.OpenCpuAccelerator"/>.</summary>
    CpuAccelerator,
}
