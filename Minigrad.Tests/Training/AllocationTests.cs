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
        List<long> bytes = [];
        void Train(int steps)
        {
            bytes.Clear();
            for (int step = 0; step < steps; step++)
            {
                long before = GC.GetAllocatedBytesForCurrentThread();
                optimizer.ZeroGradients();
                Loss.CrossEntropy(model.Forward(input), labels).Backward();
                optimizer.Step();
                bytes.Add(GC.GetAllocatedBytesForCurrentThread() - before);
            }
        }

        const int Steps = 2000;

        // What other tests have left in the pool decides when it collects next. It begins afresh, and fills: 12 MB are dropped before
        // it looks for the first time, the results of a thousand steps.
        GC.Collect();
        Train(2 * Steps);
        int collections = GC.CollectionCount(GC.MaxGeneration);
        Train(Steps);
        Assert.Equal(collections, GC.CollectionCount(GC.MaxGeneration));

        // The arrays of a step are 1.2 MB: all of them are from the pool. A collection that comes when fewer are out than ever
        // before leaves it one short, so a step may make one; not one step in a hundred does.
        bytes.Sort();
        output.WriteLine($"{bytes[Steps / 2]} bytes a step, {bytes[Steps * 99 / 100]} or less in 99 % of the steps, {bytes[^1]} at most");
        Assert.InRange(bytes[Steps * 99 / 100], 0, 4096);
    }
}
