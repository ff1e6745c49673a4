using Minigrad.Optimizers;
using Minigrad.Optimizers.Clipping;

namespace Minigrad.Tests.Optimizers;

/// <summary>A stage that remembers nothing may belong to several optimizers, also where each trains on a thread of its own.</summary>
public sealed class SharedStageTests
{
    private const int Rounds = 300_000;

    private int wrong;

    [Theory]
    [InlineData("GlobalNorm")]
    [InlineData("UnitNorm")]
    public void Each_thread_is_told_what_its_own_gradients_measured(string name)
    {
        ThresholdStage stage = (ThresholdStage)(name == "UnitNorm" ? Clip.UnitNorm(double.PositiveInfinity) : Clip.GlobalNorm(double.PositiveInfinity));
        using Barrier start = new(2);
        void Measure(float size)
        {
            start.SignalAndWait();
            GradientSet gradients = GradientsOf(size);
            double expected = stage.Run(gradients).Norm;
            for (int round = 0; round < Rounds; round++)
            {
                Interlocked.Add(ref wrong, stage.Run(gradients).Norm == expected ? 0 : 1);
            }
        }

        Thread other = new(() => Measure(1f));
        other.Start();
        Measure(100f);
        other.Join();
        Assert.Equal(0, wrong);
    }

    private static GradientSet GradientsOf(float size)
    {
        Tensor parameter = Tensor.Ones(2, 2).WithGradient();
        PendingGradient pending = new(parameter, 0);
        pending.Begin(Tensor.Full([2, 2], size), 1);
        GradientSet gradients = new();
        gradients.Add(pending);
        gradients.Measure();
        return gradients;
    }
}
