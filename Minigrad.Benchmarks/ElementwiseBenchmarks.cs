using BenchmarkDotNet.Attributes;
using Minigrad.Backends.Cpu;

namespace Minigrad.Benchmarks;

/// <summary>Elementwise functions on one core, beside System.Numerics.Tensors.</summary>
[MemoryDiagnoser]
public class ElementwiseBenchmarks
{
    private Elementwise elementwise = null!;

    /// <summary>The names of the functions.</summary>
    public static IEnumerable<string> Names => Elementwise.Names;

    /// <summary>How many numbers: in the second-level cache, and in memory.</summary>
    [Params(65_536, 4_194_304)]
    public int Length { get; set; }

    /// <summary>The function.</summary>
    [ParamsSource(nameof(Names))]
    public string Name { get; set; } = "";

    /// <summary>Makes the numbers.</summary>
    [GlobalSetup]
    public void Setup()
    {
        CpuBackend.Instance.ThreadCount = 1;
        elementwise = Elementwise.Of(Name, Length);
    }

    /// <summary>The tensor operation.</summary>
    [Benchmark(Baseline = true)]
    public Tensor Minigrad() => elementwise.RunMinigrad(Name);

    /// <summary>The library's loop.</summary>
    [Benchmark]
    public float[] TensorPrimitives() => elementwise.RunTensorPrimitives(Name);
}
