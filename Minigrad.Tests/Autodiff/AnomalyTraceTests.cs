using Minigrad.Autodiff;
using Minigrad.Optimizers;
using static Minigrad.Tests.Autodiff.TracedRun;

namespace Minigrad.Tests.Autodiff;

/// <summary>Where a trace begins and ends, what it follows, what it keeps, and what is known without one.</summary>
public sealed class AnomalyTraceTests
{
    private const float Infinity = float.PositiveInfinity;

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
    public async Task The_method_is_the_one_a_person_wrote()
    {
        Tensor x = Tensor.Of([-1f]);
        Tensor Local() => x.Log();
        const string Method = "AnomalyTraceTests.The_method_is_the_one_a_person_wrote";
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

    [Fact]
    public void A_trace_that_is_disposed_twice_or_before_an_inner_one_ends_once()
    {
        Tensor x = Tensor.Of([-1f]).WithGradient();
        IDisposable first = Anomaly.Trace();
        first.Dispose();
        using (Anomaly.Trace())
        {
            first.Dispose();
            Assert.Throws<AnomalyException>(() => x.Log().Backward());
        }

        x.Log().Backward(); // Not traced.
        IDisposable outer = Anomaly.Trace();
        IDisposable inner = Anomaly.Trace();
        outer.Dispose();
        Assert.Throws<AnomalyException>(() => x.Log().Backward());
        inner.Dispose();
        x.Log().Backward();
        outer.Dispose();
        inner.Dispose();
        x.Log().Backward();
    }

    private static Func<Tensor> Backward(Func<Tensor> compute) => () =>
    {
        Tensor loss = compute();
        loss.Backward();
        return loss;
    };
}
