using BenchmarkDotNet.Running;
using Minigrad.Benchmarks;

switch (args)
{
    case ["--ratios", ..]:
        Ratios.Print();
        break;
    case ["--floors", ..]:
        return Floors.Print() ? 0 : 1;
    case ["--first-step", ..]:
        FirstStep.Print();
        break;
    case ["--peers", ..]:
        Peers.Print(Workload.All(), args[1..]);
        break;
    case ["--gpu", ..]:
        GpuBenchmarks.Print(args[1..]);
        break;
    case ["--growth", ..]:
        Peers.Print(Growth.Workloads(), args[1..]);
        break;
    case ["--growth-picture", string ours, string theirs, string picture]:
        Growth.Draw(ours, theirs, picture);
        break;
    default:
        BenchmarkSwitcher.FromAssembly(typeof(ElementwiseBenchmarks).Assembly).Run(args);
        break;
}

return 0;
