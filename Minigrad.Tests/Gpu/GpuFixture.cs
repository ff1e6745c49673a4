using Minigrad.Backends;
using Minigrad.Gpu;

namespace Minigrad.Tests.Gpu;

/// <summary>
/// The backend under test: ILGPU's CPU accelerator, or the device that the environment variable MINIGRAD_TEST_GPU names
/// (a part of its name, or its index), so that the same tests run on PoCL and on real GPUs.
/// </summary>
public sealed class GpuFixture : IDisposable
{
    public GpuBackend Backend { get; } = Open();

    public void Dispose() => Backend.Dispose();

    /// <summary>Opens the device once more, for a test that disposes it.</summary>
    public static GpuBackend Open() => Environment.GetEnvironmentVariable("MINIGRAD_TEST_GPU") is { Length: > 0 } name
        ? GpuDevice.Open(name)
        : GpuDevice.OpenCpuAccelerator();

    public static Storage Upload(Backend backend, params ReadOnlySpan<float> values)
    {
        Storage storage = backend.Allocate(values.Length);
        backend.Upload(values, storage);
        return storage;
    }

    public static float[] Download(Storage storage)
    {
        float[] values = new float[storage.Length];
        storage.Backend.Download(storage, values);
        return values;
    }
}
