using Minigrad.Losses;
using Minigrad.Numerics;
using Minigrad.Operations;

namespace Minigrad.Tests.Autodiff;

/// <summary>The walk backward: what it adds up, what it frees, and what it refuses.</summary>
public sealed class BackwardTests
{
    [Fact]
    public void A_computed_tensor_that_was_told_to_keeps_its_gradient()
    {
        Tensor x = Tensor.Of([1f, 2f]).WithGradient();
        Tensor y = x.Square();
        Tensor z = 3f * y;
        y.RetainGradient();
        x.RetainGradient(); // It gathers there anyway.
        z.Sum().Backward(retainGraph: true);
        Assert.Equal([3f, 3f], y.Gradient!.ToArray());
        Assert.Equal([6f, 12f], x.Gradient!.ToArray());
        Assert.Null(z.Gradient);

        // The functional form touches no gradient; another backward adds.
        Tensor.Gradients(z.Sum(), [x], retainGraph: true);
        Assert.Equal([3f, 3f], y.Gradient.ToArray());
        z.Sum().Backward();
        Assert.Equal([6f, 6f], y.Gradient.ToArray());
    }

    [Fact]
    public void A_tensor_used_twice_gets_both_gradients()
    {
        Tensor x = Tensor.Of([2f, 3f]).WithGradient("x");
        ((x * x) + (3f * x)).Sum().Backward();
        Assert.Equal([7f, 9f], x.Gradient!.ToArray());
    }

    [Fact]
    public void A_diamond_gets_the_sum_over_both_paths()
    {
        Tensor x = Tensor.Of([0.5f]).WithGradient("x");
        Tensor y = x.Exp();
        Tensor left = y * 2f;
        Tensor right = y.Square();
        (left * right).Sum().Backward();
        Assert.Equal(6f * MathF.Exp(1.5f), x.Gradient!.ToArray()[0], 1e-5f);
    }

    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public void A_quotient_gives_a_gradient_to_each_operand_that_asks(bool first, bool second)
    {
        Tensor a = Tensor.Of([3f, -8f]);
        Tensor b = Tensor.Of([2f, 4f, -1f, 0.5f]).Reshape(2, 2);
        Tensor quotient = (first ? a.WithGradient() : a) / (second ? b.WithGradient() : b);
        (quotient * Tensor.Of([1f, 2f, 3f, 4f]).Reshape(2, 2)).Sum().Backward();
        Assert.Equal(first ? [0.5f - 3f, 0.5f + 8f] : null, a.Gradient?.ToArray());
        Assert.Equal(second ? [-0.75f, 1f, -9f, 128f] : null, b.Gradient?.ToArray());
    }

    [Fact]
    public void The_gradient_of_a_divisor_is_finite_where_its_square_is_none()
    {
        Tensor b = Tensor.Of([MathF.ScaleB(1f, -80), MathF.ScaleB(1f, 70)]).WithGradient();
        Tensor gradient = Tensor.Of([MathF.ScaleB(1f, -50), MathF.ScaleB(1f, 60)]);
        (Tensor.Of([1f, MathF.ScaleB(1f, 60)]) / b).Backward(gradient);
        Assert.Equal([-MathF.ScaleB(1f, 110), -MathF.ScaleB(1f, -20)], b.Gradient!.ToArray());
    }

    [Fact]
    public void A_dividend_may_change_before_backward_and_a_quotient_may_not()
    {
        Tensor a = Tensor.Of([3f, 5f]);
        Tensor b = Tensor.Of([2f, 4f]).WithGradient();
        Tensor kept = a / b;
        Tensor changed = a / b;
        a.Fill(0f);
        kept.Sum().Backward();
        Assert.Equal([-0.75f, -0.3125f], b.Gradient!.ToArray());

        changed.Detach().Fill(1f);
        GradientException error = Assert.Throws<GradientException>(() => changed.Sum().Backward());
        Assert.Contains("Divide", error.Message, StringComparison.Ordinal);
        Assert.Contains("changed in place", error.Message, StringComparison.Ordinal);
    }

