using System.Runtime.CompilerServices;
using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.CPU;
using Minigrad.Backends;
using Minigrad.Backends.Cpu;
using Minigrad.Gpu;

namespace Minigrad.Tests.Gpu;

/// <summary>What the pool of device buffers does with what is returned, forgotten, and too much.</summary>
public sealed class DeviceBufferPoolTests : IDisposable
{
    private const int Mebi = 1 << 18; // Numbers in a mebibyte.

    private readonly Context context = Context.Create(builder => builder.CPU(new CPUDevice(4, 4, 1)));
    private readonly Accelerator accelerator;
    private readonly DeviceBufferPool pool;
    private int allocations;
    private int frees;
    private int mostAllocations = int.MaxValue;

    public DeviceBufferPoolTests()
    {
        accelerator = context.CreateCPUAccelerator(0);
        pool = new DeviceBufferPool(
            length =>
            {
                allocations++;
                return allocations - frees <= mostAllocations
                    ? accelerator.Allocate1D<float>(length)
                    : throw new InvalidOperationException("CUDA_ERROR_OUT_OF_MEMORY");
            },
            buffer =>
            {
                frees++;
                buffer.Dispose();
            },
            memorySize: 0);
    }

    public void Dispose()
    {
        accelerator.Dispose();
        context.Dispose();
    }

    [Fact]
    public void What_is_returned_is_used_again()
    {
        Owner first = new(1000);
        DeviceLease lease = Rent(first);
        pool.Return(lease);
        Assert.Same(lease, Rent(new Owner(1001)));
        DeviceLease scratch = pool.RentScratch(1000);
        Assert.NotSame(lease, scratch);
        pool.ReturnScratch(scratch);
        Assert.Same(scratch, pool.RentScratch(990));
        Assert.Equal(2, allocations);
    }

    [Fact]
    public void What_is_in_use_is_not_handed_out_twice()
    {
        Owner[] owners = [.. Enumerable.Range(0, 50).Select(_ => new Owner(100))];
        DeviceLease[] leases = [.. owners.Select(Rent)];
        Assert.Equal(50, leases.Distinct().Count());
        foreach (DeviceLease lease in leases.Where((_, i) => i % 3 == 0))
        {
            pool.Return(lease);
        }

        Owner[] later = [.. Enumerable.Range(0, 17).Select(_ => new Owner(100))];
        Assert.Equal(leases.Where((_, i) => i % 3 == 0).ToHashSet(), later.Select(Rent).ToHashSet());
        GC.KeepAlive(owners);
    }

    [Fact]
    public void What_is_forgotten_does_not_pile_up()
    {
        for (int i = 0; i < 400; i++)
        {
            RentAndForget(Mebi);
        }

        Assert.InRange(pool.BytesOwned, 1L << 20, 90L << 20);
    }

    [Fact]
    public void What_a_finalizer_reads_is_nobody_elses()
    {
        StrongBox<DeviceLease?> read = new();
        RentWithFinalizer(read);
        GC.Collect();
        Owner[] others = [new(1000), new(1000)];
        DeviceLease[] leases = [.. others.Select(Rent)];
        GC.WaitForPendingFinalizers();
        Assert.NotNull(read.Value);
        Assert.DoesNotContain(read.Value, leases);
        GC.KeepAlive(others);
    }

    [Fact]
    public void A_full_device_gives_up_what_is_idle_in_another_size()
    {
        mostAllocations = 3;
        pool.Return(Rent(new Owner(1000)));
        pool.Return(Rent(new Owner(2000)));
        pool.Return(Rent(new Owner(3000)));
        Rent(new Owner(9000));
        Assert.Equal(3, frees);
        Assert.InRange(pool.BytesOwned, 9000 * sizeof(float), 11_000 * sizeof(float));
    }

    [Fact]
    public void A_full_device_gives_up_what_is_forgotten()
    {
        mostAllocations = 2;
        RentAndForget(1000);
        RentAndForget(1000);
        Owner kept = new(1000);
        Assert.NotNull(Rent(kept));
    }

    [Fact]
    public void An_error_says_what_holds_the_memory()
    {
        mostAllocations = 4;
        Owner[] owners = [new(Mebi), new(Mebi), new(3 * Mebi)];
        DeviceLease[] leases = [.. owners.Select(Rent)];
        DeviceLease scratch = pool.RentScratch(2 * Mebi);
        GpuException exception = Assert.Throws<GpuException>(() => Rent(new Owner(8 * Mebi)));
        Assert.Contains("no room for a buffer of 8 MiB", exception.Message, StringComparison.Ordinal);
        Assert.Contains("5 MiB in 3 buffers, 1 of 786432 numbers, 2 of 262144 numbers", exception.Message, StringComparison.Ordinal);
        Assert.Contains("2 MiB are scratch or idle", exception.Message, StringComparison.Ordinal);
        Assert.Contains("CUDA_ERROR_OUT_OF_MEMORY", exception.Message, StringComparison.Ordinal);
        pool.ReturnScratch(scratch);
        pool.Return(leases[0]);
        Assert.Same(leases[0], Rent(owners[0]));
        GC.KeepAlive(owners);
    }

    [Fact]
    public void An_error_says_sizes_that_32_bits_do_not_hold()
    {
        mostAllocations = 0;
        GpuException exception = Assert.Throws<GpuException>(() => Rent(new Owner(2560 * Mebi)));
        Assert.Contains("no room for a buffer of 2560 MiB", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void More_numbers_than_kernels_can_count_are_refused()
    {
        int allowed = DeviceBufferPool.MostNumbers;
        mostAllocations = 0;
        GpuException full = Assert.Throws<GpuException>(() => Rent(new Owner(allowed)));
        Assert.Contains("no room for a buffer of 8191.8 MiB", full.Message, StringComparison.Ordinal);
        GpuException exception = Assert.Throws<GpuException>(() => Rent(new Owner(allowed + 1)));
        Assert.Contains("A buffer of 2,147,418,113 numbers", exception.Message, StringComparison.Ordinal);
        Assert.Contains("can have 2,147,418,112", exception.Message, StringComparison.Ordinal);
    }

    private DeviceLease Rent(Storage owner) => pool.Rent(owner, owner.Length);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void RentAndForget(int length) => Rent(new Owner(length));

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void RentWithFinalizer(StrongBox<DeviceLease?> read)
    {
        Owner owner = new(1000);
        GC.KeepAlive(new Finalized(owner, Rent(owner), read));
    }

    private sealed class Owner(int length) : Storage(CpuBackend.Instance, length)
    {
        protected override void ReturnBuffer()
        {
        }
    }

    private sealed class Finalized(Owner owner, DeviceLease lease, StrongBox<DeviceLease?> read)
    {
        ~Finalized() => read.Value = owner.Length == lease.Length ? lease : null;
    }
}
