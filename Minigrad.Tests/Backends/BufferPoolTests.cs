using System.Runtime.CompilerServices;
using Minigrad.Backends;
using Minigrad.Backends.Cpu;

namespace Minigrad.Tests.Backends;

/// <summary>Buffers come back, are used again, and are never read by whom they no longer belong to.</summary>
[Trait(SuiteBackend.Trait, SuiteBackend.CpuOnly)]
public sealed class BufferPoolTests
{
    [Fact]
    public void A_returned_array_is_used_again_for_its_size()
    {
        BufferPool pool = new();
        PooledCpuStorage first = new(CpuBackend.Instance, pool, 5000);
        float[] array = first.Array;
        Assert.InRange(array.Length, 5000, 6250);
        first.Recycle();
        PooledCpuStorage second = new(CpuBackend.Instance, pool, array.Length);
        Assert.Same(array, second.Array);
        PooledCpuStorage third = new(CpuBackend.Instance, pool, 5000);
        Assert.NotSame(array, third.Array);
        Assert.Equal(2L * array.Length * sizeof(float), pool.BytesPooled);
        GC.KeepAlive(second);
    }

    [Fact]
    public void The_array_returned_last_is_used_first()
    {
        BufferPool pool = new();
        PooledCpuStorage[] storages = [.. Enumerable.Range(0, 5).Select(_ => new PooledCpuStorage(CpuBackend.Instance, pool, 2048))];
        float[][] arrays = [.. storages.Select(storage => storage.Array)];
        foreach (int i in new[] { 3, 0, 4, 1, 2 })
        {
            storages[i].Recycle();
        }

        PooledCpuStorage[] again = [.. Enumerable.Range(0, 5).Select(_ => new PooledCpuStorage(CpuBackend.Instance, pool, 2048))];
        Assert.Equal([2, 1, 4, 0, 3], again.Select(storage => Array.IndexOf(arrays, storage.Array)));
        GC.KeepAlive(storages);
    }

    [Theory]
    [InlineData(512)]
    [InlineData(513)]
    [InlineData(1280)]
    [InlineData(1281)]
    [InlineData(28_672)]
    [InlineData(28_673)]
    [InlineData(32_768)]
    [InlineData(32_769)]
    [InlineData(65_536)]
    [InlineData(65_537)]
    [InlineData(1_000_003)]
    [InlineData(1 << 20)]
    public void An_array_holds_what_was_asked_for_and_little_more(int length)
    {
        BufferPool pool = new();
        PooledCpuStorage storage = new(CpuBackend.Instance, pool, length);
        float[] array = storage.Array;

        // Long arrays, which lie end to end, are about a third of a page longer, so that they do not begin at the same place of a page.
        bool isLong = length > 28_672;
        Assert.InRange(array.Length, length, (length * 5 / 4) + 1 + (isLong ? 336 : 0));
        Assert.True(!isLong || array.Length * sizeof(float) % 4096 is >= 1024 and <= 3072);
        storage.Recycle();
        Assert.Same(array, new PooledCpuStorage(CpuBackend.Instance, pool, length).Array);
    }

    [Fact]
    public void Reading_a_recycled_buffer_fails_instead_of_showing_other_numbers()
    {
        Storage storage = CpuBackend.Instance.Allocate(4096);
        storage.Recycle();
        ObjectDisposedException error = Assert.Throws<ObjectDisposedException>(() => CpuBackend.Instance.Fill(storage, 1f));
        Assert.Contains("released by backward", error.Message, StringComparison.Ordinal);
        storage.Recycle();
    }

    [Fact]
    public void Recycling_twice_returns_the_array_once()
    {
        BufferPool pool = new();
        PooledCpuStorage first = new(CpuBackend.Instance, pool, 4096);
        first.Recycle();
        first.Recycle();
        PooledCpuStorage second = new(CpuBackend.Instance, pool, 4096);
        first.Recycle();
        PooledCpuStorage third = new(CpuBackend.Instance, pool, 4096);
        Assert.NotSame(second.Array, third.Array);
        GC.KeepAlive(first);
    }

    [Fact]
    public void The_array_of_a_dropped_storage_is_used_again_after_a_collection()
    {
        BufferPool pool = new();
        PooledCpuStorage kept = new(CpuBackend.Instance, pool, 4096);
        HoldAndDrop(pool, 4096, count: 10);
        long bytes = pool.BytesPooled;
        GC.Collect();
        PooledCpuStorage[] again = [.. Enumerable.Range(0, 10).Select(_ => new PooledCpuStorage(CpuBackend.Instance, pool, 4096))];
        Assert.Equal(bytes, pool.BytesPooled);
        Assert.DoesNotContain(again, storage => ReferenceEquals(storage.Array, kept.Array));
    }

