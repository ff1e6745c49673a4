using MathNet.Numerics.Statistics;
using Minigrad.Layers;

namespace Minigrad.Optimizers.Monitoring;

/// <summary>A layer with parameters, and its gradients over the last steps.</summary>
internal sealed class MonitoredLayer
{
    private readonly double[] norms;
    private readonly double[] sorted;
    private readonly Queue<double> updates = new();
    private int added;

    public MonitoredLayer(Module module, IReadOnlyList<Tensor> parameters, int place, int window)
    {
        Module = module;
        Parameters = parameters;
        Place = place;
        norms = new double[window];
        sorted = new double[window];
    }

    /// <summary>How many ratios of updates a median is made of.</summary>
    public const int UpdateCount = 5;

    public Module Module { get; }

    public IReadOnlyList<Tensor> Parameters { get; }

    /// <summary>Its place among those with parameters, from 1.</summary>
    public int Place { get; }

    /// <summary>The path, or the kind of a module that is no part of another.</summary>
    public string Name => NameOf(Module);

    /// <summary>The norm at the last step in which it had a gradient.</summary>
    public double Norm { get; private set; } = double.NaN;

    /// <summary>Whether it had a gradient at the last step.</summary>
    public bool HasGradient { get; private set; }

    /// <summary>The sum of the squares of the norms of the running step's gradients, or null if it has none.</summary>
    public double? Squares { get; set; }

    /// <summary>The median of the last norms when it was last computed.</summary>
    public double KnownMedian { get; private set; } = double.NaN;

    /// <summary>The median of the last ratios of updates.</summary>
    public double UpdateRatio => updates.Count == 0 ? double.NaN : updates.Median();

    public bool HasUpdates => updates.Count == UpdateCount;

    public static string NameOf(Module module) => module.Path.Length > 0 ? module.Path : module.ToString()!;

    /// <summary>What messages call it: <c>layer 1 of 8 ('0', Linear(64 → 64))</c>.</summary>
    public string Described(int count) => $"layer {Place} of {count} ({Module.Title})";

    /// <summary>Takes the running step's norm. One that is not finite, or of a step without gradient, enters no median.</summary>
    public void EndStep()
    {
        HasGradient = Squares is not null;
        if (Squares is { } squares)
        {
            Norm = Math.Sqrt(squares);
            if (double.IsFinite(Norm))
            {
                norms[added++ % norms.Length] = Norm;
            }
        }

        Squares = null;
    }

    /// <summary>Computes the median of the last norms.</summary>
    public double UpdateMedian()
    {
        int count = Math.Min(added, norms.Length);
        norms.AsSpan(0, count).CopyTo(sorted);
        sorted.AsSpan(0, count).Sort();
        KnownMedian = count == 0 ? double.NaN : (sorted[(count - 1) / 2] + sorted[count / 2]) / 2;
        return KnownMedian;
    }

    public void AddUpdate(double ratio)
    {
        if (updates.Count == UpdateCount)
        {
            updates.Dequeue();
        }

        updates.Enqueue(ratio);
    }
}
