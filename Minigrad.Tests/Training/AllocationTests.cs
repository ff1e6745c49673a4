using Minigrad.Layers;
using Minigrad.Losses;
using Minigrad.Optimizers;
using Xunit.Abstractions;

namespace Minigrad.Tests.Training;

/// <summary>What training costs the garbage collector. It runs alone, because collections are counted for the process.</summary>
[Collection(nameof(AllocationTests))]
[CollectionDefinition(nameof(AllocationTests), DisableParallelization = true)]
[Trait(SuiteBackend.Trait, SuiteBackend.CpuOnly)]
public sealed class AllocationTests(ITestOutputHelper output)
{
    [Fact]
    public void Steps_of_training_never_cause_a_full_collection()
    {
        Generator generator = new(1);
        Sequential model = new(new Linear(784, 128), new Relu(), new Linear(128, 10));
        Tensor input = Tensor.Normal([64, 784], generator: generator);
        int[] labels = [.. Enumerable.Range(0, 64).Select(i => i % 10)];
        Adam optimizer = new(model.Parameters) { Clip = [Clip.GlobalNorm(1)] };
        void Train(int steps)
        {
            for (int step = 0; step < steps; step++)
            {
                optimizer.ZeroGradients();
                Loss.CrossEntropy(model.Forward(input), labels).Backward();
                optimizer.Step();
            }
        }

        const int Steps = 2000;

        // What other tests have left in the pool decides when it collects next. It begins afresh, and fills for some rounds.
        GC.Collect();
        Train(500);
        int before = GC.CollectionCount(GC.MaxGeneration);
        long bytes = GC.GetAllocatedBytesForCurrentThread();
        Train(Steps);
        Assert.Equal(before, GC.CollectionCount(GC.MaxGeneration));

        // The arrays of a step are 1.2 MB: all of them are from the pool.
        long bytesPerStep = (GC.GetAllocatedBytesForCurrentThread() - bytes) / Steps;
        output.WriteLine($"{bytesPerStep} bytes a step");
        Assert.InRange(bytesPerStep, 0, 4096);
    }
}