    [Fact]
    public void What_a_finalizer_reads_is_nobody_elses()
    {
        BufferPool pool = new();
        StrongBox<PooledCpuStorage?> read = new();
        DropWithFinalizer(pool, read);
        GC.Collect();
        PooledCpuStorage[] others = [.. Enumerable.Range(0, 3).Select(_ => new PooledCpuStorage(CpuBackend.Instance, pool, 4096))];
        Array.ForEach(others, other => other.Span.Fill(1f));
        GC.WaitForPendingFinalizers();
        Assert.Equal(-1, read.Value!.Span.IndexOfAnyExcept(7f));
        Assert.DoesNotContain(others, other => ReferenceEquals(other.Array, read.Value.Array));
    }

    [Fact]
    public void Thousands_of_dropped_tensors_of_mixed_sizes_take_bounded_memory()
    {
        BufferPool pool = new();
        for (int i = 0; i < 20_000; i++)
        {
            Touch(pool, 1000 + (i % 7 * 9000));
        }

        // 2.2 GB were handed out. Each of seven sizes may have had its turn at what is out between two collections.
        Assert.InRange(pool.BytesPooled, 1, 64L << 20);
    }

    [Fact]
    public void Tensors_that_live_until_they_are_old_take_bounded_memory()
    {
        BufferPool pool = new();
        Queue<PooledCpuStorage> window = new();
        for (int i = 0; i < 20_000; i++)
        {
            window.Enqueue(new PooledCpuStorage(CpuBackend.Instance, pool, 16_384));
            if (window.Count > 1000)
            {
                window.Dequeue();
            }
        }

        // 1.3 GB were handed out to storages that die in the oldest generation; 66 MB of them live at a time.
        Assert.InRange(pool.BytesPooled, 1, 320L << 20);
        GC.KeepAlive(window);
    }

    [Fact]
    public void An_array_of_a_living_storage_is_never_handed_out_on_any_thread()
    {
        BufferPool pool = new();
        Parallel.For(0, 4, new ParallelOptions { MaxDegreeOfParallelism = 4 }, thread =>
        {
            Random random = new(thread);
            List<(PooledCpuStorage Storage, float Mark)> living = [];
            for (int i = 0; i < 5000; i++)
            {
                PooledCpuStorage storage = new(CpuBackend.Instance, pool, 600 + random.Next(3000));
                float mark = (thread * 5000) + i;
                storage.Span.Fill(mark);
                living.Add((storage, mark));
                if (living.Count > 30)
                {
                    int place = random.Next(living.Count);
                    (PooledCpuStorage leaving, float expected) = living[place];
                    Assert.Equal(-1, leaving.Span.IndexOfAnyExcept(expected));
                    living.RemoveAt(place);
                    if (i % 2 == 0)
                    {
                        leaving.Recycle();
                    }
                }

                if (i % 50 == 0)
                {
                    GC.Collect(i % 100 == 0 ? 0 : 1);
                }
            }

            Assert.All(living, entry => Assert.Equal(-1, entry.Storage.Span.IndexOfAnyExcept(entry.Mark)));
        });
        Assert.InRange(pool.BytesPooled, 1, 64L << 20);
    }

    [Fact]
    public void A_tensor_kept_for_long_keeps_its_numbers()
    {
        Generator generator = new(11);
        Tensor kept = Tensor.Normal([100, 100], generator: generator);
        float[] numbers = kept.ToArray();
        for (int i = 0; i < 3000; i++)
        {
            Assert.Equal(10_000, Tensor.Full([100, 100], i).Length);
        }

        Assert.Equal(numbers, kept.ToArray());
    }

    /// <summary>All are held at once, so that a collection that another test asks for finds none of them too early.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void HoldAndDrop(BufferPool pool, int length, int count)
    {
        PooledCpuStorage[] storages = [.. Enumerable.Range(0, count).Select(_ => new PooledCpuStorage(CpuBackend.Instance, pool, length))];
        GC.KeepAlive(storages);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void DropWithFinalizer(BufferPool pool, StrongBox<PooledCpuStorage?> read)
    {
        PooledCpuStorage storage = new(CpuBackend.Instance, pool, 4096);
        storage.Span.Fill(7f);
        GC.KeepAlive(new Finalized(storage, read));
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Touch(BufferPool pool, int length) => new PooledCpuStorage(CpuBackend.Instance, pool, length).Span[0] = 1f;

    private sealed class Finalized(PooledCpuStorage storage, StrongBox<PooledCpuStorage?> read)
    {
        ~Finalized() => read.Value = storage;
    }
}
