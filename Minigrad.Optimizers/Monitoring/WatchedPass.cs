using Minigrad.Autodiff;
using Minigrad.Layers;

namespace Minigrad.Optimizers.Monitoring;

/// <summary>A pass, forward and backward, in which a monitor looks at what layers give and at gradients along sequences.</summary>
internal sealed class WatchedPass : IDisposable
{
    private readonly GradientMonitor monitor;
    private readonly LayerListener listener;
    private readonly List<(RecurrentLayer Layer, int Direction, Tensor Projected, PackedSteps Steps)> sequences = [];

    public WatchedPass(GradientMonitor monitor)
    {
        this.monitor = monitor;
        listener = new LayerListener(monitor.LookAtOutput, (layer, direction, projected, steps) =>
        {
            if (projected.RequiresGradient)
            {
                projected.RetainGradient();
                sequences.Add((layer, direction, projected, steps));
            }
        });
    }

    /// <summary>Reads the gradients that backward has left.</summary>
    public void Dispose()
    {
        listener.Dispose();
        foreach ((RecurrentLayer layer, int direction, Tensor projected, PackedSteps steps) in sequences)
        {
            if (projected.Gradient is { } gradient)
            {
                monitor.LookAtSequence(layer, direction, NormsOf(gradient, steps));
            }
        }

        sequences.Clear();
    }

    /// <summary>The root mean square of the rows' norms of each step, in double: an exploding gradient's square overflows float32.</summary>
    private static double[] NormsOf(Tensor gradient, PackedSteps steps)
    {
        float[] values = gradient.ToArray();
        int width = gradient.Shape[1];
        double[] norms = new double[steps.Count];
        for (int step = 0; step < norms.Length; step++)
        {
            double sum = 0;
            foreach (float value in values.AsSpan(steps.Starts[step] * width, steps.RowCounts[step] * width))
            {
                sum += (double)value * value;
            }

            norms[step] = Math.Sqrt(sum / steps.RowCounts[step]);
        }

        return norms;
    }
}
