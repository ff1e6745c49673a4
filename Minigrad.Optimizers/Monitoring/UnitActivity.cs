using Minigrad.Layers;

namespace Minigrad.Optimizers.Monitoring;

/// <summary>For how many passes in a row each unit of a layer has given 0 for every example.</summary>
/// <param name="layer">The layer.</param>
/// <param name="after">The last layer with parameters that ran before or in it, or null.</param>
internal sealed class UnitActivity(Layer layer, MonitoredLayer? after)
{
    private int[] zeroPasses = [];

    public Layer Layer { get; } = layer;

    public MonitoredLayer? After { get; } = after;

    public int UnitCount => zeroPasses.Length;

    /// <summary>Looks at an output, <c>[…, units]</c>.</summary>
    public void Add(Tensor output)
    {
        int units = output.Shape[-1];
        if (zeroPasses.Length != units)
        {
            zeroPasses = new int[units];
        }

        float[] values = output.ToArray();
        Span<bool> isActive = units <= 1024 ? stackalloc bool[units] : new bool[units];
        isActive.Clear();
        for (int i = 0; i < values.Length; i += units)
        {
            for (int unit = 0; unit < units; unit++)
            {
                isActive[unit] |= values[i + unit] != 0;
            }
        }

        for (int unit = 0; unit < units; unit++)
        {
            zeroPasses[unit] = isActive[unit] ? 0 : zeroPasses[unit] + 1;
        }
    }

    /// <summary>The units that were 0 for at least so many passes.</summary>
    public List<int> Dead(int passes)
    {
        List<int> dead = [];
        for (int unit = 0; unit < zeroPasses.Length; unit++)
        {
            if (zeroPasses[unit] >= passes)
            {
                dead.Add(unit);
            }
        }

        return dead;
    }
}
