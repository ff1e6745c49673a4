using BenchmarkDotNet.Running;
using Minigrad.Backends.Cpu;
using Minigrad.Benchmarks;

switch (args)
{
    case ["--ratios", ..]:
        Ratios.Print();
        break;
    case ["--first-step", ..]:
        FirstStep.Print();
        break;
    case ["--peers", .. string[] rest]:
        // --peers [--threads N] [--seconds S] [part of a name]
        double seconds = 1;
        string only = string.Empty;
        for (int i = 0; i < rest.Length; i++)
        {
            switch (rest[i])
            {
                case "--threads":
                    CpuBackend.Instance.ThreadCount = int.Parse(rest[++i]);
                    break;
                case "--seconds":
                    seconds = double.Parse(rest[++i]);
                    break;
                default:
                    only = rest[i];
                    break;
            }
        }

        Peers.Print(Workload.All().Where(workload => workload.Name.Contains(only, StringComparison.Ordinal)), seconds);
        break;
    default:
        BenchmarkSwitcher.FromAssembly(typeof(ElementwiseBenchmarks).Assembly).Run(args);
        break;
}
