using Minigrad.Losses;
using Minigrad.Operations;
using static Minigrad.Tests.Autodiff.TracedRun;

namespace Minigrad.Tests.Autodiff;

/// <summary>The trace names the operation whose result first was NaN or infinite, of what, and its line; never those that passed it on.</summary>
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

    // What is tested is the host's; a device takes a launch and a wait for each of the five thousand.
    [Trait(SuiteBackend.Trait, SuiteBackend.CpuOnly)]
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

    public readonly struct Explosive : IUnaryOp
    {
        public T Forward<T>(T x)
            where T : struct, Minigrad.Numerics.IReal<T> => T.Exp(x * 1000f);
    }
}
