using Minigrad.Backends;
using Minigrad.Optimizers.Clipping;

namespace Minigrad.Optimizers;

/// <summary>
/// What thresholds remember of earlier steps, while it is on a device: brought there when a step first asks for it, read back when the
/// host does.
/// </summary>
/// <param name="steps">The device's steps.</param>
/// <param name="slots">All parameters.</param>
/// <param name="sets">The set of gradients that each parameter is in now.</param>
internal sealed class DeferredMemories(DeferredSteps steps, IReadOnlyList<ParameterSlot> slots, int[] sets)
{
    private readonly Dictionary<ThresholdHistory, int> places = [];

    // What the device remembers now, and where on the host it is from.
    private readonly Dictionary<ThresholdHistory, double[][]> remembering = [];

    /// <summary>The memory of a threshold on the device, which takes over what has been remembered so far; −1 if it remembers no norms.</summary>
    /// <param name="history">The threshold.</param>
    /// <param name="set">The set of gradients whose parameters have a memory; null for all.</param>
    public int PlaceOf(ThresholdHistory history, int? set)
    {
        if (history.SeriesLength == 0)
        {
            return -1;
        }

        if (!places.TryGetValue(history, out int place))
        {
            place = steps.Remember(history.Scope, history.SeriesLength);
            places.Add(history, place);
        }

        if (!remembering.ContainsKey(history))
        {
            double[][] numbers = history.Scope == ThresholdScope.Together
                ? [.. history.Memories([])]
                : [.. slots.Select((slot, i) => set is null || sets[i] == set ? history.MemoryOf(slot.Parameter) : [])];
            steps.WriteMemory(place, numbers);
            remembering.Add(history, numbers);
        }

        return place;
    }

    /// <summary>Reads what the device remembers.</summary>
    public void Learn()
    {
        foreach ((ThresholdHistory history, double[][] numbers) in remembering)
        {
            steps.ReadMemory(places[history], numbers);
        }
    }

    /// <summary>Has what the host remembers brought to the device anew where it is next asked for.</summary>
    public void Forget() => remembering.Clear();
}
