using System.Diagnostics;
using Minigrad.Layers;
using Minigrad.Losses;
using Minigrad.Optimizers;

namespace Minigrad.Benchmarks;

/// <summary>
/// How long a person waits for the first training step, from the start of the process, and what a step costs after that:
/// an MLP 784-128-10 with relu, batch 64, cross-entropy, Adam, gradients clipped to norm 1.
/// </summary>
internal static class FirstStep
{
    private const int Batch = 64;

    /// <summary>Makes the first step, then some more, and prints the times.</summary>
    public static void Print()
    {
        Sequential model = new(new Linear(784, 128), new Relu(), new Linear(128, 10));
        Adam optimizer = new(model.Parameters) { Clip = [Clip.GlobalNorm(1)] };
        Tensor input = Tensor.Normal([Batch, 784]);
        Indices labels = Enumerable.Range(0, Batch).Select(row => row % 10).ToArray();
        Step(model, optimizer, input, labels);
        TimeSpan first = DateTime.Now - Process.GetCurrentProcess().StartTime;
        Console.WriteLine($"first step {first.TotalMilliseconds:0} ms after the process started");

        List<double> times = [];
        for (int step = 0; step < 3000; step++)
        {
            long start = Stopwatch.GetTimestamp();
            Step(model, optimizer, input, labels);
            times.Add(Stopwatch.GetElapsedTime(start).TotalMicroseconds);
        }

        Console.WriteLine($"later steps {times.Skip(1000).Order().ElementAt(1000):0} µs (median)");
    }

    private static void Step(Sequential model, Adam optimizer, Tensor input, Indices labels)
    {
        optimizer.ZeroGradients();
        Loss.CrossEntropy(model.Forward(input), labels).Backward();
        optimizer.Step();
    }
}
