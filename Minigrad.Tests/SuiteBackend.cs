using System.Runtime.CompilerServices;
using Minigrad.Tests.Conformance;

namespace Minigrad.Tests;

/// <summary>
/// Where the tensors of all tests are made: on the CPU, or on the backend that the environment variable MINIGRAD_TEST_BACKEND
/// names, so that the tests of operations, layers and optimizers run on a device as they are. docs/gpu.md says how.
/// </summary>
internal static class SuiteBackend
{
    /// <summary>The trait of tests of the CPU backend itself: how it shares work, what it allocates, its bits.</summary>
    public const string Trait = "Backend";

    /// <summary>The trait's value.</summary>
    public const string CpuOnly = "Cpu";

    [ModuleInitializer]
    internal static void Choose()
    {
        if (Environment.GetEnvironmentVariable("MINIGRAD_TEST_BACKEND") is { Length: > 0 } name)
        {
            Tensor.DefaultBackend = ConformanceBackend.Find(name).Backend;
        }
    }
}
