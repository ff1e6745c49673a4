using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Minigrad.Backends.Cpu;

namespace Minigrad.Benchmarks;

/// <summary>
/// Prints a line of JSON for each workload, in the form and with the names of the peers' benchmark, measured as that one
/// does: five runs to warm up, then the median of samples of about ten milliseconds.
/// </summary>
internal static class Peers
{
    private static readonly TimeSpan Sample = TimeSpan.FromMilliseconds(10);

    /// <summary>Measures workloads.</summary>
    /// <param name="workloads">What to measure.</param>
    /// <param name="options"><c>[--threads N] [--seconds S]</c>, and parts of the names to choose.</param>
    public static void Print(IEnumerable<Workload> workloads, string[] options)
    {
        double seconds = 1;
        List<string> parts = [];
        for (int i = 0; i < options.Length; i++)
        {
            switch (options[i])
            {
                case "--threads":
                    CpuBackend.Instance.ThreadCount = int.Parse(options[++i], CultureInfo.InvariantCulture);
                    break;
                case "--seconds":
                    seconds = double.Parse(options[++i], CultureInfo.InvariantCulture);
                    break;
                default:
                    parts.Add(options[i]);
                    break;
            }
        }

        string version = typeof(Tensor).Assembly.GetName().Version!.ToString();
        Write(new { peer = "Minigrad", version, threads = CpuBackend.Instance.ThreadCount });
        foreach (Workload workload in workloads.Where(workload => parts.Count == 0 || parts.Any(part => workload.Name.Contains(part, StringComparison.Ordinal))))
        {
            double[] times = Measure(workload.Prepare(), seconds);
            double median = times[times.Length / 2];
            if (workload.Work > 0)
            {
                Write(new { workload = workload.Name, microseconds = median, min = times[0], rate = workload.Work / median / 1e3 });
            }
            else
            {
                Write(new { workload = workload.Name, microseconds = median, min = times[0] });
            }
        }

        using Process process = Process.GetCurrentProcess();
        Write(new { peak_megabytes = process.PeakWorkingSet64 >> 20 });
    }

    /// <summary>Microseconds a run, sorted.</summary>
    private static double[] Measure(Action run, double seconds)
    {
        // The JIT replaces what runs often, in the background; the peers have no such phase.
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < 5 || Stopwatch.GetElapsedTime(start).TotalSeconds < seconds / 2; i++)
        {
            run();
        }

        // A single run may take less than the clock shows.
        int inner = 1;
        while (Time(run, inner) < Sample / 2)
        {
            inner *= 2;
        }

        List<double> times = [];
        long begin = Stopwatch.GetTimestamp();
        while (times.Count < 5 || Stopwatch.GetElapsedTime(begin).TotalSeconds < seconds)
        {
            times.Add(Time(run, inner).TotalMicroseconds / inner);
        }

        times.Sort();
        return [.. times];
    }

    private static TimeSpan Time(Action run, int times)
    {
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < times; i++)
        {
            run();
        }

        return Stopwatch.GetElapsedTime(start);
    }

    private static void Write(object line) => Console.WriteLine(JsonSerializer.Serialize(line));
}
