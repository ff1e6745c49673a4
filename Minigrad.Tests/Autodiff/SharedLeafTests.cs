using Minigrad.Autodiff;

namespace Minigrad.Tests.Autodiff;

/// <summary>Threads that differentiate graphs of their own, which have leaves in common.</summary>
public sealed class SharedLeafTests
{
    [Fact]
    public void Threads_may_ask_for_the_same_leaf()
    {
        Tensor w = Tensor.Of([0.1f, 0.2f, 0.3f, 0.4f], 2, 2).WithGradient();
        Tensor[] inputs = [.. Enumerable.Range(0, 4).Select(i => Tensor.Uniform([5, 2], generator: new Generator((ulong)i)))];
        float[] Gradient(int i) => Tensor.Gradients(inputs[i].MatMul(w).Tanh().Sum(), [w])[0].ToArray();
        float[][] expected = [.. Enumerable.Range(0, 4).Select(Gradient)];
        Parallel.For(0, 2000, new ParallelOptions { MaxDegreeOfParallelism = 4 }, i => Assert.Equal(expected[i % 4], Gradient(i % 4)));
    }

    [Fact]
    public void Threads_that_meet_a_new_leaf_at_once_find_one_node()
    {
        // Who comes second finds nodes made, which is faster than to make them, and so catches up with the first.
        const int leaves = 200;
        for (int round = 0; round < 500; round++)
        {
            Tensor[] shared = [.. Enumerable.Range(0, leaves).Select(_ => Tensor.Of([3f]).WithGradient())];
            Node?[][] found = [new Node?[leaves], new Node?[leaves]];
            using Barrier start = new(2);
            void Find(Node?[] nodes)
            {
                start.SignalAndWait();
                for (int i = 0; i < leaves; i++)
                {
                    nodes[i] = shared[i].NodeForGradient;
                }
            }

            Thread other = new(() => Find(found[1]));
            other.Start();
            Find(found[0]);
            other.Join();
            Assert.Equal(found[0], found[1]);
        }
    }
}
