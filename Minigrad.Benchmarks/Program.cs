using BenchmarkDotNet.Running;
using Minigrad.Benchmarks;

if (args is ["--ratios", ..])
{
    Ratios.Print();
}
else
{
    BenchmarkSwitcher.FromAssembly(typeof(ElementwiseBenchmarks).Assembly).Run(args);
}
