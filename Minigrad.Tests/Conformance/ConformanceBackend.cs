using Minigrad.Backends;
using Minigrad.Backends.Cpu;
using Minigrad.Gpu;

namespace Minigrad.Tests.Conformance;

/// <summary>A backend that replays cases.</summary>
/// <param name="Name">What the environment variable calls it.</param>
/// <param name="Backend">The backend.</param>
/// <param name="ToleranceFactor">
/// By what factor its results may be further off. 1 for both: their kernels evaluate the same formulas with correctly
/// rounded arithmetic.
/// </param>
internal sealed record ConformanceBackend(string Name, Backend Backend, double ToleranceFactor)
{
    private static readonly Dictionary<string, Lazy<ConformanceBackend>> Known = new()
    {
        ["cpu"] = new(() => new ConformanceBackend("cpu", CpuBackend.Instance, 1)),
        ["gpu-debug"] = new(() => new ConformanceBackend("gpu-debug", GpuDevice.OpenCpuAccelerator(), 1)),
        ["gpu"] = new(() => new ConformanceBackend("gpu", OpenGpu(), 1)),
    };

    /// <summary>The names in the environment variable, or the CPU.</summary>
    public static string[] Chosen =>
        (Environment.GetEnvironmentVariable("MINIGRAD_CONFORMANCE_BACKENDS") ?? "cpu")
            .Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    /// <summary>A backend by its name.</summary>
    public static ConformanceBackend Find(string name) => Known.TryGetValue(name, out Lazy<ConformanceBackend>? backend)
        ? backend.Value
        : throw new ConformanceException(
            $"'{name}', of MINIGRAD_CONFORMANCE_BACKENDS or MINIGRAD_TEST_BACKEND, is not one of: {string.Join(", ", Known.Keys)}");

    /// <summary>The device that the GPU tests run on, else the best GPU.</summary>
    private static GpuBackend OpenGpu() =>
        Environment.GetEnvironmentVariable("MINIGRAD_TEST_GPU") is { Length: > 0 } device
            ? GpuDevice.Open(device)
            : GpuDevice.Open();
}
