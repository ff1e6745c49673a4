using System.Numerics;
using System.Text;
using DeviceBuffer = ILGPU.Runtime.MemoryBuffer1D<float, ILGPU.Stride1D.Dense>;

namespace Minigrad.Gpu;

/// <summary>
/// Device buffers that were used before, by size. The engine's own come back as soon as it is done with them. One that a
/// user could hold comes back when a collection has found its storage unreachable: the garbage collector does not see
/// device memory, so the pool asks it for a collection of the young generations once much was handed out, and for a full
/// one before it says that the device has no more. There are no finalizers, so nothing is put off to another thread.
/// </summary>
/// <remarks>
/// What is queued may still use a buffer that came back: whoever is handed it next is queued behind that.
/// </remarks>
/// <param name="allocate">Makes a buffer of a number of floats, or fails.</param>
/// <param name="free">Frees one, after what is queued has finished with it.</param>
/// <param name="memorySize">The bytes of the device's own memory; 0 if it has none.</param>
internal sealed class DeviceBufferPool(Func<int, DeviceBuffer> allocate, Action<DeviceBuffer> free, long memorySize)
{
    /// <summary>The most numbers of a buffer. Kernels count in 32 bits, some groups of threads beyond the end.</summary>
    public const int MostNumbers = int.MaxValue - ushort.MaxValue;

    private const int SmallestBuffer = 64;
    private const int StepsPerDoubling = 4;
    private const int SizeClasses = 32 * StepsPerDoubling;
    private const int YoungGenerations = 1;
    private const int LargestShown = 5;
    private const double Mebibyte = 1 << 20;

    /// <summary>How much more may be out before the pool asks for a collection: a share of the device's memory within bounds.</summary>
    private const long LeastGrowth = 64L << 20;

    private const long MostGrowth = 1L << 30;
    private const int ShareOfDevice = 64;

    private readonly Lock gate = new();
    private readonly Stack<DeviceLease>[] idle = new Stack<DeviceLease>[SizeClasses];
    private readonly List<DeviceLease> leases = [];
    private readonly long growth = Math.Clamp(memorySize / ShareOfDevice, LeastGrowth, MostGrowth);
    private long bytesOwned;
    private long bytesOut;
    private long bytesOutToCollect = LeastGrowth;
    private long bytesOutToCollectAll = MostGrowth;
    private int collectionsSeen;

    /// <summary>The bytes of all buffers on the device, in use or waiting.</summary>
    public long BytesOwned => Interlocked.Read(ref bytesOwned);

    /// <summary>A buffer of at least a length, with undefined contents.</summary>
    /// <param name="owner">Whose it is until it is returned or the owner is unreachable.</param>
    /// <param name="length">How many floats.</param>
    /// <exception cref="GpuException">The device has no more memory.</exception>
    public DeviceLease Rent(object owner, int length)
    {
        lock (gate)
        {
            DeviceLease lease = Take(length);
            lease.HandTo(owner, length);
            lease.Place = leases.Count;
            leases.Add(lease);
            bytesOut += lease.Floats.LengthInBytes;
            return lease;
        }
    }

    /// <summary>Takes a storage's buffer back.</summary>
    /// <param name="lease">What <see cref="Rent"/> gave; it must be returned once only.</param>
    public void Return(DeviceLease lease)
    {
        lock (gate)
        {
            DeviceLease last = leases[^1];
            last.Place = lease.Place;
            leases[lease.Place] = last;
            leases.RemoveAt(leases.Count - 1);
            Free(lease);
        }
    }

    /// <summary>A buffer for the length of one method, of at least the given length.</summary>
    /// <param name="length">How many floats.</param>
    /// <exception cref="GpuException">The device has no more memory.</exception>
    public DeviceLease RentScratch(int length)
    {
        lock (gate)
        {
            return Take(length);
        }
    }

    /// <summary>Takes back what <see cref="RentScratch"/> gave.</summary>
    /// <param name="lease">The buffer.</param>
    public void ReturnScratch(DeviceLease lease)
    {
        lock (gate)
        {
            Put(lease);
        }
    }

    /// <summary>Sizes grow by a quarter of a power of two, so that at most a fifth of a buffer is unused.</summary>
    private static int SizeClassOf(int length, out int capacity)
    {
        int exponent = BitOperations.Log2((uint)(length - 1));
        int step = 1 << (exponent - 2);
        int quarter = ((length - 1 - (1 << exponent)) / step) + 1;
        capacity = (int)Math.Min(MostNumbers, (1L << exponent) + ((long)quarter * step));
        return (exponent * StepsPerDoubling) + quarter - 1;
    }