    // What is tested is the host's; a device takes two launches for each.
    [Trait(SuiteBackend.Trait, SuiteBackend.CpuOnly)]
    [Fact]
    public void Two_hundred_thousand_chained_operations_need_no_recursion()
    {
        Tensor x = Tensor.Of([1f]).WithGradient("x");
        Tensor y = x;
        for (int i = 0; i < 200_000; i++)
        {
            y = y + 1f;
        }

        y.Sum().Backward();
        Assert.Equal(200_001f, y.Item());
        Assert.Equal(1f, x.Gradient!.ToArray()[0]);
    }

    [Fact]
    public void Gradients_of_two_passes_add_up()
    {
        Tensor x = Tensor.Of([1f, 2f]).WithGradient("x");
        x.Square().Sum().Backward();
        x.Square().Sum().Backward();
        Assert.Equal([4f, 8f], x.Gradient!.ToArray());
    }

    [Fact]
    public void The_same_graph_twice_is_right_if_it_was_retained()
    {
        Tensor x = Tensor.Of([1f, 2f]).WithGradient("x");
        Tensor y = x.Tanh().Square().Sum();
        y.Backward(retainGraph: true);
        float[] once = x.Gradient!.ToArray();
        y.Backward();
        Assert.Equal([2f * once[0], 2f * once[1]], x.Gradient!.ToArray());
    }

