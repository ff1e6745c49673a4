namespace Minigrad.Backends;

/// <summary>
/// Numbers of rows, or labels of rows, that forward and backward both need. A backend whose device has memory of its own
/// keeps its copy here, so that they are sent to it once.
/// </summary>
/// <param name="values">The numbers. They are not copied, and must not change afterwards.</param>
public sealed class RowNumbers(int[] values)
{
    /// <summary>How many there are.</summary>
    public int Count => values.Length;

    /// <summary>The numbers.</summary>
    public ReadOnlySpan<int> Values => values;

    /// <summary>
    /// Whether rows are also added by these numbers, as backward does: a device may have to know then which are equal, and is told
    /// as soon as it gets the numbers.
    /// </summary>
    public bool AreAdded { get; set; }

    /// <summary>The copy on a device, the bits of each number in the place of a float32; null if there is none.</summary>
    public Storage? OnDevice { get; set; }

    /// <summary>How many groups of equal numbers the copy on a device tells of; 0 if it tells of none.</summary>
    public int GroupsOnDevice { get; set; }

    /// <summary>One number.</summary>
    /// <param name="place">Its place.</param>
    public int this[int place] => values[place];

    /// <summary>Gives up the copy on a device. A later use sends the numbers again.</summary>
    internal void Release()
    {
        OnDevice?.Recycle(); // No one else can see it.
        OnDevice = null;
        GroupsOnDevice = 0;
    }
}
