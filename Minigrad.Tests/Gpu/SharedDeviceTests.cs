using Minigrad.Gpu;
using Minigrad.Layers;
using Minigrad.Losses;
using Minigrad.Optimizers;

namespace Minigrad.Tests.Gpu;

/// <summary>Several threads that train on one device.</summary>
public sealed class SharedDeviceTests(GpuFixture fixture) : IClassFixture<GpuFixture>
{
    private int StepCount => fixture.Backend.Device.Kind == GpuDeviceKind.CpuAccelerator ? 5 : 40;

    [Fact]
    public void Trainings_side_by_side_give_the_bits_of_trainings_one_after_another()
    {
        const int trainings = 2;
        float[][] alone = [.. Enumerable.Range(1, trainings).Select(seed => Train((ulong)seed))];
        for (int repeat = 0; repeat < 3; repeat++)
        {
            float[][] together = new float[trainings][];
            using Barrier start = new(trainings);
            Thread[] threads = [.. Enumerable.Range(0, trainings).Select(i => new Thread(() =>
            {
                start.SignalAndWait();
                together[i] = Train((ulong)i + 1);
            }))];
            foreach (Thread thread in threads)
            {
                thread.Start();
            }

            foreach (Thread thread in threads)
            {
                thread.Join();
            }

            for (int i = 0; i < trainings; i++)
            {
                Assert.Equal(Bits(alone[i]), Bits(together[i]));
            }
        }

        Assert.NotEqual(Bits(alone[0]), Bits(alone[1]));
    }

    private static int[] Bits(float[] values) => Array.ConvertAll(values, BitConverter.SingleToInt32Bits);

    /// <summary>Trains a small model, and gives its parameters.</summary>
    private float[] Train(ulong seed)
    {
        Generator generator = new(seed);
        Sequential model = new(new Linear(3, 8, generator: generator), new Tanh(), new Linear(8, 2, generator: generator));
        model.To(fixture.Backend);
        Tensor x = Tensor.Normal([16, 3], generator: generator).To(fixture.Backend);
        Indices labels = Enumerable.Range(0, 16).Select(i => i % 2).ToArray();
        Adam optimizer = new(model.Parameters, learningRate: 0.05) { Clip = [Clip.GlobalNorm(1)] };
        for (int step = 0; step < StepCount; step++)
        {
            optimizer.ZeroGradients();
            Loss.CrossEntropy(model.Forward(x), labels).Backward();
            optimizer.Step();
        }

        return [.. model.Parameters.SelectMany(parameter => parameter.ToArray())];
    }
}