    private DeviceLease Take(int length)
    {
        if (length > MostNumbers)
        {
            throw new GpuException($"A buffer of {length:N0} numbers was asked for; one on a device can have {MostNumbers:N0}. Use smaller batches.");
        }

        int sizeClass = SizeClassOf(Math.Max(SmallestBuffer, length), out int capacity);
        Stack<DeviceLease> waiting = idle[sizeClass] ??= new Stack<DeviceLease>();
        if (waiting.Count == 0 && GC.CollectionCount(YoungGenerations) != collectionsSeen)
        {
            TakeBackAbandoned();
        }

        if (bytesOut >= bytesOutToCollect)
        {
            Collect(YoungGenerations);
            if (bytesOut >= bytesOutToCollectAll)
            {
                // What got old comes back by this only, so memory stays in proportion to what is alive.
                Collect(GC.MaxGeneration);
                bytesOutToCollectAll = (2 * bytesOut) + MostGrowth;
            }
        }

        return waiting.TryPop(out DeviceLease? used) ? used : Allocate(waiting, capacity);
    }

    private void Free(DeviceLease lease)
    {
        bytesOut -= lease.Floats.LengthInBytes;
        Put(lease);
    }

    private void Put(DeviceLease lease) => idle[SizeClassOf(lease.Floats.IntLength, out _)].Push(lease);

    private void Collect(int generation)
    {
        GC.Collect(generation, GCCollectionMode.Forced, blocking: true);
        TakeBackAbandoned();
        bytesOutToCollect = bytesOut + Math.Max(growth, bytesOut / 2);
    }

    /// <summary>Takes back the buffers that a collection has found without an owner.</summary>
    private void TakeBackAbandoned()
    {
        collectionsSeen = GC.CollectionCount(YoungGenerations);
        int held = 0;
        for (int i = 0; i < leases.Count; i++)
        {
            DeviceLease lease = leases[i];
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
    }

    private DeviceLease Allocate(Stack<DeviceLease> waiting, int capacity)
    {
        try
        {
            return Make(capacity);
        }
        catch (Exception exception) when (exception is not (ObjectDisposedException or GpuException))
        {
            // Most likely the memory is full of what nobody refers to any more.
            Collect(GC.MaxGeneration);
            if (waiting.TryPop(out DeviceLease? abandoned))
            {
                return abandoned;
            }
        }

        try
        {
            FreeIdle();
            return Make(capacity);
        }
        catch (Exception exception) when (exception is not (ObjectDisposedException or GpuException))
        {
            throw new GpuException(Explain(capacity, exception), exception);
        }
    }

    private DeviceLease Make(int capacity)
    {
        DeviceLease lease = new(allocate(capacity));
        bytesOwned += lease.Floats.LengthInBytes;
        return lease;
    }

    /// <summary>Gives what nobody uses back to the device, so that it can be had in another size.</summary>
    private void FreeIdle()
    {
        foreach (Stack<DeviceLease>? waiting in idle)
        {
            while (waiting is not null && waiting.TryPop(out DeviceLease? lease))
            {
                bytesOwned -= lease.Floats.LengthInBytes;
                free(lease.Buffer);
            }
        }
    }

    private string Explain(int capacity, Exception exception)
    {
        StringBuilder text = new();
        text.Append(FormattableString.Invariant(
            $"The GPU has no room for a buffer of {capacity / (Mebibyte / sizeof(float)):0.#} MiB. Tensors hold {bytesOut / Mebibyte:0.#} MiB in {leases.Count} buffers"));
        foreach (IGrouping<int, DeviceLease> size in leases.GroupBy(lease => lease.Length)
            .OrderByDescending(size => (long)size.Key * size.Count()).Take(LargestShown))
        {
            text.Append(FormattableString.Invariant($", {size.Count()} of {size.Key} numbers"));
        }

        return text
            .Append(FormattableString.Invariant($"; {(bytesOwned - bytesOut) / Mebibyte:0.#} MiB are scratch or idle. "))
            .Append($"The device says: {DeviceFailure.SaidBy(exception)} ")
            .Append("Use smaller batches, keep fewer tensors and graphs alive, or wrap evaluation in NoGrad.")
            .ToString();
    }
}