    [Fact]
    public void The_same_graph_twice_is_an_error_that_says_what_to_do()
    {
        Tensor x = Tensor.Of([1f, 2f]).WithGradient("x");
        Tensor y = x.Tanh().Sum();
        y.Backward();
        GradientException error = Assert.Throws<GradientException>(() => y.Backward());
        Assert.Contains("a second time", error.Message, StringComparison.Ordinal);
        Assert.Contains("retainGraph: true", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Parameters_that_share_a_gradient_do_not_share_its_buffer()
    {
        Tensor a = Tensor.Of([1f, 2f]).WithGradient("a");
        Tensor b = Tensor.Of([3f, 4f]).WithGradient("b");
        (a + b).Sum().Backward();
        a.Gradient!.Fill(7f);
        Assert.Equal([1f, 1f], b.Gradient!.ToArray());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Who_changes_one_gradient_in_place_changes_no_other(bool createGraph)
    {
        Tensor a = Tensor.Ones(2).WithGradient("a");
        Tensor b = Tensor.Ones(2).WithGradient("b");
        Tensor seed = Tensor.Full([2], 8f);
        Tensor sum = a + b;
        sum.RetainGradient();
        sum.Backward(seed, createGraph);
        a.Gradient!.Detach().Fill(1f);
        sum.Gradient!.Detach().Fill(2f);
        Assert.Equal([8f, 8f], b.Gradient!.ToArray());
        Assert.Equal([8f, 8f], seed.ToArray());
        Tensor[] gradients = Tensor.Gradients(a + b, [a, b], seed, createGraph);
        gradients[0].Detach().Fill(3f);
        gradients[1].Detach().Fill(4f);
        Assert.Equal([3f, 3f], gradients[0].ToArray());
        Assert.Equal([8f, 8f], seed.ToArray());
    }

    [Fact]
    public void A_leaf_that_is_its_own_root_does_not_record_its_seed()
    {
        Tensor x = Tensor.Ones(2).WithGradient("x");
        x.Backward(2f * Tensor.Ones(2).WithGradient("seed"));
        Assert.False(x.Gradient!.RequiresGradient);
        Assert.Equal([2f, 2f], x.Gradient.ToArray());
    }

    [Fact]
    public void An_unused_parameter_keeps_no_gradient()
    {
        Tensor used = Tensor.Of([1f]).WithGradient("used");
        Tensor unused = Tensor.Of([1f]).WithGradient("unused");
        (used * 2f).Sum().Backward();
        Assert.Null(unused.Gradient);
        Assert.Equal([0f], Tensor.Gradients((used * 2f).Sum(), [unused])[0].ToArray());
    }

    [Fact]
    public void A_scalar_works_like_any_tensor()
    {
        Tensor x = ((Tensor)3f).WithGradient("x");
        (x * x).Backward();
        Assert.Equal(0, x.Rank);
        Assert.Equal(6f, x.Gradient!.Item());
    }

    [Fact]
    public void A_leaf_can_be_its_own_root()
    {
        Tensor x = ((Tensor)3f).WithGradient("x");
        x.Backward();
        x.Backward();
        Assert.Equal(2f, x.Gradient!.Item());
    }

    [Fact]
    public void An_empty_batch_gives_zero_gradients()
    {
        Tensor weight = Tensor.Ones(2, 3).WithGradient("weight");
        Tensor.Zeros(0, 3).Linear(weight).Sum().Backward();
        Assert.Equal(new float[6], weight.Gradient!.ToArray());
    }

    [Fact]
    public void NoGrad_records_nothing_and_ends_with_its_scope()
    {
        Tensor x = Tensor.Of([1f]).WithGradient("x");
        using (new NoGrad())
        {
            Assert.False((x * 2f).RequiresGradient);
        }

        Assert.True((x * 2f).RequiresGradient);
    }

    [Fact]
    public void A_scope_that_is_disposed_twice_ends_once()
    {
        NoGrad first = new();
        first.Dispose();
        using (new NoGrad())
        {
            first.Dispose();
            Assert.False(Tensor.Ones(1).WithGradient().Exp().RequiresGradient);
        }

        EmulatedPrecision half = new(Precision.Half);
        half.Dispose();
        using (new EmulatedPrecision(Precision.BFloat16))
        {
            half.Dispose();
            Assert.Equal(1f, (Tensor.Of([1.001f]) * 1f).Item());
        }
    }

    [Fact]
    public void Detach_shares_numbers_but_not_the_graph()
    {
        Tensor x = Tensor.Of([2f]).WithGradient("x");
        Tensor y = x.Square();
        (y.Detach() * x).Sum().Backward();
        Assert.Equal([4f], x.Gradient!.ToArray());
    }

    [Fact]
    public void Functional_gradients_touch_no_leaf_and_reach_interiors()
    {
        Tensor x = Tensor.Of([1f, 2f]).WithGradient("x");
        Tensor y = x.Square();
        Tensor z = y.Square().Sum();
        Tensor[] gradients = Tensor.Gradients(z, [y, x]);
        Assert.Equal([2f, 8f], gradients[0].ToArray());
        Assert.Equal([4f, 32f], gradients[1].ToArray());
        Assert.Null(x.Gradient);
    }

    [Fact]
    public void A_number_times_infinity_has_the_slope_of_the_number()
    {
        Tensor x = Tensor.Of([float.PositiveInfinity, 1f, float.NaN]).WithGradient();
        Assert.Equal([2f, 2f, 2f], Tensor.Gradients((x * 2f).Sum(), [x])[0].ToArray());
        Assert.Equal([2f, 2f, 2f], Tensor.Gradients((2f * x).Sum(), [x])[0].ToArray());
        Assert.Equal([0.5f, 0.5f, 0.5f], Tensor.Gradients((x / 2f).Sum(), [x])[0].ToArray());
        Assert.Equal([1f / 3, 1f / 3, 1f / 3], Tensor.Gradients(x.Mean(), [x])[0].ToArray());
        Assert.Equal([6f, 6f, 6f], Tensor.Gradients(x.Map(new Formula()).Sum(), [x])[0].ToArray());

        // A finite input of which one square overflows, and a mask before a temperature.
        Tensor y = Tensor.Of([3e20f, 1f, 2f]).WithGradient();
        Assert.Equal([2e20f, 2f / 3, 4f / 3], Tensor.Gradients(Loss.MeanSquare(y, Tensor.Zeros(3)), [y])[0].ToArray());
        Tensor w = Tensor.Of([1f, 2f, 3f]).WithGradient();
        Tensor masked = (w + Tensor.Of([0f, 0f, float.NegativeInfinity])) / 2f;
        float[] gradient = Tensor.Gradients((masked.Softmax() * Tensor.Of([1f, 5f, 7f])).Sum(), [w])[0].ToArray();
        Assert.Equal(0f, gradient[2]);
        Assert.Equal(0.4700074f, gradient[1], 1e-6f);
        Assert.Equal(-0.4700074f, gradient[0], 1e-6f);

        // Recorded, and once more.
        Tensor slope = Tensor.Gradients((x * 2f / 4f).Sum(), [x], createGraph: true)[0];
        Assert.Equal([0.5f, 0.5f, 0.5f], slope.ToArray());
        Assert.Equal([0f, 0f, 0f], Tensor.Gradients((slope + x.Detach() + (0f * x)).Sum(), [x])[0].ToArray());
    }

    [Fact]
    public void What_lies_beyond_the_tensors_asked_for_is_not_touched()
    {
        Tensor w = Tensor.Of([1f, 2f]).WithGradient();
        Tensor h = w.Exp();
        Tensor other = w.Sin();
        Assert.Equal([2f * MathF.E, 2f * MathF.Exp(2f)], Tensor.Gradients(h.Square().Sum() + other.Sum(), [h])[0].ToArray());
        Tensor.Gradients(h.Square().Sum(), [h, h]);
        (h.Sum() + other.Sum()).Backward();
        Assert.Equal(MathF.E + MathF.Cos(1f), w.Gradient!.ToArray()[0], 1e-6f);

        // The graph of what was walked is gone all the same.
        Tensor square = h.Square();
        Tensor.Gradients(square.Sum(), [h]);
        Assert.Contains("Square a second time", Assert.Throws<GradientException>(() => Tensor.Gradients(square.Sum(), [h])).Message, StringComparison.Ordinal);
        Assert.Empty(Tensor.Gradients(h.Square().Sum(), []));
        Assert.Equal([1f, 1f], Tensor.Gradients(h, [h], Tensor.Ones(2))[0].ToArray());
    }

    [Fact]
    public void A_custom_operation_uses_the_backward_that_was_given()
    {
        Tensor x = Tensor.Of([1f, -2f]).WithGradient("x");
        Tensor y = Tensor.Custom("straight-through", [x], () => x.Sign(), gradient => [gradient]);
        (y * Tensor.Of([3f, 5f])).Sum().Backward();
        Assert.Equal([1f, -1f], y.ToArray());
        Assert.Equal([3f, 5f], x.Gradient!.ToArray());
    }

    [Fact]
    public void A_custom_backward_of_the_wrong_shape_or_count_is_named()
    {
        Tensor x = Tensor.Of([1f, -2f]).WithGradient("x");
        Tensor wrongShape = Tensor.Custom("mine", [x], () => x.Sign(), _ => [Tensor.Ones(3)]);
        Assert.Contains("mine", Assert.Throws<ShapeException>(() => wrongShape.Sum().Backward()).Message, StringComparison.Ordinal);
        Tensor wrongCount = Tensor.Custom("mine", [x], () => x.Sign(), _ => []);
        Assert.Contains("0 gradients for 1 inputs", Assert.Throws<GradientException>(() => wrongCount.Sum().Backward()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_error_in_a_backward_leaves_nothing_behind()
    {
        Tensor x = Tensor.Of([1f]).WithGradient("x");
        bool fail = true;
        Tensor y = Tensor.Custom("sometimes", [x], () => x.Clone(), gradient => fail ? throw new InvalidOperationException("no") : [gradient]);
        Tensor z = (y * y).Sum();
        Assert.Throws<InvalidOperationException>(() => z.Backward(retainGraph: true));
        fail = false;
        z.Backward();
        Assert.Equal([2f], x.Gradient!.ToArray());
    }

    [Fact]
    public void Buffers_that_backward_reuses_are_never_seen_by_others()
    {
        // Large enough to be pooled. Every gradient is held while later passes churn the pool.
        Generator generator = new(3);
        List<(Tensor Gradient, float[] Copy)> held = [];
        for (int pass = 0; pass < 50; pass++)
        {
            Tensor x = Tensor.Normal([64, 64], generator: generator).WithGradient("x");
            Tensor y = x.Tanh();
            Tensor z = (y * x) + y.Exp() + (x - y).Square();
            z.Mean().Backward();
            Tensor inner = Tensor.Gradients((x.Tanh() * x).Sum(), [x])[0];
            held.Add((x.Gradient!, x.Gradient!.ToArray()));
            held.Add((inner, inner.ToArray()));
            held.Add((y, y.ToArray()));
        }

        GC.Collect();
        GC.WaitForPendingFinalizers();
        Tensor[] churn = [.. Enumerable.Range(0, 100).Select(_ => Tensor.Normal([64, 64], generator: generator))];
        Assert.All(held, entry => Assert.Equal(entry.Copy, entry.Gradient.ToArray()));
        Assert.Equal(100, churn.Length);
    }

    public readonly struct Formula : IUnaryOp
    {
        public T Forward<T>(T x)
            where T : struct, IReal<T> => (x * 2f) + (8f * x / 2f);
    }
}
