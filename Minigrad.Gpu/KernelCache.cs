using System.Reflection;
using ILGPU;
using ILGPU.Runtime;

namespace Minigrad.Gpu;

/// <summary>
/// Compiled kernels, one for each closed generic method, held for as long as the backend lives (ILGPU's own cache holds
/// weak references and compiles again after a garbage collection). Not safe for several threads: its owner has the lock.
/// </summary>
internal sealed class KernelCache(Context context, Accelerator accelerator)
{
    /// <summary>
    /// By the delegate that names the kernel, of which the compiler makes one for each closed method: comparing references
    /// is all that a launch has to do. Comparing generic methods would make arrays of their type arguments.
    /// </summary>
    private readonly Dictionary<Delegate, Delegate> launchers = new(ReferenceEqualityComparer.Instance);

    private readonly Dictionary<MethodInfo, Delegate> compiled = [];

    /// <summary>How many kernels were compiled.</summary>
    public int Count => compiled.Count;

    /// <summary>The kernel's launcher, compiled at its first use.</summary>
    /// <typeparam name="TLauncher">The launcher's type: the stream, then the kernel's parameters.</typeparam>
    /// <param name="kernel">A delegate of the kernel's method, closed if it is generic.</param>
    /// <param name="isGrouped">Whether the kernel is for explicit groups, not for single indices.</param>
    /// <exception cref="GpuException">The kernel does not compile.</exception>
    public TLauncher Get<TLauncher>(Delegate kernel, bool isGrouped)
        where TLauncher : Delegate
    {
        if (launchers.TryGetValue(kernel, out Delegate? known))
        {
            return (TLauncher)known;
        }

        if (!compiled.TryGetValue(kernel.Method, out Delegate? launcher))
        {
            launcher = Compile<TLauncher>(kernel.Method, isGrouped);
            compiled.Add(kernel.Method, launcher);
        }

        launchers.Add(kernel, launcher);
        return (TLauncher)launcher;
    }

    private TLauncher Compile<TLauncher>(MethodInfo kernel, bool isGrouped)
        where TLauncher : Delegate
    {
        FormulaCheck.ThrowIfUnusable(kernel);
        try
        {
            Kernel loaded;
            try
            {
                loaded = Load(kernel, isGrouped);
            }
            catch (Exception exception) when (exception is InternalCompilerException or AggregateException)
            {
                // ILGPU transforms the methods of a kernel at the same time, and once in thousands of kernels one of them
                // reads the structure of another that is half lowered. What fails for a reason fails again.
                context.ClearCache(ClearCacheMode.Everything);
                loaded = Load(kernel, isGrouped);
            }

            return DeviceFailure.Guard(loaded.CreateLauncherDelegate<TLauncher>(), kernel.Name, accelerator.Name);
        }
        catch (Exception exception)
        {
            // A failed compile leaves the context unable to compile anything else; this repairs it.
            context.ClearCache(ClearCacheMode.Everything);
            throw CompileFailure.Of(kernel, accelerator.Name, exception);
        }
    }

    private Kernel Load(MethodInfo kernel, bool isGrouped) =>
        isGrouped ? accelerator.LoadKernel(kernel) : accelerator.LoadAutoGroupedKernel(kernel);
}
