using Minigrad.Backends;
using Minigrad.Optimizers.Clipping;

namespace Minigrad.Optimizers;

/// <summary>A parameter and what an optimizer remembers of it.</summary>
/// <param name="parameter">The parameter.</param>
/// <param name="group">Its group.</param>
/// <param name="number">Its place among all of the optimizer's.</param>
internal sealed class ParameterSlot(Tensor parameter, ParameterGroup group, int number)
{
    /// <summary>The parameter.</summary>
    public Tensor Parameter { get; } = parameter;

    /// <summary>Its group.</summary>
    public ParameterGroup Group { get; } = group;

    /// <summary>How many updates it had, as far as the host knows.</summary>
    public int Step { get; set; }

    /// <summary>The rule's numbers; empty before the first update.</summary>
    public IReadOnlyList<Storage> State { get; set; } = [];

    /// <summary>Its gradient on the way through the running step.</summary>
    public PendingGradient Pending { get; } = new(parameter, number);

    /// <summary>Has the rule's numbers, as they were or as they are at first, where the parameter is.</summary>
    /// <param name="initial">What each number is before the first update.</param>
    public void PlaceState(IReadOnlyList<float> initial)
    {
        Backend backend = Parameter.Backend;
        if (State.Count != initial.Count)
        {
            Storage[] made = new Storage[initial.Count];
            for (int i = 0; i < made.Length; i++)
            {
                made[i] = backend.Allocate(Parameter.Length);
                backend.Fill(made[i], initial[i]);
            }

            State = made;
        }
        else if (State.Count > 0 && !ReferenceEquals(State[0].Backend, backend))
        {
            State = [.. State.Select(storage => Upload(Download(storage), backend))];
        }
    }

    /// <summary>A buffer's numbers.</summary>
    public static float[] Download(Storage storage)
    {
        float[] values = new float[storage.Length];
        storage.Backend.Download(storage, values);
        return values;
    }

    /// <summary>A new buffer of numbers.</summary>
    public static Storage Upload(float[] values, Backend backend)
    {
        Storage storage = backend.Allocate(values.Length);
        backend.Upload(values, storage);
        return storage;
    }
}
