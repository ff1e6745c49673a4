using System.Runtime.CompilerServices;
using Minigrad.Autodiff;
using Minigrad.Layers;
using Minigrad.Losses;
using Minigrad.Operations;
using Minigrad.Optimizers;

namespace Minigrad.Tests.Autodiff;

/// <summary>The trace names the operation that made a NaN or an infinity, and its line; never those that passed it on.</summary>
public sealed class AnomalyTests
{
    private const float Infinity = float.PositiveInfinity;

    [Fact]
    public void A_logarithm_of_a_negative_number()
    {
        Tensor x = Tensor.Of([1f, -0.5f, 2f, -0.25f], 2, 2).WithGradient("x");
        AnomalyReport report = Caught(() => (x.Log() * 3f).Mean().Backward());
        int line = Here() - 1;

        AnomalySource first = Assert.Single(report.Sources);
        Assert.Equal(("Logarithm", false, null, null), (first.Operation, first.IsBackward, first.HeldBy, first.Layer));
        Assert.True(float.IsNaN(first.Value));
        Assert.Equal([0, 1], first.Index);
        Assert.Equal((2, 4), (first.Count, first.Length));
        Assert.EndsWith("AnomalyTests.cs", first.File, StringComparison.Ordinal);
        Assert.Equal(line, first.Line);
        Assert.Equal("AnomalyTests.A_logarithm_of_a_negative_number", first.Method);
        Assert.Equal(["Multiply", "Sum", "Divide"], report.PassedOnBy);
        Assert.Equal(
            "Backward can't start: the result of Divide of shape [] is NaN. It began here: Logarithm made NaN of -0.5 at [0, 1] (2 of 4 "
            + $"elements), at AnomalyTests.cs:{line}. Passed on by: Multiply, Sum, Divide.",
            report.ToString());
    }

