namespace Minigrad.Gpu;

/// <summary>
/// What a backend has sent to its device since it was opened. The difference of two readings is what happened between
/// them: a training step that keeps its numbers on the device has no downloads and no synchronizations.
/// </summary>
/// <example>
/// <code>
/// GpuCounters before = gpu.Counters;
/// optimizer.Step();
/// Console.WriteLine(gpu.Counters - before);
/// </code>
/// </example>
/// <param name="Launches">Kernels queued, and products given to cuBLAS.</param>
/// <param name="Uploads">Copies from the host.</param>
/// <param name="Downloads">Copies to the host, each of which also waits.</param>
/// <param name="Synchronizations">How often the host waited for the device, be it for a download.</param>
/// <param name="CompiledKernels">Kernels compiled, each at its first launch.</param>
public readonly record struct GpuCounters(
    long Launches, long Uploads, long Downloads, long Synchronizations, long CompiledKernels)
{
    /// <summary>What happened between two readings: later − earlier.</summary>
    public static GpuCounters operator -(GpuCounters later, GpuCounters earlier) => Subtract(later, earlier);

    /// <summary>What happened between two readings.</summary>
    /// <param name="later">The later reading.</param>
    /// <param name="earlier">The earlier reading.</param>
    public static GpuCounters Subtract(GpuCounters later, GpuCounters earlier) => new(
        later.Launches - earlier.Launches,
        later.Uploads - earlier.Uploads,
        later.Downloads - earlier.Downloads,
        later.Synchronizations - earlier.Synchronizations,
        later.CompiledKernels - earlier.CompiledKernels);
}
