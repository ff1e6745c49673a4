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
    // Of each threshold that was asked for and is still in use somewhere.
    private readonly List<Memory> memories = [];

    /// <summary>The memory of a threshold on the device, which takes over what has been remembered so far; −1 if it remembers no norms.</summary>
    /// <param name="history">The threshold.</param>
    /// <param name="set">The set of gradients whose parameters have a memory; null for all.</param>
    public int PlaceOf(ThresholdHistory history, int? set)
    {
        if (history.SeriesLength == 0)
        {
            return -1;
        }

        Memory memory = Of(history);
        if (memory.Numbers is null)
        {
            double[][] numbers = history.Scope == ThresholdScope.Together
                ? [.. history.Memories([])]
                : [.. slots.Select((slot, i) => set is null || sets[i] == set ? history.MemoryOf(slot.Parameter) : [])];
            steps.WriteMemory(memory.Place, numbers);
            memory.Numbers = numbers;
        }

        return memory.Place;
    }

    /// <summary>Reads what the device remembers.</summary>
    public void Learn()
    {
        foreach (Memory memory in memories)
        {
            if (memory is { Numbers: { } numbers, IsInUse: true })
            {
                steps.ReadMemory(memory.Place, numbers);
            }
        }
    }

    /// <summary>Has what the host remembers brought to the device anew where it is next asked for.</summary>
    public void Forget() => memories.ForEach(memory => memory.Numbers = null);

    private Memory Of(ThresholdHistory history)
    {
        foreach (Memory memory in memories)
        {
            if (memory.IsOf(history))
            {
                return memory;
            }
        }

        // A program may make its stages anew at every step, so those that are gone make room.
        memories.RemoveAll(HasGone);
        Memory added = new(history, steps.Remember(history.Scope, history.SeriesLength));
        memories.Add(added);
        return added;
    }

    private bool HasGone(Memory memory)
    {
        if (memory.IsInUse)
        {
            return false;
        }

        steps.Forget(memory.Place);
        return true;
    }

    /// <summary>What the device remembers for a threshold.</summary>
    /// <param name="history">The threshold, which is not kept by it.</param>
    /// <param name="place">Its number on the device.</param>
    private sealed class Memory(ThresholdHistory history, int place)
    {
        private readonly WeakReference<ThresholdHistory> history = new(history);

        /// <summary>Its number on the device.</summary>
        public int Place => place;

        /// <summary>What the device remembers now, where it is from on the host; null if that is to be brought there anew.</summary>
        public double[][]? Numbers { get; set; }

        /// <summary>Whether anybody may still ask for it.</summary>
        public bool IsInUse => history.TryGetTarget(out _);

        /// <summary>Whether it is a threshold's.</summary>
        /// <param name="other">The threshold.</param>
        public bool IsOf(ThresholdHistory other) => history.TryGetTarget(out ThresholdHistory? own) && ReferenceEquals(own, other);
    }
}