    [Fact]
    public void Zero_divided_by_zero()
    {
        Tensor a = Tensor.Of([2f, 0f, 0f]).WithGradient();
        Tensor b = Tensor.Of([1f, 1f, 0f]);
        AnomalySource first = Caught(() => (a / b).Sum().Backward()).First;
        Assert.Equal(Here() - 1, first.Line);
        Assert.Equal("Divide", first.Operation);
        Assert.Contains("Divide made NaN of 0 and 0 at [2] (1 of 3", first.ToString(), StringComparison.Ordinal);

        Assert.Contains("Divide made NaN of 0 and the number 0 at [1]", Caught(() => (a / 0f).Sum().Backward()).ToString(), StringComparison.Ordinal);
        Assert.Contains("Divide made +∞ of the number 1 and 0 at [1]", Caught(() => (1f / a).Sum().Backward()).ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_broadcast_operand_is_told_by_the_element_that_was_used()
    {
        Tensor a = Tensor.Of([1f, 2f, 3f, 4f, 0f, 6f], 2, 3).WithGradient();
        Tensor b = Tensor.Of([1f, 0f, 2f]);
        AnomalyReport report = Caught(() => (a / b).Sum().Backward());
        Assert.Contains("NaN of 0 and 0 at [1, 1]", report.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void An_exponential_that_overflows()
    {
        Tensor x = Tensor.Of([1f, 100f]).WithGradient();
        AnomalyReport report = Caught(() => x.Exp().Sum().Backward());
        Assert.Equal(Here() - 1, report.First.Line);
        Assert.Equal(("Exponential", Infinity), (report.First.Operation, report.First.Value));
        Assert.Contains("is infinite", report.ToString(), StringComparison.Ordinal);
        Assert.Contains("Exponential made +∞ of 100", report.ToString(), StringComparison.Ordinal);
        Assert.Equal(["Sum"], report.PassedOnBy);
    }

    [Fact]
    public void An_infinity_that_becomes_NaN_later_is_told_with_both_places()
    {
        Tensor x = Tensor.Of([1f, 100f]).WithGradient();
        AnomalyReport report = Caught(() =>
        {
            Tensor large = x.Exp();
            Tensor scaled = large * 2f;
            (scaled - large).Mean().Backward();
        });
        int line = Here() - 4;
        Assert.Equal(["Exponential", "Subtract"], report.Sources.Select(source => source.Operation));
        Assert.Equal([line, line + 2], report.Sources.Select(source => source.Line));
        Assert.Equal(["Sum", "Divide"], report.PassedOnBy);
        Assert.Contains("Of that, Subtract made NaN of +∞ and +∞ at [1]", report.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_cross_entropy_of_infinite_logits()
    {
        Tensor x = Tensor.Of([1f, 100f, 2f, 3f], 2, 2).WithGradient();
        AnomalyReport report = Caught(() => Loss.CrossEntropy(x.Exp(), (Indices)new[] { 0, 1 }).Backward());
        Assert.Equal("Exponential", report.First.Operation);
        Assert.Equal("CrossEntropy", report.Sources[^1].Operation);
        Assert.Contains("of the result of Exponential of shape [2, 2] (largest magnitude +∞)", report.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void An_embedding_of_NaN_blames_the_table()
    {
        Embedding embedding = new(4, 2);
        Poison(embedding.Weight, [3, 1]);
        AnomalySource first = Caught(() => embedding.Forward(new[] { 0, 3 }).Sum().Backward()).First;
        Assert.Equal(Here() - 1, first.Line);
        Assert.Equal(("Embedding", "'weight' of shape [4, 2]", "Embedding(4 → 2)"), (first.Operation, first.HeldBy, first.Layer));
        Assert.Equal([3, 1], first.Index);
        Assert.StartsWith(
            "'weight' of shape [4, 2] held NaN already at [3, 1] (1 of 8 elements); Embedding was the first to read it, in layer Embedding(4 → 2), at AnomalyTests.cs:",
            first.ToString(), StringComparison.Ordinal);

        // A row that is not looked up is not read.
        using (Anomaly.Trace())
        {
            Assert.Null(Anomaly.Find(embedding.Forward(new[] { 0, 2 })));
        }
    }

    [Fact]
    public void A_parameter_that_was_NaN_already_is_blamed_and_not_the_layer_that_reads_it()
    {
        Sequential model = new(new Linear(3, 4), new Tanh(), new Linear(4, 2));
        _ = model.Parameters;
        Poison(((Linear)model[2]).Weight, [1, 0]);
        AnomalyReport report = Caught(() => Loss.MeanSquare(model.Forward(Tensor.Ones(5, 3)), Tensor.Zeros(5, 2)).Backward());
        AnomalySource first = Assert.Single(report.Sources);
        Assert.Equal(("Linear", "'2.weight' of shape [2, 4]", "'2', Linear(4 → 2)"), (first.Operation, first.HeldBy, first.Layer));
        Assert.Equal(["SquaredError", "Sum", "Divide"], report.PassedOnBy);
    }

    [Fact]
    public void An_input_that_was_NaN_already_is_blamed()
    {
        Tensor x = Tensor.Of([1f, float.NaN]);
        Tensor weight = Tensor.Ones(2).WithGradient("weight");
        Assert.Equal("a tensor of shape [2]", Caught(() => (x.Square() * weight).Sum().Backward()).First.HeldBy);
        x.Name = "pixels";
        Assert.Equal("'pixels' of shape [2]", Caught(() => (x.Square() * weight).Sum().Backward()).First.HeldBy);

        // An infinity in the data, of which NaN is made: the data first.
        x.Assign([Infinity, 1f]);
        AnomalyReport report = Caught(() => ((x - x) * weight).Sum().Backward());
        Assert.Equal("'pixels' of shape [2]", report.First.HeldBy);
        Assert.Equal([Infinity, float.NaN], report.Sources.Select(source => source.Value));
    }

    [Fact]
    public void A_slope_that_is_infinite()
    {
        Tensor x = Tensor.Of([4f, 0f]).WithGradient("x");
        AnomalyReport report = Caught(() => x.Sqrt().Sum().Backward());
        Assert.Equal(Here() - 1, report.First.Line);
        Assert.Equal(("SquareRoot", true, Infinity), (report.First.Operation, report.First.IsBackward, report.First.Value));
        Assert.StartsWith(
            "The gradient of 'x', of shape [2], is infinite. It began here: the backward of SquareRoot made +∞ of the gradient 1 where forward had 0 at [1]",
            report.ToString(), StringComparison.Ordinal);

        // All gradients are there before the error is thrown.
        Assert.Equal([0.25f, Infinity], x.Gradient!.ToArray());
    }

    [Fact]
    public void Zero_times_an_infinite_gradient()
    {
        Tensor x = Tensor.Zeros(3).WithGradient("x");
        AnomalyReport report = Caught(() => x.Square().Sum().Sqrt().Backward());
        Assert.Equal(["SquareRoot", "Square"], report.Sources.Select(source => source.Operation));
        Assert.All(report.Sources, source => Assert.True(source.IsBackward));
        Assert.Equal(["Sum"], report.PassedOnBy);
        Assert.Contains("Of that, the backward of Square made NaN of the gradient +∞ where forward had 0", report.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void An_infinity_masked_in_forward_is_told_when_its_gradient_is_NaN()
    {
        Tensor x = Tensor.Of([1f, 0f]).WithGradient("x");
        AnomalyReport report = Caught(() => Tensor.Where(x.Detach(), 1f / x, 0f).Sum().Backward());
        Assert.Equal([("Divide", false), ("Divide", true)], report.Sources.Select(source => (source.Operation, source.IsBackward)));
        Assert.Equal(Infinity, report.First.Value);
        Assert.Contains("the gradient 0 where forward had the number 1 and 0", report.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_mask_of_minus_infinity_is_no_anomaly()
    {
        Tensor scores = Tensor.Zeros(2, 2).WithGradient();
        Tensor mask = Tensor.Of([0f, -Infinity, 0f, 0f], 2, 2);
        using (Anomaly.Trace())
        {
            (scores + mask).Softmax().Square().Sum().Backward();
        }

        AnomalyReport report = Caught(() => ((scores + mask).Softmax() - 2f).Log().Sum().Backward());
        Assert.Equal("Logarithm", Assert.Single(report.Sources).Operation);
    }

    [Fact]
    public void NaN_and_infinities_of_one_tensor_are_told_apart()
    {
        // log makes −∞ of 0 and NaN of −1; the loss is NaN because of the latter.
        Tensor x = Tensor.Of([0f, -1f, 1f]).WithGradient();
        Tensor ones = Tensor.Ones(3);
        AnomalyReport report = Caught(() => ((ones / x).Log() + x).Sum().Backward());
        Assert.Equal("Logarithm", Assert.Single(report.Sources).Operation);
        Assert.Contains("NaN of -1 at [1]", report.ToString(), StringComparison.Ordinal);

        report = Caught(() => (ones / x)[..1].Sum().Backward());
        Assert.Equal(("Divide", Infinity), (report.First.Operation, report.First.Value));
    }

    [Fact]
    public void A_sum_that_overflows_tells_how_large_its_terms_were()
    {
        Tensor x = Tensor.Of([3e38f, 3e38f]).WithGradient("x");
        AnomalyReport report = Caught(() => x.Sum().Backward());
        Assert.Contains("Sum made +∞ of 'x' of shape [2] (largest magnitude 3E+38)", report.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_norm_is_one_operation()
    {
        Tensor x = Tensor.Of([3e38f, 3e38f]).WithGradient("x");
        Assert.Equal("Norm", Assert.Single(Caught(() => x.Norm([], 1f).Backward()).Sources).Operation);
        Assert.Equal("Norm", Assert.Single(Caught(() => x.Norm([]).Backward()).Sources).Operation);
        Assert.Equal("Multiply", Caught(() => (x * Infinity).Norm([]).Backward()).First.Operation);
    }

    [Fact]
    public void A_largest_value_of_NaN_comes_from_its_input()
    {
        Tensor x = Tensor.Of([1f, -1f]).WithGradient();
        Assert.Equal("Logarithm", Caught(() => x.Log().LogSumExp([]).Backward()).First.Operation);
        x = Tensor.Of([1f, float.NaN]).WithGradient("x");
        Assert.Equal("'x' of shape [2]", Caught(() => x.LogSumExp([]).Backward()).First.HeldBy);
        Assert.Equal("'x' of shape [2]", Caught(() => x.Max().Backward()).First.HeldBy);
    }

    [Fact]
    public void Gradients_that_overflow_when_added_up()
    {
        Tensor x = Tensor.Zeros(1).WithGradient("x");
        AnomalyReport report = Caught(() => ((x * 3e38f) - (x * -3e38f)).Sum().Backward());
        Assert.Contains("the gradients of 'x', added up, made +∞", report.ToString(), StringComparison.Ordinal);
        x.Gradient = null;
        Tensor y = x * 2f;
        report = Caught(() => ((y * 1.2e38f) + (y * 1.3e38f) + (y * 2e38f)).Sum().Backward());
        Assert.Contains("the gradients of the result of Multiply, added up, made +∞", report.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_gradient_that_was_not_zeroed_is_blamed()
    {
        Tensor x = Tensor.Ones(2).WithGradient("x");
        x.Gradient = Tensor.Of([0f, float.NaN]);
        AnomalyReport report = Caught(() => x.Sum().Backward());
        Assert.Equal("the gradient that 'x' had before this backward", Assert.Single(report.Sources).HeldBy);
    }

    [Fact]
    public void A_gradient_to_start_from_is_blamed()
    {
        Tensor x = Tensor.Ones(2).WithGradient("x");
        AnomalyReport report = Caught(() => x.Square().Backward(Tensor.Of([1f, float.NaN])));
        Assert.Equal("the gradient that backward was given to start from", Assert.Single(report.Sources).HeldBy);
        Assert.Equal("Square", report.First.Operation);
    }

    [Fact]
    public void Second_order_names_the_line_of_the_forward_call()
    {
        // x^1.5 at 0: the first derivative is 0, the second infinite.
        Tensor x = Tensor.Of([0f, 1f]).WithGradient("x");
        int line = Here() + 3;
        AnomalyReport report = Caught(() =>
        {
            Tensor y = x.Pow(1.5f).Sum();
            Tensor slope = Tensor.Gradients(y, [x], createGraph: true)[0];
            slope.Sum().Backward();
        });
        Assert.True(report.First.IsBackward);
        Assert.Equal(line, report.First.Line);
        Assert.Contains("(in the backward of Power)", report.First.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Only_gradients_that_were_asked_for_count()
    {
        Tensor x = Tensor.Zeros(1).WithGradient("x");
        Tensor w = Tensor.Ones(1).WithGradient("w");
        using (Anomaly.Trace())
        {
            Assert.Equal([1f], Tensor.Gradients((x.Sqrt() + w).Sum(), [w])[0].ToArray());
        }

        Assert.Contains("'x'", Caught(() => Tensor.Gradients((x.Sqrt() + w).Sum(), [w, x])).ToString(), StringComparison.Ordinal);
        AnomalyReport report = Caught(() =>
        {
            Tensor inner = x.Sqrt();
            Tensor.Gradients(inner.Sqrt().Sum(), [inner]);
        });
        Assert.StartsWith("The gradient of the result of SquareRoot, of shape [1], is infinite", report.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Without_gradients_nothing_is_thrown_or_recorded_and_Find_tells()
    {
        Tensor x = Tensor.Of([1f, -1f]).WithGradient();
        Tensor y;
        Tensor constant;
        using (Anomaly.Trace())
        {
            using (new NoGrad())
            {
                y = Tensor.Concatenate([x.Log(), x]).Sum();
            }

            constant = x.Detach().Log().Reshape(1, 2).Sum();
        }

        Assert.False(y.RequiresGradient);
        Assert.False(constant.RequiresGradient);
        Assert.Equal("Logarithm", Anomaly.Find(y)!.First.Operation);
        Assert.StartsWith("A tensor of shape [] is NaN", Anomaly.Find(y)!.ToString(), StringComparison.Ordinal);
        Assert.Equal("Logarithm", Anomaly.Find(constant)!.First.Operation);
        Assert.Null(Anomaly.Find(x));
    }

    [Fact]
    public void Numbers_are_followed_through_copies_and_shared_storage()
    {
        using IDisposable trace = Anomaly.Trace();
        Tensor bad = Tensor.Of([-1f, 1f]).Log();
        Tensor target = Tensor.Zeros(2);
        target.Assign(bad.Detach());
        Assert.Equal("Logarithm", Anomaly.Find(target.Reshape(2, 1).Clone())!.First.Operation);
        Tensor custom = Tensor.Custom("Twice", [target], () => target + target, gradient => [gradient * 2f]);
        Assert.Equal("Logarithm", Anomaly.Find(custom)!.First.Operation);

        target.Assign([Infinity, 0f]);
        Assert.Equal("a tensor of shape [2]", Anomaly.Find(target * 2f)!.First.HeldBy);
    }

    [Fact]
    public void An_operation_of_ones_own_is_named()
    {
        Tensor x = Tensor.Ones(2).WithGradient();
        AnomalyReport report = Caught(() => Tensor.Custom("Odd", [x], () => x * 1f, gradient => [gradient / 0f]).Sum().Backward());
        Assert.Equal(("Odd", true), (report.First.Operation, report.First.IsBackward));
        Assert.Contains("the backward of Odd made +∞ of a gradient of shape [2] (largest magnitude 1) at [0]", report.ToString(), StringComparison.Ordinal);

        report = Caught(() => Tensor.Custom("Odder", [x], () => (x - 2f).Log(), gradient => [gradient]).Sum().Backward());
        Assert.Equal("Logarithm", report.First.Operation);
        report = Caught(() => x.Map(default(Explosive)).Sum().Backward());
        Assert.Equal("Explosive", report.First.Operation);
    }

    [Fact]
    public void What_was_computed_before_the_trace_is_told_as_such()
    {
        Tensor x = Tensor.Of([0f]).WithGradient("x");
        Tensor loss = (x - 1f).Log();
        string message = Assert.Throws<InvalidOperationException>(() => Anomaly.Find(loss)).Message;
        Assert.Contains("no trace was open", message, StringComparison.Ordinal);
        Assert.Contains("using (Anomaly.Trace())", message, StringComparison.Ordinal);
        Assert.Contains("Anomaly.Find(() => loss)", message, StringComparison.Ordinal);
        Assert.Contains("(computed before the trace was opened) held NaN already", Caught(() => loss.Backward()).ToString(), StringComparison.Ordinal);

        // Then the operation is known, but not its line.
        Tensor root = x.Sqrt();
        AnomalyReport report = Caught(() => root.Backward());
        Assert.Equal(("SquareRoot", 0, null), (report.First.Operation, report.First.Line, report.First.Method));
    }

    [Fact]
    public void On_request_a_bad_step_is_computed_again_traced()
    {
        Tensor weight = Tensor.Of([0f, 1f]).WithGradient("weight");
        Sgd optimizer = new([weight]) { CheckInterval = 1 };
        Tensor Compute() => weight.Sqrt().Sum();
        Compute().Backward();
        string advice = Assert.Throws<NonFiniteGradientException>(() => optimizer.Step()).Message;
        Assert.Contains("using (Anomaly.Trace())", advice, StringComparison.Ordinal);

        Tensor gradient = weight.Gradient!;
        AnomalyReport report = Anomaly.Find(Compute)!;
        Assert.Equal(("SquareRoot", true), (report.First.Operation, report.First.IsBackward));
        Assert.Same(gradient, weight.Gradient);
        Assert.Equal([Infinity, 0.5f], gradient.ToArray());

        Assert.Equal("Logarithm", Anomaly.Find(() => (Compute() - 2f).Log())!.First.Operation);
        Assert.Null(Anomaly.Find(() => weight.Square().Sum()));
        Assert.Null(Anomaly.Find(() => weight.Detach().Square()));
        weight.Gradient = null;
        Assert.Equal("SquareRoot", Anomaly.Find(Backward(Compute))!.First.Operation);
        Assert.Null(Anomaly.Find(Backward(() => weight.Detach().WithGradient().Square().Sum())));
    }

    [Fact]
    public void A_long_chain_names_the_first_few_that_passed_it_on()
    {
        Tensor x = Tensor.Of([-1f]).WithGradient();
        AnomalyReport report = Caught(() =>
        {
            Tensor y = x.Log();
            for (int i = 0; i < 5_000; i++)
            {
                y = -y;
            }

            y.Backward();
        });
        Assert.Equal(5_000, report.PassedOnBy.Count);
        Assert.EndsWith("Passed on by: Negate, Negate, Negate, Negate, Negate, Negate and 4994 more.", report.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_gradient_that_is_summed_up_over_a_broadcast_is_told_by_what_arrived()
    {
        Tensor x = Tensor.Zeros(2, 3).WithGradient("x");
        Tensor scale = Tensor.Full([3], 3e38f).WithGradient("scale");
        AnomalyReport report = Caught(() => (x * scale).Backward(Tensor.Full([2, 3], 3f)));
        Assert.Contains("the backward of Multiply made +∞ of the gradient 3 where forward had 0 and 3E+38 at [0, 0] (6 of 6", report.ToString(), StringComparison.Ordinal);

        // Each product is finite, and so is the gradient of each; the sum over the rows is not.
        using (new NoGrad())
        {
            x.Fill(2e38f);
            scale.Fill(0f);
        }

        x.Gradient = null;
        scale.Gradient = null;
        report = Caught(() => (x * scale).Backward(Tensor.Ones(2, 3)));
        Assert.StartsWith(
            "The gradient of 'scale', of shape [3], is infinite. It began here: the backward of Multiply made +∞ of a gradient of shape [2, 3] (largest magnitude 1) at [0]",
            report.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_method_is_the_one_a_person_wrote()
    {
        Tensor x = Tensor.Of([-1f]);
        Tensor Local() => x.Log();
        const string Method = "AnomalyTests.The_method_is_the_one_a_person_wrote";
        Func<Tensor> lambda = () => (x - 1f).Log();
        Assert.Equal(Method, Anomaly.Find(Local)!.First.Method);
        Assert.Equal(Method, Anomaly.Find(lambda)!.First.Method);
        using (Anomaly.Trace())
        {
            Assert.Equal(Method, Anomaly.Find(x.Log())!.First.Method);
        }

        await Task.CompletedTask;
        AnomalySource At(SourceLine line) => new("Logarithm", new OperationOrigin([], null, line, null), x, [float.NaN], 0);
        AnomalySource source = At(new SourceLine(null, 0, Method));
        Assert.EndsWith($", in {Method} (a program with debug symbols would show the line)", source.ToString(), StringComparison.Ordinal);
        source = At(new SourceLine(@"C:\code\Program.cs", 7, Method));
        Assert.EndsWith(", at Program.cs:7", source.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Inputs_are_let_go_when_backward_has_passed()
    {
        Tensor x = Tensor.Of([1f]).WithGradient();
        using IDisposable trace = Anomaly.Trace();
        Tensor y = x.Square();
        OperationOrigin origin = y.Producer!.Origin!;
        Assert.Same(x, Assert.Single(origin.Inputs));
        y.Backward();
        Assert.Empty(origin.Inputs);
    }

    [Fact]
    public void An_error_teaches()
    {
        Tensor x = Tensor.Of([-1f]).WithGradient();
        AnomalyException exception = Assert.Throws<AnomalyException>(() => Traced(() => x.Log().Backward()));
        Assert.Contains("It began here: Logarithm made NaN of -1", exception.Message, StringComparison.Ordinal);
        Assert.Contains("add a small number", exception.Message, StringComparison.Ordinal);
        Assert.NotNull(exception.Report);
    }

    [Fact]
    public void A_trace_ends_where_it_is_disposed_and_is_of_its_thread_only()
    {
        Tensor x = Tensor.Of([-1f]).WithGradient();
        using (Anomaly.Trace())
        {
            using (Anomaly.Trace())
            {
            }

            Assert.Throws<AnomalyException>(() => x.Log().Backward());
            Exception? other = null;
            Thread thread = new(() => other = Record.Exception(() => x.Detach().WithGradient().Log().Backward()));
            thread.Start();
            thread.Join();
            Assert.Null(other);
        }

        // Ended in another order than begun, neither this nor NoGrad undoes the other.
        NoGrad outer = new();
        IDisposable inner = Anomaly.Trace();
        outer.Dispose();
        inner.Dispose();
        x.Gradient = null;
        x.Log().Backward();
        Assert.Equal(-1f, x.Gradient!.Item());
    }

    private static Func<Tensor> Backward(Func<Tensor> compute) => () =>
    {
        Tensor loss = compute();
        loss.Backward();
        return loss;
    };

    private static int Here([CallerLineNumber] int line = 0) => line;

    private static void Poison(Tensor tensor, int[] place)
    {
        float[] values = tensor.ToArray();
        values[tensor.Shape.ElementAt(place)] = float.NaN;
        using NoGrad scope = new();
        tensor.Assign(values);
    }

    private static void Traced(Action action)
    {
        using IDisposable trace = Anomaly.Trace();
        action();
    }

    private static AnomalyReport Caught(Action action) => Assert.Throws<AnomalyException>(() => Traced(action)).Report!;

    public readonly struct Explosive : IUnaryOp
    {
        public T Forward<T>(T x)
            where T : struct, Minigrad.Numerics.IReal<T> => T.Exp(x * 1000f);
    }
}
