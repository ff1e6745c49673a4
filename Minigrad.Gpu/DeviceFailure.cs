using System.Linq.Expressions;
using System.Reflection;
using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;
using ILGPU.Runtime.OpenCL;

namespace Minigrad.Gpu;

/// <summary>
/// What a driver says when a device fails, in words that say what to do. CUDA tells of a fault in a kernel at whatever is
/// asked of the device next, and from then on at everything: the context is lost.
/// </summary>
internal static class DeviceFailure
{
    /// <summary>Whether an exception is what a driver, or a library on it, said.</summary>
    /// <param name="exception">The exception.</param>
    public static bool IsOne(Exception exception) => exception is AcceleratorException or CuBlasException;

    /// <summary>What the driver said; ILGPU's exception of OpenCL has it as a code only, with no message.</summary>
    /// <param name="cause">The exception.</param>
    public static string SaidBy(Exception cause) => cause switch
    {
        CLException { Error: not CLError.CL_SUCCESS } openCl => $"{openCl.Error}.",
        CuBlasException { Error: not CuBlasStatus.CUBLAS_STATUS_SUCCESS } library => $"{library.Error}.",
        _ => cause.Message.Trim(),
    };

    /// <summary>The exception for the user.</summary>
    /// <param name="operation">What was being done.</param>
    /// <param name="device">The device's name.</param>
    /// <param name="cause">What the driver said.</param>
    public static GpuException Of(string operation, string device, Exception cause) => new(
        $"{device} failed while {operation}: {SaidBy(cause)} The fault may lie in an earlier kernel, since a device tells of one "
        + "late. What is on the device is lost: dispose the backend, open the device again, and go on from a saved state. If "
        + "it happens again, run a small case on GpuDevice.OpenCpuAccelerator(), which checks every index of a kernel, and "
        + "report the operation.",
        cause);

    /// <summary>A launcher that does the same, and gives a driver's error as one of ours. Allocates nothing when called.</summary>
    /// <typeparam name="TLauncher">The launcher's type, a delegate without a result.</typeparam>
    /// <param name="launcher">The launcher.</param>
    /// <param name="kernel">The kernel's name.</param>
    /// <param name="device">The device's name.</param>
    public static TLauncher Guard<TLauncher>(TLauncher launcher, string kernel, string device)
        where TLauncher : Delegate
    {
        MethodInfo of = typeof(DeviceFailure).GetMethod(nameof(Of))!;
        ParameterExpression[] arguments =
            [.. launcher.GetType().GetMethod("Invoke")!.GetParameters().Select(parameter => Expression.Parameter(parameter.ParameterType))];
        ParameterExpression cause = Expression.Parameter(typeof(AcceleratorException));
        Expression failure = Expression.Call(
            of, Expression.Constant($"launching the kernel '{kernel}'"), Expression.Constant(device), cause);
        return Expression.Lambda<TLauncher>(
            Expression.TryCatch(
                Expression.Invoke(Expression.Constant(launcher), arguments),
                Expression.Catch(cause, Expression.Throw(failure))),
            arguments).Compile();
    }
}
