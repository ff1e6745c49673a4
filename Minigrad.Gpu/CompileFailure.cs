using System.Reflection;
using ILGPU;
using ILGPU.Runtime;

namespace Minigrad.Gpu;

/// <summary>Why a kernel has not become one of the device's, in words that say what to do.</summary>
internal static class CompileFailure
{
    /// <summary>The exception for the user.</summary>
    /// <param name="kernel">The kernel, closed if it is generic.</param>
    /// <param name="device">The device's name.</param>
    /// <param name="exception">What ILGPU or the driver said.</param>
    public static GpuException Of(MethodInfo kernel, string device, Exception exception)
    {
        Exception cause = exception;
        while (cause.InnerException is { } inner)
        {
            cause = inner;
        }

        string said = DeviceFailure.SaidBy(cause);
        string formula = string.Join(", ", kernel.GetGenericArguments().Select(FormulaCheck.NameOf));
        return new GpuException(
            cause switch
            {
                CapabilityNotSupportedException =>
                    $"{device} cannot run the kernel '{kernel.Name}': {said} Norms need double precision; everything else runs "
                    + "in single precision. Compute norms on the CPU, or use a device that has it.",
                AcceleratorException =>
                    $"The driver of {device} refused the kernel '{kernel.Name}'{(formula.Length > 0 ? $" with the formula '{formula}'" : string.Empty)}: "
                    + $"{said} ILGPU had compiled it, so the fault is in what it wrote or in the driver. Install a newer driver, or "
                    + "compute this on the CPU, and please report it. Other kernels are not affected.",
                _ =>
                    $"{(formula.Length > 0 ? $"The formula '{formula}'" : $"The kernel '{kernel.Name}'")} does not compile for {device}: "
                    + $"{said} In a formula that runs on a GPU, use only the operators and functions of T (T.Exp, T.Less, …), "
                    + "plain arithmetic on numbers, and fields that are numbers: no call into Math, MathF or any other library, no "
                    + "exception, no string, class, array or static field. The CPU backend runs such a formula as it is. Other "
                    + "kernels are not affected.",
            },
            exception);
    }
}
