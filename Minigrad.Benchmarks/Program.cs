using BenchmarkDotNet.Running;
using Minigrad.Benchmarks;

switch (args)
{
    case ["--ratios", ..]:
        Ratios.Print();
        break;
    case ["--first-step", ..]:
        FirstStep.Print();
        break;
    default:
        BenchmarkSwitcher.FromAssembly(typeof(ElementwiseBenchmarks).Assembly).Run(args);
        break;
}
