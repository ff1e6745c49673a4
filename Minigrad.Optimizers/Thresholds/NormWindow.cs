using Minigrad.Operations;

namespace Minigrad.Optimizers.Thresholds;

/// <summary>
/// The last norms, in the order in which they came and sorted, so that a quantile is one look and remembering one is a
/// shift. Its memory is: how many there are, the place of the oldest, the norms as they came, the norms sorted.
/// </summary>
/// <param name="start">Where it begins in the memory of its rule.</param>
/// <param name="capacity">How many norms are kept.</param>
public readonly struct NormWindow(int start, int capacity)
{
    private readonly int countPlace = start;
    private readonly int oldestPlace = start + 1;
    private readonly int firstPlace = start + 2;
    private readonly int sortedPlace = start + 2 + capacity;
    private readonly int capacity = capacity;

    /// <summary>Where it ends in the memory.</summary>
    public int End => sortedPlace + capacity;

    /// <summary>How many norms are known.</summary>
    /// <typeparam name="TMemory">Where the memory lies.</typeparam>
    /// <param name="memory">The memory.</param>
    public int Count<TMemory>(TMemory memory)
        where TMemory : struct, IThresholdMemory => (int)memory[countPlace];

    /// <summary>
    /// Whether the count and the place of the oldest are within the window, and the norms are above 0 and the same sorted as they came.
    /// </summary>
    /// <typeparam name="TMemory">Where the memory lies.</typeparam>
    /// <param name="memory">The memory, of numbers that are not negative.</param>
    public bool IsMemory<TMemory>(TMemory memory)
        where TMemory : struct, IThresholdMemory
    {
        // Until the window is full the oldest is the first.
        (double count, double oldest) = (memory[countPlace], memory[oldestPlace]);
        bool isWithin = double.IsInteger(count) && double.IsInteger(oldest)
            && (count < capacity ? oldest == 0.0 : count == capacity && oldest < capacity);
        if (!isWithin)
        {
            return false;
        }

        double[] norms = new double[(int)count];
        for (int i = 0; i < norms.Length; i++)
        {
            norms[i] = memory[firstPlace + i];
        }

        Array.Sort(norms);
        for (int rank = 0; rank < norms.Length; rank++)
        {
            if (norms[rank] != At(memory, rank))
            {
                return false;
            }
        }

        return norms.Length == 0 || norms[0] > 0.0;
    }

    /// <summary>The norm of a rank.</summary>
    /// <typeparam name="TMemory">Where the memory lies.</typeparam>
    /// <param name="memory">The memory.</param>
    /// <param name="rank">The rank, from 0 for the smallest.</param>
    public double At<TMemory>(TMemory memory, int rank)
        where TMemory : struct, IThresholdMemory => memory[sortedPlace + rank];

    /// <summary>The norm of a rank, as if one more norm were among them.</summary>
    /// <typeparam name="TMemory">Where the memory lies.</typeparam>
    /// <param name="memory">The memory.</param>
    /// <param name="rank">The rank, from 0 to the count.</param>
    /// <param name="norm">The norm that is added.</param>
    public double AtWith<TMemory>(TMemory memory, int rank, double norm)
        where TMemory : struct, IThresholdMemory
    {
        double result = norm;
        if (rank < Count(memory))
        {
            double next = At(memory, rank);
            result = next < result ? next : result;
        }

        if (rank > 0)
        {
            double before = At(memory, rank - 1);
            result = before > result ? before : result;
        }

        return result;
    }

    /// <summary>Adds a norm in place of the oldest, if there is no room.</summary>
    /// <typeparam name="TMemory">Where the memory lies.</typeparam>
    /// <param name="memory">The memory.</param>
    /// <param name="norm">The norm, finite.</param>
    public void Add<TMemory>(TMemory memory, double norm)
        where TMemory : struct, IThresholdMemory
    {
        int count = Count(memory);
        int free = count;
        if (count < capacity)
        {
            memory[firstPlace + count] = norm;
            count++;
            memory[countPlace] = count;
        }
        else
        {
            int oldest = (int)memory[oldestPlace];
            free = RankOf(memory, count, memory[firstPlace + oldest]);
            memory[firstPlace + oldest] = norm;
            oldest++;
            memory[oldestPlace] = oldest == capacity ? 0.0 : oldest;
        }

        int sorted = sortedPlace;
        while (free > 0 && memory[sorted + free - 1] > norm)
        {
            memory[sorted + free] = memory[sorted + free - 1];
            free--;
        }

        while (free < count - 1 && memory[sorted + free + 1] < norm)
        {
            memory[sorted + free] = memory[sorted + free + 1];
            free++;
        }

        memory[sorted + free] = norm;
    }

    /// <summary>The first rank at which a norm stands that is among them.</summary>
    private int RankOf<TMemory>(TMemory memory, int count, double norm)
        where TMemory : struct, IThresholdMemory
    {
        int low = 0;
        int high = count - 1;
        while (low < high)
        {
            int middle = (low + high) >> 1;
            if (At(memory, middle) < norm)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low;
    }
}
