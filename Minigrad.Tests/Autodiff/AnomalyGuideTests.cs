using Minigrad.Layers;
using Minigrad.Losses;
using Minigrad.Optimizers;

namespace Minigrad.Tests.Autodiff;

/// <summary>The guide's code on tracing anomalies, compiled and asserted.</summary>
public sealed class AnomalyGuideTests
{
    private readonly Sequential model = new(new Linear(2, 1, generator: new Generator(1)));
    private readonly Tensor x = Tensor.Normal([4, 2], generator: new Generator(2));
    private readonly Tensor target = Tensor.Zeros(4, 1);

    [Fact]
    public void A_trace() => Assert.Equal("Logarithm", Assert.Throws<AnomalyException>(Trace).Report!.First.Operation);

    // Its digits beyond these depend on the multiply-adds that the machine has.
    [Trait(SuiteBackend.Trait, SuiteBackend.CpuOnly)]
    [Theory]
    [InlineData("Backward can't start: the result of Divide of shape [] is NaN. It began here: Logarithm made NaN of -1.0124")]
    [InlineData(" at [0, 0] (3 of 4 elements), at ")]
    [InlineData(". Passed on by: SquaredError, Sum, Divide.")]
    public void The_guide_quotes_what_is_told(string part)
    {
        string guide = File.ReadAllText(Path.Combine(Repository.Root, "docs", "numerics.md")).Replace("\n> ", " ", StringComparison.Ordinal);
        Assert.Contains(part, guide, StringComparison.Ordinal);
        Assert.Contains(part, Assert.Throws<AnomalyException>(Trace).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_step_that_failed_is_computed_again()
    {
        Sgd optimizer = new(model.Parameters) { CheckInterval = 1 };
        Loss.MeanSquare(model.Forward(x).Log(), target).Backward();
        Assert.Throws<NonFiniteGradientException>(() => Step(optimizer));
    }

    private void Trace()
    {
        using (Anomaly.Trace())
        {
            Loss.MeanSquare(model.Forward(x).Log(), target).Backward();
        }
    }

    private void Step(Sgd optimizer)
    {
        try
        {
            optimizer.Step();
        }
        catch (NonFiniteGradientException)
        {
            AnomalyReport? report = Anomaly.Find(() => Loss.MeanSquare(model.Forward(x).Log(), target));
            Console.WriteLine(report);
            throw;
        }
    }
}
