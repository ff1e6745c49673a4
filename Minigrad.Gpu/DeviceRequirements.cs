using ILGPU.Backends.OpenCL;
using ILGPU.Runtime.Cuda;

namespace Minigrad.Gpu;

/// <summary>What ILGPU needs of a device, and what to tell the owner of one that lacks it.</summary>
internal static class DeviceRequirements
{
    /// <summary>Why a CUDA device can't be used, or null.</summary>
    /// <param name="driver">The newest CUDA that the driver knows.</param>
    /// <param name="architecture">The device's architecture, if ILGPU could tell it.</param>
    /// <param name="instructionSet">The newest PTX that both the driver and ILGPU know for it, if there is one.</param>
    public static string? ProblemOf(
        CudaDriverVersion driver, CudaArchitecture? architecture, CudaInstructionSet? instructionSet) =>
        (architecture, instructionSet) switch
        {
            (null, _) => $"its architecture could not be read through a driver for CUDA {driver}. Install a newer driver.",
            (_, null) =>
                $"its driver, for CUDA {driver}, is too old to compile kernels for {architecture}. Install a newer driver.",
            _ => null,
        };

    /// <summary>Why an OpenCL device can't be used, or null.</summary>
    /// <param name="language">The newest OpenCL C that it compiles.</param>
    /// <param name="hasGenericAddressSpace">Whether one kind of pointer may point to any memory of it.</param>
    public static string? ProblemOf(CLCVersion language, bool hasGenericAddressSpace)
    {
        if (language < CLCVersion.CL20)
        {
            return $"it compiles {language}, and kernels need OpenCL C 2.0 or newer. Install a newer driver of the GPU's maker, "
                + "if there is one. (macOS and NVIDIA's older drivers have 1.2 and no more; for NVIDIA's GPUs use CUDA.)";
        }

        return hasGenericAddressSpace
            ? null
            : "it has no generic address space, an optional part of OpenCL 3.0 that ILGPU's kernels need. Install a newer driver "
                + "of the GPU's maker (of PoCL: version 5 or newer); for NVIDIA's GPUs use CUDA.";
    }
}
