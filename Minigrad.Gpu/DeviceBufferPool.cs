using System.Numerics;
using DeviceBuffer = ILGPU.Runtime.MemoryBuffer1D<float, ILGPU.Stride1D.Dense>;

namespace Minigrad.Gpu;

/// <summary>
/// Device buffers that were used before, by size. The garbage collector does not see device memory, so the pool asks it
/// for a collection once much was handed out, and a full one when the device has no more.
/// </summary>
/// <remarks>
/// The pool refers to every buffer it made. Without that, a storage and its buffer could become unreachable together, and
/// ILGPU's finalizer free what the storage's finalizer has just put back.
/// </remarks>
internal sealed class DeviceBufferPool(DeviceQueue queue)
{
    private const int SmallestBuffer = 64;
    private const int StepsPerDoubling = 4;
    private const int SizeClasses = 32 * StepsPerDoubling;
    private const long MinimumBytesBetweenCollections = 64L << 20;

    private readonly Lock gate = new();
    private readonly Stack<DeviceBuffer>[] idle = new Stack<DeviceBuffer>[SizeClasses];
    private readonly HashSet<DeviceBuffer> owned = [];
    private long bytesSinceCollection;
    private long bytesOwned;
    private int collections;

    /// <summary>The bytes of all buffers on the device, in use or waiting.</summary>
    public long BytesOwned => Interlocked.Read(ref bytesOwned);

    /// <summary>A buffer of at least the given length with undefined contents.</summary>
    /// <param name="length">How many floats, at least 1.</param>
    /// <exception cref="GpuException">The device has no more memory.</exception>
    public DeviceBuffer Rent(int length)
    {
        int sizeClass = SizeClassOf(Math.Max(SmallestBuffer, length), out int capacity);
        if (TryTake(sizeClass) is { } used)
        {
            return used;
        }

        if (CollectionIsDue(capacity))
        {
            // A tensor alive at one collection is promoted, so now and then an older generation is looked at as well.
            Collect(Interlocked.Increment(ref collections) % 4 == 0 ? 1 : 0);
            if (TryTake(sizeClass) is { } collected)
            {
                return collected;
            }
        }

        return Allocate(sizeClass, capacity);
    }

    /// <summary>
    /// Takes a buffer back. Kernels that are queued may still use it: whoever rents it next is queued behind them.
    /// </summary>
    /// <param name="buffer">A buffer from <see cref="Rent"/>.</param>
    public void Return(DeviceBuffer buffer)
    {
        int sizeClass = SizeClassOf(buffer.IntExtent, out _);
        lock (gate)
        {
            (idle[sizeClass] ??= new Stack<DeviceBuffer>()).Push(buffer);
        }
    }

    /// <summary>Sizes grow by a quarter of a power of two, so that at most a fifth of a buffer is unused.</summary>
    private static int SizeClassOf(int length, out int capacity)
    {
        int exponent = BitOperations.Log2((uint)(length - 1));
        int step = 1 << (exponent - 2);
        int quarter = ((length - 1 - (1 << exponent)) / step) + 1;
        capacity = (int)Math.Min(int.MaxValue, (1L << exponent) + ((long)quarter * step));
        return (exponent * StepsPerDoubling) + quarter - 1;
    }

    private static void Collect(int generation)
    {
        GC.Collect(generation, GCCollectionMode.Forced, blocking: true);
        GC.WaitForPendingFinalizers();
    }

    private DeviceBuffer? TryTake(int sizeClass)
    {
        lock (gate)
        {
            return idle[sizeClass] is { Count: > 0 } stack ? stack.Pop() : null;
        }
    }

    private bool CollectionIsDue(int capacity)
    {
        lock (gate)
        {
            bytesSinceCollection += (long)capacity * sizeof(float);
            if (bytesSinceCollection < Math.Max(MinimumBytesBetweenCollections, bytesOwned / 2))
            {
                return false;
            }

            bytesSinceCollection = 0;
            return true;
        }
    }

    private DeviceBuffer Allocate(int sizeClass, int capacity)
    {
        try
        {
            return Own(queue.Allocate(capacity));
        }
        catch (Exception exception) when (exception is not ObjectDisposedException)
        {
            // Most likely the memory is full of what nobody refers to any more.
            Collect(GC.MaxGeneration);
            if (TryTake(sizeClass) is { } collected)
            {
                return collected;
            }
        }

        try
        {
            queue.Free(TakeIdle());
            return Own(queue.Allocate(capacity));
        }
        catch (Exception exception) when (exception is not ObjectDisposedException)
        {
            throw new GpuException(
                FormattableString.Invariant(
                    $"The GPU has no room for a buffer of {capacity / 262144.0:0.#} MiB beside the {BytesOwned / 1048576.0:0.#} MiB in use: {exception.Message} ")
                + "Use smaller batches, keep fewer tensors and graphs alive, or wrap evaluation in NoGrad.",
                exception);
        }
    }

    private DeviceBuffer Own(DeviceBuffer buffer)
    {
        lock (gate)
        {
            owned.Add(buffer);
            bytesOwned += buffer.LengthInBytes;
            return buffer;
        }
    }

    private List<DeviceBuffer> TakeIdle()
    {
        lock (gate)
        {
            List<DeviceBuffer> taken = [.. idle.Where(stack => stack is not null).SelectMany(stack => stack)];
            foreach (DeviceBuffer buffer in taken)
            {
                owned.Remove(buffer);
                bytesOwned -= buffer.LengthInBytes;
            }

            Array.Clear(idle);
            return taken;
        }
    }
}
