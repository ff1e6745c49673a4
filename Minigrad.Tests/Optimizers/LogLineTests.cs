using System.Globalization;
using Minigrad.Layers;
using Minigrad.Optimizers;

namespace Minigrad.Tests.Optimizers;

/// <summary>What is written for a log.</summary>
public sealed class LogLineTests
{
    [Fact]
    public void Lines_for_a_log_are_the_same_in_every_language()
    {
        CultureInfo before = CultureInfo.CurrentCulture;
        CultureInfo comma = (CultureInfo)CultureInfo.InvariantCulture.Clone();
        comma.NumberFormat.NumberDecimalSeparator = ",";
        comma.NumberFormat.NegativeSign = "\u2212";
        try
        {
            CultureInfo.CurrentCulture = comma;
            Tensor w = Tensor.Of([1f]).WithGradient("w");
            Sgd optimizer = new([w], 0.1) { Clip = [Clip.GlobalNorm(0.25)] };
            w.Gradient = Tensor.Of([0.5f]);
            Assert.Equal("step 1: gradient norm 0.5, coefficient 0.5", optimizer.Step().ToString());
            Assert.Equal("loss -0.5, 1 of 2 examples clipped, largest norm 1.5", new PerExampleReport([0.5, 1.5], 1, -0.5).ToString());
            Assert.Equal("Static(0.5)", LossScaling.Static(0.5).ToString());
            Assert.Equal("Dynamic(8, growth 1.5 after 2000 steps, backoff 0.25, maximum 16777216)", LossScaling.Dynamic(8, 1.5, 0.25).ToString());
            Assert.Equal("Dropout(0.25)", new Dropout(0.25f).ToString());
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }
}
