namespace Minigrad.Gpu;

/// <summary>
/// Rows sorted by where they go, so that a device can add all that go to one place in a fixed order without atomics.
/// </summary>
internal sealed class RowSegments
{
    /// <summary>Sorts rows, those of one target keeping their order.</summary>
    /// <param name="rows">Where each row goes.</param>
    public RowSegments(ReadOnlySpan<int> rows)
    {
        // Target and place in one key: a sort that is not stable then keeps the order.
        long[] keys = new long[rows.Length];
        for (int place = 0; place < rows.Length; place++)
        {
            keys[place] = ((long)rows[place] << 32) | (uint)place;
        }

        Array.Sort(keys);
        Order = Array.ConvertAll(keys, key => (int)key);
        List<int> starts = [];
        List<int> targets = [];
        for (int place = 0; place < keys.Length; place++)
        {
            int target = (int)(keys[place] >> 32);
            if (targets.Count == 0 || targets[^1] != target)
            {
                starts.Add(place);
                targets.Add(target);
            }
        }

        starts.Add(keys.Length);
        Starts = [.. starts];
        Targets = [.. targets];
    }

    /// <summary>The rows, those of the first target first.</summary>
    public int[] Order { get; }

    /// <summary>Where in <see cref="Order"/> each target's rows start, and where the last one's end.</summary>
    public int[] Starts { get; }

    /// <summary>The targets.</summary>
    public int[] Targets { get; }
}
