using System.Reflection;
using ILGPU;
using ILGPU.Backends.EntryPoints;
using ILGPU.Backends.OpenCL;
using ILGPU.Backends.PTX;
using ILGPU.Runtime.Cuda;
using ILGPU.Runtime.OpenCL;
using Minigrad.EmulatedCuda;
using Minigrad.Gpu;

namespace Minigrad.Tests.Gpu;

/// <summary>
/// Compiles kernels to PTX and OpenCL text, for which no device is needed. Each compiles in a context of its own, since in
/// a shared one ILGPU's text depends on what was compiled before: the second of two alike update rules keeps its
/// constants in local memory. (It computes the same.)
/// </summary>
public static class KernelText
{
    /// <summary>What the lint finds in both texts of a kernel, or why it does not compile; empty if all is well.</summary>
    public static IReadOnlyList<string> Faults(MethodInfo kernel, bool allowDouble)
    {
        using Context context = NewContext();
        using CLBackend openCl = new(
            context, new CLCapabilityContext(true, true, true, true, true), CLDeviceVendor.Other, CLCVersion.CL30);
        try
        {
            FormulaCheck.ThrowIfUnusable(kernel);
            string ptxText = Ptx(context, kernel);
            string openClText = ((CLCompiledKernel)openCl.Compile(EntryOf(kernel), default)).Source;
            return
            [
                .. KernelLint.Ptx(ptxText, allowDouble).Select(fault => $"PTX: {fault}"),
                .. KernelLint.OpenCl(openClText, allowDouble).Select(fault => $"OpenCL: {fault}"),
                .. NotEmulated(ptxText),
            ];
        }
        catch (InternalCompilerException exception)
        {
            return [$"does not compile: {exception.GetBaseException().Message}"];
        }
        catch (GpuException exception)
        {
            return [$"is refused: {exception.Message}"];
        }
    }

    /// <summary>The PTX text of a kernel.</summary>
    public static string Ptx(MethodInfo kernel)
    {
        using Context context = NewContext();
        return Ptx(context, kernel);
    }

    private static string Ptx(Context context, MethodInfo kernel)
    {
        using PTXBackend ptx = new(
            context, new CudaCapabilityContext(CudaArchitecture.SM_90), CudaArchitecture.SM_90, CudaInstructionSet.ISA_84, null);
        return ((PTXCompiledKernel)ptx.Compile(EntryOf(kernel), default)).PTXAssembly;
    }

    private static Context NewContext() => Context.Create(builder => builder.EnableAlgorithms().Optimize(OptimizationLevel.O1));

    private static EntryPointDescription EntryOf(MethodInfo kernel) =>
        kernel.GetParameters()[0].ParameterType == typeof(Index1D)
            ? EntryPointDescription.FromImplicitlyGroupedKernel(kernel)
            : EntryPointDescription.FromExplicitlyGroupedKernel(kernel);

    /// <summary>What the emulated device can't read.</summary>
    private static IEnumerable<string> NotEmulated(string ptxText)
    {
        try
        {
            PtxReader.Read(ptxText);
            return [];
        }
        catch (PtxException exception)
        {
            return [$"not emulated: {exception.Message}"];
        }
    }
}
