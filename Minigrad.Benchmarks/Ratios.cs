using System.Diagnostics;
using System.Globalization;
using Minigrad.Backends.Cpu;

namespace Minigrad.Benchmarks;

/// <summary>
/// A table in half a minute: both libraries are warmed up until the JIT has settled, then timed in turns, so that a
/// change of the processor's clock meets both; the median of many turns stands in the table.
/// </summary>
internal static class Ratios
{
    private const int Length = 65_536;
    private const int Turns = 101;
    private const int RunsPerTurn = 10;
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(1.5);

    /// <summary>Prints the table.</summary>
    public static void Print()
    {
        CpuBackend.Instance.ThreadCount = 1;
        Write($"{CpuBackend.VectorWidth}-bit vectors, {Length} numbers, one core, medians of {Turns} turns");
        Write($"{"",-8} {"Minigrad",12} {"TensorPrimitives",18} {"ratio",8} {"elements/µs",12}");
        foreach (string name in Elementwise.Names)
        {
            Elementwise elementwise = Elementwise.Of(name, Length);
            (double ours, double theirs) = Medians(
                () => elementwise.RunMinigrad(name), () => elementwise.RunTensorPrimitives(name));
            Write($"{name,-8} {ours,9:f1} µs {theirs,15:f1} µs {theirs / ours,8:f2} {Length / ours,12:f0}");
        }
    }

    private static (double First, double Second) Medians(Func<object> first, Func<object> second)
    {
        for (long start = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(start) < WarmUp;)
        {
            Time(first);
            Time(second);
        }

        double[] ofFirst = new double[Turns];
        double[] ofSecond = new double[Turns];
        for (int turn = 0; turn < Turns; turn++)
        {
            ofFirst[turn] = Time(first);
            ofSecond[turn] = Time(second);
        }

        Array.Sort(ofFirst);
        Array.Sort(ofSecond);
        return (ofFirst[Turns / 2], ofSecond[Turns / 2]);
    }

    /// <summary>Microseconds per run.</summary>
    private static double Time(Func<object> run)
    {
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < RunsPerTurn; i++)
        {
            run();
        }

        return Stopwatch.GetElapsedTime(start).TotalMicroseconds / RunsPerTurn;
    }

    private static void Write(FormattableString line) => Console.WriteLine(line.ToString(CultureInfo.InvariantCulture));
}
