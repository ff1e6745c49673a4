using Minigrad.Backends;
using Minigrad.Backends.Cpu;

namespace Minigrad.Tests.Backends;

/// <summary>Buffers come back, are used again, and are never read by whom they no longer belong to.</summary>
public sealed class BufferPoolTests
{
    [Fact]
    public void A_returned_array_is_used_again_for_its_size()
    {
        BufferPool pool = new();
        float[] first = pool.Rent(5000);
        Assert.InRange(first.Length, 5000, 6250);
        pool.Return(first);
        Assert.Same(first, pool.Rent(first.Length));
        Assert.NotSame(first, pool.Rent(5000));
        Assert.Equal(2L * first.Length * sizeof(float), pool.BytesPooled);
    }

    [Theory]
    [InlineData(1024)]
    [InlineData(1025)]
    [InlineData(1280)]
    [InlineData(1281)]
    [InlineData(65_536)]
    [InlineData(65_537)]
    [InlineData(1_000_003)]
    public void An_array_holds_what_was_asked_for_and_little_more(int length)
    {
        BufferPool pool = new();
        float[] array = pool.Rent(length);
        Assert.InRange(array.Length, length, (length * 5 / 4) + 1);
        pool.Return(array);
        Assert.Same(array, pool.Rent(length));
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
    public void Buffers_of_tensors_that_nobody_holds_come_back_by_themselves()
    {
        BufferPool pool = new();
        for (int i = 0; i < 2000; i++)
        {
            Touch(pool);
        }

        // 2000 tensors of 64 KB were made; a bounded number of arrays served them all.
        Assert.InRange(pool.BytesPooled, 1, 64L << 20);
    }

    [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
    private static void Touch(BufferPool pool) => new PooledCpuStorage(CpuBackend.Instance, pool, 16_384).Span[0] = 1f;
}
