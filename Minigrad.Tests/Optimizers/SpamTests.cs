using System.Text.Json;
using Minigrad.Optimizers;

namespace Minigrad.Tests.Optimizers;

/// <summary>What <see cref="Spam"/> does beside Adam: spikes cut, means that begin anew, steps that warm up.</summary>
public sealed class SpamTests
{
    [Fact]
    public void A_spike_enters_the_means_at_its_cut_size()
    {
        // In a known implementation the cut is written to a copy, and the means get the whole spike.
        // At D the running mean has come to 0.05 · g² from its 0, so that 25 times that is above g².
        (Tensor w, Spam spam) = Make(threshold: 25, delay: 50);
        Tensor other = Tensor.Of([1f, 1f]).WithGradient("w");
        Adam adam = new([other], 0.1, epsilon: 1e-6);
        for (int step = 0; step < 60; step++)
        {
            (w.Gradient, other.Gradient) = (Tensor.Of([0.5f, -2f]), Tensor.Of([0.5f, -2f]));
            spam.Step();
            adam.Step();
        }

        Assert.Equal(Bits(other), Bits(w));
        float[] mean = spam.State().Parameters[0].Slots[0];
        float[] square = spam.State().Parameters[0].Slots[1];
        (w.Gradient, other.Gradient) = (Tensor.Of([1000f, -2.2f]), Tensor.Of([1000f, -2.2f]));
        spam.Step();
        adam.Step();

        // The first element becomes 5 · √v and the second, which is larger than usual but not by as much, stays.
        double cut = 5 * Math.Sqrt(square[0]);
        IReadOnlyList<float[]> slots = spam.State().Parameters[0].Slots;
        Assert.Equal((0.9 * mean[0]) + (0.1 * cut), slots[0][0], 1e-6);
        Assert.Equal((0.999 * square[0]) + (0.001 * cut * cut), slots[1][0], 1e-6);
        Assert.Equal((0.9 * mean[1]) - 0.22, slots[0][1], 1e-6);
        Assert.Equal(100, adam.State().Parameters[0].Slots[0][0], 1.0);
    }

    [Fact]
    public void Spikes_are_not_looked_for_until_the_means_know_what_is_usual()
    {
        (Tensor w, Spam spam) = Make(threshold: 4, delay: 3);
        foreach ((float gradient, double mean) in ((float, double)[])[(1, 0.1), (100, 10.09)])
        {
            w.Gradient = Tensor.Of([gradient, 0f]);
            spam.Step();
            Assert.Equal(mean, spam.State().Parameters[0].Slots[0][0], 1e-4);
        }

        float square = spam.State().Parameters[0].Slots[1][0];
        w.Gradient = Tensor.Of([-1000f, 0f]);
        spam.Step();
        Assert.Equal((0.9 * 10.09) - (0.1 * 2 * Math.Sqrt(square)), spam.State().Parameters[0].Slots[0][0], 1e-4);
    }

    [Fact]
    public void An_element_that_never_had_a_gradient_is_not_held_at_zero()
    {
        (Tensor w, Spam spam) = Make(threshold: 4, delay: 0);
        for (int step = 0; step < 5; step++)
        {
            w.Gradient = Tensor.Of([1f, 0f]);
            spam.Step();
        }

        Assert.Equal(1f, w.ToArray()[1]);
        w.Gradient = Tensor.Of([1f, 1f]);
        spam.Step();
        Assert.True(w.ToArray()[1] < 1f);
        Assert.Equal(0.1f, spam.State().Parameters[0].Slots[0][1], 1e-6f);
    }

