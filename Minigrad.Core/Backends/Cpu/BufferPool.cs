using System.Numerics;

namespace Minigrad.Backends.Cpu;

/// <summary>
/// Arrays that were used before, by size. Engine buffers come back as soon as backward is done with them; buffers that a
/// user could hold come back when a collection has found their storages unreachable, which the pool looks for, and asks
/// for, once too much was handed out since it last did.
/// </summary>
/// <remarks>
/// The pool collects when the bytes that are out have grown by half since it last looked, at least by
/// <see cref="LeastGrowth"/>. It collects the two young generations, which costs some tens of microseconds: growth in
/// proportion lets what a step holds die before its second collection, and so before it is old. What did get old comes
/// back by a full collection, once twice as much is out as the last full one found alive and <see cref="LeastAged"/> more:
/// memory stays in proportion to what is alive, and a program whose steps hold less than that never has a full one.
/// </remarks>
internal sealed class BufferPool
{
    /// <summary>Below this length an array is left to the garbage collector, which is faster for small objects.</summary>
    public const int SmallestPooled = 128;

    private const int StepsPerDoubling = 4;
    private const int SizeClasses = 32 * StepsPerDoubling;

    /// <summary>
    /// Small, so that few arrays take turns and stay in cache, but not smaller: a collection also makes other threads late for the
    /// next loop. The sum of two tensors of a million numbers took 0.8 of the time that it took at 4 MB.
    /// </summary>
    private const long LeastGrowth = 12L << 20;

    private const long LeastAged = 64L << 20;

    /// <summary>
    /// Numbers that a long array has besides: with its header, a third of a page. Long arrays lie end to end. Were they whole pages long, a result
    /// would begin a few bytes further on in its page than its operand, and a processor that first compares places within the page would hold loads back
    /// behind stores of the elements before.
    /// </summary>
    private const int Apart = 336;

    /// <summary>From this length on an array is long; a third of a page is then about a hundredth of it, or less.</summary>
    private const int LeastLong = 1 << 15;

    private const int YoungGenerations = 1;

    private readonly Stack<Lease>[] free = new Stack<Lease>[SizeClasses];
    private readonly List<Lease> leases = [];
    private readonly Lock gate = new();
    private long bytesPooled;
    private long bytesOut;
    private long bytesOutToCollect = LeastGrowth;
    private long bytesOutToCollectAll = LeastAged;
    private int collectionsSeen;

    /// <summary>The bytes of all arrays that this pool has made and not dropped.</summary>
    public long BytesPooled => Interlocked.Read(ref bytesPooled);

    /// <summary>An array of at least the given length with undefined contents.</summary>
    /// <param name="length">The length, at least <see cref="SmallestPooled"/>.</param>
    /// <param name="owner">Whose array it is until it is returned or its owner is unreachable.</param>
    public Lease Rent(int length, Storage owner)
    {
        int sizeClass = SizeClassOf(length, out int capacity);
        lock (gate)
        {
            Stack<Lease> waiting = free[sizeClass] ??= new Stack<Lease>();
            if (waiting.Count == 0 || bytesOut >= bytesOutToCollect)
            {
                FindAbandoned();
            }

            // The array used last is the one that the processor's cache still holds.
            if (!waiting.TryPop(out Lease? lease))
            {
                int padded = (int)Math.Min(Array.MaxLength, (long)capacity + PaddingOf(capacity));
                lease = new Lease(GC.AllocateUninitializedArray<float>(padded));
                bytesPooled += Bytes(lease);
            }

            lease.HandTo(owner);
            lease.Place = leases.Count;
            leases.Add(lease);
            bytesOut += Bytes(lease);
            return lease;
        }
    }

    /// <summary>Takes an array back. Nobody may read or write it afterwards.</summary>
    /// <param name="lease">What <see cref="Rent"/> gave; it must be returned once only.</param>
    public void Return(Lease lease)
    {
        lock (gate)
        {
            Lease last = leases[^1];
            last.Place = lease.Place;
            leases[lease.Place] = last;
            leases.RemoveAt(leases.Count - 1);
            Free(lease);
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

    /// <summary>The padding of an array, by its length with or without.</summary>
    private static int PaddingOf(int length) => length < LeastLong ? 0 : Apart;

    private static long Bytes(Lease lease) => (long)lease.Array.Length * sizeof(float);

    private void Free(Lease lease)
    {
        bytesOut -= Bytes(lease);
        free[SizeClassOf(lease.Array.Length - PaddingOf(lease.Array.Length), out _)].Push(lease);
    }

    /// <summary>Takes back what a collection has found unreachable, after a collection if none was since the last time.</summary>
    private void FindAbandoned()
    {
        if (GC.CollectionCount(YoungGenerations) != collectionsSeen)
        {
            Scan();
        }

        if (bytesOut >= bytesOutToCollect)
        {
            Collect(YoungGenerations);
        }

        if (bytesOut >= bytesOutToCollectAll)
        {
            Collect(GC.MaxGeneration);
            bytesOutToCollectAll = (2 * bytesOut) + LeastAged;
        }
    }

    private void Collect(int generation)
    {
        GC.Collect(generation, GCCollectionMode.Forced, blocking: true);
        Scan();
    }

    /// <summary>Takes back the arrays without an owner, those handed out last on top.</summary>
    private void Scan()
    {
        collectionsSeen = GC.CollectionCount(YoungGenerations);
        int held = 0;
        for (int i = 0; i < leases.Count; i++)
        {
            Lease lease = leases[i];
            if (lease.IsAbandoned)
            {
                Free(lease);
            }
            else
            {
                lease.Place = held;
                leases[held++] = lease;
            }
        }

        leases.RemoveRange(held, leases.Count - held);
        bytesOutToCollect = bytesOut + Math.Max(LeastGrowth, bytesOut / 2);
    }
}
