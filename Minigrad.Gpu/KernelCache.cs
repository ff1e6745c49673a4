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
            Kernel loaded = isGrouped ? accelerator.LoadKernel(kernel) : accelerator.LoadAutoGroupedKernel(kernel);
            return DeviceFailure.Guard(loaded.CreateLauncherDelegate<TLauncher>(), kernel.Name, accelerator.Name);
        }
        catch (Exception exception)
        {
            // A failed compile leaves the context unable to compile anything else; this repairs it.
            context.ClearCache(ClearCacheMode.Everything);
            throw new GpuException(Explain(kernel, exception), exception);
        }
    }

    private string Explain(MethodInfo kernel, Exception exception)
    {
        Exception cause = exception;
        while (cause.InnerException is { } inner)
        {
            cause = inner;
        }

        if (cause is CapabilityNotSupportedException)
        {
            return $"{accelerator.Name} cannot run the kernel '{kernel.Name}': {cause.Message.Trim()} Norms need double precision; "
                + "everything else runs in single precision. Compute norms on the CPU, or use a device that has it.";
        }

        string formula = string.Join(", ", kernel.GetGenericArguments().Select(FormulaCheck.NameOf));
        string subject = formula.Length > 0 ? $"The formula '{formula}'" : $"The kernel '{kernel.Name}'";
        return $"{subject} does not compile for {accelerator.Name}: {cause.Message.Trim()} In a formula that runs on a GPU, "
            + "use only the operators and functions of T (T.Exp, T.Less, …), plain arithmetic on numbers, and fields that are "
            + "numbers: no call into Math, MathF or any other library, no exception, no string, class, array or static field. "
            + "The CPU backend runs such a formula as it is. Other kernels are not affected.";
    }
}
