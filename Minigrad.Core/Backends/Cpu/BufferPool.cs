using System.Numerics;

namespace Minigrad.Backends.Cpu;

/// <summary>
/// Arrays that were used before, by size. Engine buffers come back as soon as backward is done with them; buffers that a
/// user could hold come back when the garbage collector finds them unreachable, which the pool asks for once too much
/// was handed out since it last did.
/// </summary>
internal sealed class BufferPool
{
    /// <summary>Below this length an array is left to the garbage collector, which is faster for small objects.</summary>
    public const int SmallestPooled = 1024;

    private const int StepsPerDoubling = 4;
    private const int SizeClasses = 32 * StepsPerDoubling;
    private const long MinimumBytesBetweenCollections = 16L << 20;

    private readonly Stack<float[]>[] free = new Stack<float[]>[SizeClasses];
    private readonly Lock gate = new();
    private long bytesSinceCollection;
    private long bytesPooled;
    private int collections;

    /// <summary>The bytes of all arrays that this pool has made and not dropped.</summary>
    public long BytesPooled => Interlocked.Read(ref bytesPooled);

    /// <summary>An array of at least the given length with undefined contents.</summary>
    /// <param name="length">The length, at least <see cref="SmallestPooled"/>.</param>
    public float[] Rent(int length)
    {
        int sizeClass = SizeClassOf(length, out int capacity);
        if (TryTake(sizeClass) is { } used)
        {
            return used;
        }

        if (CollectionIsDue())
        {
            Collect();
            if (TryTake(sizeClass) is { } collected)
            {
                return collected;
            }
        }

        Interlocked.Add(ref bytesPooled, (long)capacity * sizeof(float));
        return GC.AllocateUninitializedArray<float>(capacity);
    }

    /// <summary>Takes an array back. Nobody may read or write it afterwards.</summary>
    /// <param name="array">An array from <see cref="Rent"/>.</param>
    public void Return(float[] array)
    {
        int sizeClass = SizeClassOf(array.Length, out _);
        lock (gate)
        {
            (free[sizeClass] ??= new Stack<float[]>()).Push(array);
        }
    }

    /// <summary>Sizes grow by a quarter of a power of two, so that at most a fifth of an array is unused.</summary>
    private static int SizeClassOf(int length, out int capacity)
    {
        int exponent = BitOperations.Log2((uint)Math.Max(1, length - 1));
        int step = 1 << Math.Max(0, exponent - 2);
        int quarter = ((length - 1 - (1 << exponent)) / step) + 1;
        capacity = (int)Math.Min(Array.MaxLength, (1L << exponent) + ((long)quarter * step));
        return (exponent * StepsPerDoubling) + quarter - 1;
    }

    private float[]? TryTake(int sizeClass)
    {
        lock (gate)
        {
            if (free[sizeClass] is { Count: > 0 } stack)
            {
                float[] array = stack.Pop();
                bytesSinceCollection += (long)array.Length * sizeof(float);
                return array;
            }
        }

        return null;
    }

    /// <summary>
    /// A fresh array is wanted: worth a collection once as many bytes were handed out as a collection can plausibly find.
    /// </summary>
    private bool CollectionIsDue()
    {
        lock (gate)
        {
            if (bytesSinceCollection < Math.Max(MinimumBytesBetweenCollections, bytesPooled / 2))
            {
                bytesSinceCollection += SmallestPooled * sizeof(float);
                return false;
            }

            bytesSinceCollection = 0;
            return true;
        }
    }

    private void Collect()
    {
        // A tensor alive at one collection is promoted, so now and then an older generation is looked at as well.
        int generation = Interlocked.Increment(ref collections) % 4 == 0 ? 1 : 0;
        GC.Collect(generation, GCCollectionMode.Forced, blocking: true);
        GC.WaitForPendingFinalizers();
    }
}
