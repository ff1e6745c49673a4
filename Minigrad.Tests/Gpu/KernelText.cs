using System.Reflection;
using ILGPU;
using ILGPU.Backends.EntryPoints;
using ILGPU.Backends.OpenCL;
using ILGPU.Backends.PTX;
using ILGPU.Runtime.Cuda;
using ILGPU.Runtime.OpenCL;

namespace Minigrad.Tests.Gpu;

/// <summary>Compiles kernels to PTX and OpenCL text, for which no device is needed.</summary>
public sealed class KernelText : IDisposable
{
    private readonly Context context = Context.Create(builder => builder.EnableAlgorithms().Optimize(OptimizationLevel.O1));
    private readonly PTXBackend ptx;
    private readonly CLBackend openCl;

    public KernelText()
    {
        ptx = new PTXBackend(
            context, new CudaCapabilityContext(CudaArchitecture.SM_90), CudaArchitecture.SM_90, CudaInstructionSet.ISA_84, null);
        openCl = new CLBackend(
            context, new CLCapabilityContext(true, true, true, true, true), CLDeviceVendor.Other, CLCVersion.CL30);
    }

    /// <summary>What the lint finds in both texts of a kernel, or why it does not compile; empty if all is well.</summary>
    public IReadOnlyList<string> Faults(MethodInfo kernel, bool allowDouble)
    {
        EntryPointDescription entry = EntryPointDescription.FromImplicitlyGroupedKernel(kernel);
        try
        {
            string ptxText = ((PTXCompiledKernel)ptx.Compile(entry, default)).PTXAssembly;
            string openClText = ((CLCompiledKernel)openCl.Compile(entry, default)).Source;
            return
            [
                .. KernelLint.Ptx(ptxText, allowDouble).Select(fault => $"PTX: {fault}"),
                .. KernelLint.OpenCl(openClText, allowDouble).Select(fault => $"OpenCL: {fault}"),
            ];
        }
        catch (InternalCompilerException exception)
        {
            context.ClearCache(ClearCacheMode.Everything);
            return [$"does not compile: {exception.GetBaseException().Message}"];
        }
    }

    public void Dispose()
    {
        ptx.Dispose();
        openCl.Dispose();
        context.Dispose();
    }
}
