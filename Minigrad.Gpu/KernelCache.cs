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
    private readonly Dictionary<MethodInfo, Delegate> launchers = [];

    /// <summary>The kernel's launcher, compiled at its first use.</summary>
    /// <typeparam name="TLauncher">The launcher's type: the stream, then the kernel's parameters.</typeparam>
    /// <param name="kernel">The closed generic method.</param>
    /// <exception cref="GpuException">The kernel does not compile.</exception>
    public TLauncher Get<TLauncher>(MethodInfo kernel)
        where TLauncher : Delegate => Get<TLauncher>(kernel, accelerator.LoadAutoGroupedKernel);

    /// <summary>The launcher of a kernel that says itself how threads are grouped.</summary>
    /// <typeparam name="TLauncher">The launcher's type: the stream, the configuration, then the kernel's parameters.</typeparam>
    /// <param name="kernel">The closed generic method.</param>
    /// <exception cref="GpuException">The kernel does not compile.</exception>
    public TLauncher GetGrouped<TLauncher>(MethodInfo kernel)
        where TLauncher : Delegate => Get<TLauncher>(kernel, accelerator.LoadKernel);

    private TLauncher Get<TLauncher>(MethodInfo kernel, Func<MethodInfo, Kernel> load)
        where TLauncher : Delegate
    {
        if (launchers.TryGetValue(kernel, out Delegate? known))
        {
            return (TLauncher)known;
        }

        FormulaCheck.ThrowIfUnusable(kernel);
        TLauncher launcher;
        try
        {
            launcher = load(kernel).CreateLauncherDelegate<TLauncher>();
        }
        catch (Exception exception)
        {
            // A failed compile leaves the context unable to compile anything else; this repairs it.
            context.ClearCache(ClearCacheMode.Everything);
            throw new GpuException(Explain(kernel, exception), exception);
        }

        launchers.Add(kernel, launcher);
        return launcher;
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
