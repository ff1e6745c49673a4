using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.CPU;
using ILGPU.Runtime.Cuda;
using Minigrad.Gpu;
using Minigrad.Layers;
using Minigrad.Losses;
using Minigrad.Optimizers;

namespace Minigrad.Tests.Gpu;

/// <summary>The end of a device: while it works, with tensors and graphs on it, and after it was lost.</summary>
public sealed class DisposalTests
{
    private const int Repeats = 5;
    private const int TrainerCount = 2;

    [Fact]
    public void A_device_disposed_while_threads_train_stops_them_with_an_error()
    {
        for (int repeat = 0; repeat < Repeats; repeat++)
        {
            GpuBackend gpu = GpuFixture.Open();
            using Barrier started = new(TrainerCount + 1);
            Exception?[] ends = new Exception?[TrainerCount];
            Thread[] trainers = [.. Enumerable.Range(0, TrainerCount).Select(i => new Thread(() => ends[i] = Record.Exception(() => Train(gpu, started))))];
            Array.ForEach(trainers, trainer => trainer.Start());
            started.SignalAndWait();
            gpu.Dispose();
            Array.ForEach(trainers, trainer => trainer.Join());
            Assert.All(ends, end => Assert.IsType<ObjectDisposedException>(end));
        }
    }

    [Fact]
    public void Tensors_and_a_graph_outlive_their_device_and_say_so()
    {
        GpuBackend gpu = GpuFixture.Open();
        Linear layer = new(3, 2);
        layer.To(gpu);
        Adam optimizer = new(layer.Parameters, learningRate: 0.1);
        Tensor loss = layer.Forward(Tensor.Normal([4, 3]).To(gpu)).Square().Sum();
        loss.Backward(retainGraph: true);
        optimizer.Step();
        gpu.Dispose();

        Assert.Contains("disposed", Assert.Throws<ObjectDisposedException>(() => loss.Item()).Message, StringComparison.Ordinal);
        Assert.Throws<ObjectDisposedException>(() => loss.Backward());
        Assert.Throws<ObjectDisposedException>(() => optimizer.Step());
        Assert.Throws<ObjectDisposedException>(() => layer.Parameters[0].ToArray());
        Assert.Throws<ObjectDisposedException>(() => layer.To(Minigrad.Backends.Cpu.CpuBackend.Instance));

        // What ILGPU finalizes has nothing left to free.
        loss = null!;
        GC.Collect();
        GC.WaitForPendingFinalizers();
    }

    [Fact]
    public void A_library_ends_once_after_the_last_work_and_before_the_device()
    {
        using Context context = Context.Create(builder => builder.CPU(new CPUDevice(4, 4, 1)));
        Accelerator accelerator = context.CreateCPUAccelerator(0);
        using DeviceQueue queue = new(context, accelerator);
        Library library = new(() =>
        {
            Assert.False(accelerator.IsDisposed);
            Assert.Throws<ObjectDisposedException>(() => queue.Call(static (_, _) => { }, 0));
        });
        Assert.Same(library, queue.Own(library));
        queue.Call(static (_, _) => { }, 0);
        queue.Dispose();
        queue.Dispose();
        Assert.Equal(1, library.Disposals);
        Assert.True(accelerator.IsDisposed);
    }

    [Fact]
    public void A_lost_device_is_told_by_whatever_is_asked_next_and_can_be_disposed()
    {
        using Context context = Context.Create(builder => builder.CPU(new CPUDevice(4, 4, 1)));
        Accelerator accelerator = context.CreateCPUAccelerator(0);
        DeviceQueue queue = new(context, accelerator);
        queue.Own(new Library(Fail));
        GpuException exception = Assert.Throws<GpuException>(() => queue.Call(static (_, _) => Fail(), 0));
        Assert.Contains("an illegal memory access", exception.Message, StringComparison.Ordinal);
        Assert.Contains("open the device again", exception.Message, StringComparison.Ordinal);
        queue.Dispose();
        Assert.True(accelerator.IsDisposed);

        static void Fail() => throw new CudaException("an illegal memory access was encountered");
    }

    /// <summary>Trains until the device refuses, which is never else.</summary>
    private static void Train(GpuBackend gpu, Barrier started)
    {
        Generator generator = new(1);
        Sequential model = new(new Linear(3, 8, generator: generator), new Tanh(), new Linear(8, 2, generator: generator));
        model.To(gpu);
        Tensor x = Tensor.Normal([16, 3], generator: generator).To(gpu);
        Indices labels = Enumerable.Range(0, 16).Select(i => i % 2).ToArray();
        Adam optimizer = new(model.Parameters, learningRate: 0.05) { Clip = [Clip.GlobalNorm(1)] };
        for (int step = 0; true; step++)
        {
            optimizer.ZeroGradients();
            Loss.CrossEntropy(model.Forward(x), labels).Backward();
            optimizer.Step();
            if (step == 0)
            {
                started.SignalAndWait();
            }
        }
    }

    private sealed class Library(Action end) : IDisposable
    {
        public int Disposals { get; private set; }

        public void Dispose()
        {
            Disposals++;
            end();
        }
    }
}
