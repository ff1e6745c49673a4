using System.Runtime.CompilerServices;
using Minigrad.Backends;
using Minigrad.Backends.Cpu;
using Minigrad.Gpu;
using Minigrad.Numerics;
using Minigrad.Operations;

namespace Minigrad.Tests.Gpu;

/// <summary>What the GPU backend does beside the loops: its memory, its end, and its errors.</summary>
public sealed class GpuBackendTests(GpuFixture fixture) : IClassFixture<GpuFixture>
{
    private GpuBackend Gpu => fixture.Backend;

    [Fact]
    public void A_disposed_backend_says_so()
    {
        GpuBackend gpu = GpuDevice.OpenCpuAccelerator();
        Storage x = GpuFixture.Upload(gpu, 1f, 2f);
        gpu.Dispose();
        gpu.Dispose();
        Assert.Contains("disposed", Assert.Throws<ObjectDisposedException>(() => gpu.Fill(x, 1f)).Message, StringComparison.Ordinal);
        Assert.Throws<ObjectDisposedException>(() => GpuFixture.Download(x));
        Assert.Throws<ObjectDisposedException>(() => gpu.Upload([1f, 2f], x));
        Assert.Throws<ObjectDisposedException>(() => gpu.Allocate(5000));
        Assert.Throws<ObjectDisposedException>(() => gpu.Map(default(Square), x, x));
        Assert.Throws<ObjectDisposedException>(() => gpu.Norms(x, 2, new double[1]));
    }

    [Fact]
    public void A_released_buffer_cannot_be_read()
    {
        Storage x = GpuFixture.Upload(Gpu, 1f, 2f);
        x.Recycle();
        Assert.Throws<ObjectDisposedException>(() => Gpu.Fill(x, 1f));
        x.Recycle();
    }

    [Fact]
    public void A_tensor_of_another_backend_is_refused()
    {
        Storage x = GpuFixture.Upload(CpuBackend.Instance, 1f);
        ArgumentException exception = Assert.Throws<ArgumentException>(() => Gpu.Map(default(Square), x, Gpu.Allocate(1)));
        Assert.Contains("CPU", exception.Message, StringComparison.Ordinal);
        using GpuBackend other = GpuDevice.OpenCpuAccelerator();
        Assert.Throws<ArgumentException>(() => Gpu.Fill(other.Allocate(1), 1f));
    }

    [Fact]
    public void Buffers_are_used_again()
    {
        using GpuBackend gpu = GpuDevice.OpenCpuAccelerator();
        for (int repeat = 0; repeat < 20; repeat++)
        {
            gpu.Allocate(10_000).Recycle();
        }

        Assert.InRange(gpu.PooledBytes, 40_000, 50_000);
    }

    [Fact]
    public void Forgotten_buffers_come_back()
    {
        using GpuBackend gpu = GpuDevice.OpenCpuAccelerator();
        for (int repeat = 0; repeat < 10; repeat++)
        {
            AllocateAndForget(gpu);
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        Assert.InRange(gpu.PooledBytes, 40_000, 150_000);
    }

    [Fact]
    public void Any_thread_may_compute()
    {
        float[] sums = new float[16];
        Parallel.For(0, sums.Length, i =>
        {
            Storage x = GpuFixture.Upload(Gpu, i, i, i);
            Gpu.Map(default(Square), x, x);
            Storage y = Gpu.Allocate(1);
            Gpu.Reduce(default(Sum), x, new AxisLayout(1, 3, 1), y);
            sums[i] = GpuFixture.Download(y)[0];
        });
        Assert.Equal(Enumerable.Range(0, 16).Select(i => 3f * i * i), sums);
    }

    [Fact]
    public void A_hidden_struct_is_refused_by_name()
    {
        GpuException exception = Refused(default(HiddenOp));
        Assert.Contains($"'{nameof(HiddenOp)}'", exception.Message, StringComparison.Ordinal);
        Assert.Contains("public", exception.Message, StringComparison.Ordinal);
        Assert.Contains(nameof(HiddenOp), Refused(new Slope<HiddenOp>(default)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_struct_with_a_bool_is_refused_by_name()
    {
        GpuException exception = Refused(new WithBool(true));
        Assert.Contains($"'{nameof(WithBool)}'", exception.Message, StringComparison.Ordinal);
        Assert.Contains("bool", exception.Message, StringComparison.Ordinal);
        Refused(new Slope<WithBool>(default));
    }

    [Fact]
    public void A_formula_that_does_not_compile_is_refused_and_harms_no_other()
    {
        GpuException exception = Refused(new WithLibraryCall(0.5f));
        Assert.Contains($"'{nameof(WithLibraryCall)}'", exception.Message, StringComparison.Ordinal);
        Assert.Contains("T.Exp", exception.Message, StringComparison.Ordinal);

        // A kernel that no other test compiles, after the failure.
        Storage x = GpuFixture.Upload(Gpu, 3f);
        Gpu.Map(new WithFirst<Subtract>(default, 5f), x, x);
        Assert.Equal([2f], GpuFixture.Download(x));
    }

    [Fact]
    public void Name_says_what_it_is()
    {
        using GpuBackend gpu = GpuDevice.OpenCpuAccelerator();
        Assert.Equal("ILGPU's CPU accelerator", gpu.Name);
        Assert.Equal(GpuDeviceKind.CpuAccelerator, gpu.Device.Kind);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void AllocateAndForget(GpuBackend gpu) => gpu.Allocate(10_000);

    private GpuException Refused<TOp>(TOp op)
        where TOp : unmanaged, IUnaryOp
    {
        Storage x = GpuFixture.Upload(Gpu, 1f);
        return Assert.Throws<GpuException>(() => Gpu.Map(op, x, x));
    }

    /// <summary>A formula that only this class can see.</summary>
    private readonly struct HiddenOp : IUnaryOp
    {
        public T Forward<T>(T x)
            where T : struct, IReal<T> => x;
    }

    /// <summary>A formula with a field that no kernel argument can have.</summary>
    public readonly struct WithBool(bool negate) : IUnaryOp
    {
        private readonly bool negate = negate;

        public T Forward<T>(T x)
            where T : struct, IReal<T> => negate ? -x : x;
    }

    /// <summary>A formula that calls what ILGPU cannot compile.</summary>
    public readonly struct WithLibraryCall(float bound) : IUnaryOp
    {
        private readonly float bound = bound;

        public T Forward<T>(T x)
            where T : struct, IReal<T> => x * Math.Clamp(bound, 0f, 1f);
    }
}