    [Fact]
    public void Means_begin_anew_and_the_steps_after_that_grow_from_a_hundredth()
    {
        const int Interval = 6;
        const int WarmUp = 3;
        (Tensor w, Spam spam) = Make(threshold: double.PositiveInfinity, delay: 0, Interval, WarmUp);
        List<double> moves = [];
        for (int step = 1; step <= 2 * Interval; step++)
        {
            float before = w.ToArray()[0];
            w.Gradient = Tensor.Of([step == Interval ? 4f : 1f, 1f]);
            spam.Step();
            IReadOnlyList<float[]> slots = spam.State().Parameters[0].Slots;
            if (step % Interval == 0)
            {
                double gradient = step == Interval ? 4 : 1;
                Assert.Equal(0.1 * gradient, slots[0][0], 1e-6);
                Assert.Equal(0.001 * gradient * gradient, slots[1][0], 1e-6);
            }

            // What the means alone would have moved it by, their bias corrected for all steps so far.
            double whole = 0.1 * slots[0][0] / (1 - Math.Pow(0.9, step)) / (Math.Sqrt(slots[1][0] / (1 - Math.Pow(0.999, step))) + 1e-6);
            moves.Add((before - w.ToArray()[0]) / whole);
        }

        double[] warmth = [.. Enumerable.Range(0, WarmUp).Select(k => 1 - (0.99 * (1 + Math.Cos(Math.PI * k / (WarmUp + 1))) / 2))];
        Assert.Equal(0.01, warmth[0], 1e-12);
        double[] expected = [1, 1, 1, 1, 1, .. warmth, 1, 1, 1, warmth[0]];
        Assert.All(expected.Zip(moves), pair => Assert.Equal(pair.First, pair.Second, 1e-4));
    }

    [Fact]
    public void State_taken_in_the_middle_of_a_warm_up_continues_to_the_same_bits()
    {
        (Tensor w, Spam spam) = Make(threshold: 9, delay: 2, interval: 7, warmUp: 5);
        (Tensor v, Spam resumed) = Make(threshold: 9, delay: 2, interval: 7, warmUp: 5);
        Steps(spam, w, 0, 9);
        resumed.Restore(JsonSerializer.Deserialize<OptimizerState>(JsonSerializer.Serialize(spam.State()))!);
        v.Backend.Upload(w.ToArray(), v.Storage);
        Steps(spam, w, 9, 25);
        Steps(resumed, v, 9, 25);
        Assert.Equal(Bits(w), Bits(v));
    }

    [Fact]
    public void Wrong_constants_are_named()
    {
        Tensor w = Tensor.Ones(1).WithGradient();
        Teaches(() => _ = new Spam([w], threshold: 0), "threshold", "5000 is usual");
        Teaches(() => _ = new Spam([w], threshold: double.NaN), "threshold", "NaN");
        Teaches(() => _ = new Spam([w], resetInterval: 0), "reset interval", "int.MaxValue");
        Teaches(() => _ = new Spam([w], warmUp: -1), "warmUp", "-1");
        Teaches(() => _ = new Spam([w], delay: -2), "delay", "-2");
        Teaches(() => _ = new Spam([w], beta2: 1), "beta2", "less than 1");
    }

    private static (Tensor Parameter, Spam Optimizer) Make(double threshold, int delay, int interval = 500, int warmUp = 150)
    {
        Tensor w = Tensor.Of([1f, 1f]).WithGradient("w");
        return (w, new Spam([w], 0.1, threshold: threshold, resetInterval: interval, warmUp: warmUp, delay: delay));
    }

    private static void Steps(Spam optimizer, Tensor parameter, int from, int to)
    {
        for (int step = from; step < to; step++)
        {
            parameter.Gradient = Tensor.Of([step % 4 == 3 ? 50f : 1f, (float)Math.Sin(step)]);
            optimizer.Step();
        }
    }

    private static uint[] Bits(Tensor tensor) => Array.ConvertAll(tensor.ToArray(), BitConverter.SingleToUInt32Bits);

    private static void Teaches(Action action, params string[] parts)
    {
        ArgumentOutOfRangeException error = Assert.Throws<ArgumentOutOfRangeException>(action);
        Assert.All(parts, part => Assert.Contains(part, error.Message, StringComparison.Ordinal));
    }
}
