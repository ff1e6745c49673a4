namespace Minigrad.EmulatedCuda;

/// <summary>The device's memory. Its addresses are those of the host.</summary>
internal sealed unsafe class DeviceMemory
{
    /// <summary>How many bytes the device has.</summary>
    public static nuint Capacity => (nuint)8 << 30;

    private readonly SortedList<nuint, Allocation> allocations = [];

    /// <summary>How many bytes are allocated.</summary>
    public nuint Held { get; private set; }

    /// <summary>Allocates a piece.</summary>
    /// <param name="size">Its bytes.</param>
    /// <returns>Its address, or null where there is not so much.</returns>
    public byte* Allocate(nuint size)
    {
        if (size > Capacity - Held)
        {
            return null;
        }

        Allocation allocation = new(size);
        allocations.Add((nuint)allocation.Begin, allocation);
        Held += size;
        return allocation.Begin;
    }

    /// <summary>Frees a piece.</summary>
    /// <param name="address">Its address.</param>
    /// <returns>Whether there is one.</returns>
    public bool Free(byte* address)
    {
        if (!allocations.Remove((nuint)address, out Allocation? allocation))
        {
            return false;
        }

        Held -= allocation.Size;
        allocation.Free();
        return true;
    }

    /// <summary>The piece that some bytes are in.</summary>
    /// <param name="address">The first.</param>
    /// <param name="size">How many.</param>
    /// <returns>The piece, or null if they are not all in one.</returns>
    public Allocation? Find(byte* address, nuint size)
    {
        IList<nuint> begins = allocations.Keys;
        int low = 0;
        int high = begins.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (begins[middle] <= (nuint)address)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low > 0 && allocations.Values[low - 1] is { } allocation && allocation.Has(address, size) ? allocation : null;
    }
}
