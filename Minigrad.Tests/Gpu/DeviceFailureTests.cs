using System.Reflection;
using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;
using ILGPU.Runtime.OpenCL;
using Minigrad.Gpu;
using Minigrad.Gpu.Kernels;
using Minigrad.Operations;

namespace Minigrad.Tests.Gpu;

/// <summary>A driver's error, which no test can cause on a device without losing it, is told in our words.</summary>
public sealed class DeviceFailureTests
{
    [Fact]
    public void A_launch_that_fails_names_the_kernel_the_device_and_the_cause()
    {
        Action<int, float> launcher = DeviceFailure.Guard<Action<int, float>>(
            (_, _) => throw new CudaException("an illegal memory access was encountered"), "Map", "Some GPU");
        GpuException exception = Assert.Throws<GpuException>(() => launcher(1, 2f));
        Assert.IsAssignableFrom<AcceleratorException>(exception.InnerException);
        foreach (string part in (string[])["Some GPU", "'Map'", "an illegal memory access", "open the device again", "lost"])
        {
            Assert.Contains(part, exception.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_guarded_launcher_passes_its_arguments_and_other_exceptions_on()
    {
        List<string> calls = [];
        Action<int, string> launcher = DeviceFailure.Guard<Action<int, string>>((number, text) => calls.Add($"{number} {text}"), "k", "d");
        launcher(3, "x");
        launcher(4, "y");
        Assert.Equal(["3 x", "4 y"], calls);

        Action<int> misused = DeviceFailure.Guard<Action<int>>(_ => throw new ArgumentException("not the driver's"), "k", "d");
        Assert.Throws<ArgumentException>(() => misused(1));
    }

    [Fact]
    public void A_guarded_launcher_allocates_nothing()
    {
        int sum = 0;
        Action<int> launcher = DeviceFailure.Guard<Action<int>>(number => sum += number, "k", "d");
        launcher(1);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1000; i++)
        {
            launcher(1);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Equal(1001, sum);
    }

    [Fact]
    public void What_the_driver_said_is_told_though_its_exception_has_only_a_code()
    {
        Assert.Equal("CL_OUT_OF_RESOURCES.", DeviceFailure.SaidBy(new CLException(CLError.CL_OUT_OF_RESOURCES)));
        Assert.Equal("CUBLAS_STATUS_ALLOC_FAILED.", DeviceFailure.SaidBy(new CuBlasException(CuBlasStatus.CUBLAS_STATUS_ALLOC_FAILED)));
        Assert.Equal("misaligned address", DeviceFailure.SaidBy(new CudaException("misaligned address ")));
    }

    [Fact]
    public void A_source_that_the_driver_refuses_names_the_kernel_the_formula_and_the_device()
    {
        MethodInfo kernel = typeof(ElementwiseKernels).GetMethod(nameof(ElementwiseKernels.Map))!.MakeGenericMethod(typeof(Square));
        CLException refusal = new(CLError.CL_BUILD_PROGRAM_FAILURE);
        GpuException exception = CompileFailure.Of(kernel, "Some GPU", refusal);
        Assert.Same(refusal, exception.InnerException);
        foreach (string part in (string[])["Some GPU", "'Map'", "'Square'", "CL_BUILD_PROGRAM_FAILURE", "newer driver"])
        {
            Assert.Contains(part, exception.Message, StringComparison.Ordinal);
        }

        // It is not the user's formula that is at fault.
        Assert.DoesNotContain("MathF", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_device_without_double_precision_is_told_apart()
    {
        MethodInfo kernel = typeof(NormKernels).GetMethods().First(method => method.DeclaringType == typeof(NormKernels));
        string message = CompileFailure.Of(kernel, "Some GPU", new InternalCompilerException("outer", new CapabilityNotSupportedException("no fp64"))).Message;
        Assert.Contains(kernel.Name, message, StringComparison.Ordinal);
        Assert.Contains("double precision", message, StringComparison.Ordinal);
    }
}
