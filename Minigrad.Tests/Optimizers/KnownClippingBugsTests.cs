using Minigrad.Optimizers;
using Minigrad.Optimizers.Clipping;

namespace Minigrad.Tests.Optimizers;

/// <summary>
/// Faults found in published clipping code, each by a case in which it would show. (Clipping before the loss scale is
/// divided out is with the tests of loss scaling.)
/// </summary>
public sealed class KnownClippingBugsTests
{
    [Fact]
    public void The_warm_up_of_AdaGC_clips_by_the_norm_not_by_its_square()
    {
        // (3, 4) and (0, 12): norm 13, its square 169. Clipped to 6.5 each is halved; by the square they would shrink by 26.
        Tensor[] parameters = [WithGradient(3f, 4f), WithGradient(0f, 12f)];
        Clip.ParameterNorm(Threshold.MovingAverage(absolute: 6.5)).Apply(parameters);
        Assert.Equal([1.5f, 2f], parameters[0].Gradient!.ToArray());
        Assert.Equal([0f, 6f], parameters[1].Gradient!.ToArray());
    }

    [Fact]
    public void A_stage_changes_the_gradient_and_not_a_copy_of_it()
    {
        foreach ((string name, Func<Threshold, ClipStage> make) in StageKinds.Stages)
        {
            Tensor parameter = WithGradient(30f, -40f);
            Tensor gradient = parameter.Gradient!;
            int version = gradient.Storage.Version;
            make(1e-2).Apply([parameter]);
            Assert.Same(gradient, parameter.Gradient);
            Assert.True(gradient.Storage.Version > version, name);
            Assert.All(gradient.ToArray(), value => Assert.True(MathF.Abs(value) < 1f, $"{name} left {value}"));

            Tensor updated = WithGradient(30f, -40f);
            new Sgd([updated], learningRate: 1) { Clip = [make(1e-2)] }.Step();
            Assert.All(updated.ToArray(), value => Assert.True(value != 0 && MathF.Abs(value) < 1f, $"{name} updated by {value}"));
        }
    }

    [Fact]
    public void No_stage_scales_a_small_gradient_up()
    {
        foreach (Func<Threshold> threshold in StageKinds.Thresholds.Values)
        {
            foreach ((string name, Func<Threshold, ClipStage> make) in StageKinds.Stages)
            {
                ClipStage stage = make(threshold());
                Tensor parameter = WithGradient(0f, 0f);
                using (new NoGrad())
                {
                    parameter.Assign([100f, 100f]);
                }

                for (int step = 0; step < 8; step++)
                {
                    // Large ones first, so that thresholds from a history are far above the last.
                    float[] values = step < 7 ? [100f, -70f] : [1e-3f, -2e-3f];
                    parameter.Gradient = Tensor.Of(values);
                    stage.Apply([parameter]);
                    Assert.All(parameter.Gradient!.ToArray().Zip(values), pair => Assert.True(
                        MathF.Abs(pair.First) <= MathF.Abs(pair.Second), $"{stage} of {name}: {pair.Second} became {pair.First}"));
                }
            }
        }
    }

    [Fact]
    public void AutoClip_compares_the_global_norm_with_the_percentile_of_global_norms()
    {
        // Of (3, 4) and (6, 8) the norms are 5 and 10. The second is halved as a whole; each variable by itself would
        // be clipped to 5, and only the 8 would change.
        Tensor[] parameters = [WithGradient(3f), WithGradient(4f)];
        ClipStage stage = Clip.GlobalNorm(Threshold.Percentile(0));
        stage.Apply(parameters);
        (parameters[0].Gradient, parameters[1].Gradient) = (Tensor.Of([6f], 1), Tensor.Of([8f], 1));
        stage.Apply(parameters);
        Assert.Equal((3f, 4f), (parameters[0].Gradient!.ToArray()[0], parameters[1].Gradient!.ToArray()[0]));
    }

    [Fact]
    public void A_factor_of_ZClip_widens_the_band_and_does_not_multiply_the_mean()
    {
        // Norms 9 and 11: μ = 10, σ = 1. Twice the deviations is twice as far from the mean, 14, not twice the threshold of 12.
        static double ThresholdOf(double limit)
        {
            Tensor parameter = WithGradient(9f);
            Sgd optimizer = new([parameter], learningRate: 0) { Clip = [Clip.GlobalNorm(Threshold.ZScore(limit, SpikeTarget.Limit, warmup: 2))] };
            optimizer.Step();
            parameter.Gradient = Tensor.Of([11f], 1);
            optimizer.Step();
            parameter.Gradient = Tensor.Of([100f], 1);
            return optimizer.Step().Stages[0].Threshold;
        }

        Assert.Equal((12.0, 14.0), (ThresholdOf(2), ThresholdOf(4)));
    }

    [Fact]
    public void An_optimizer_that_is_given_stages_uses_them()
    {
        foreach ((string name, Func<Threshold, ClipStage> make) in StageKinds.Stages)
        {
            Tensor parameter = WithGradient(30f, -40f);
            StepReport report = new Sgd([parameter], learningRate: 1) { Clip = [make(1e-2)] }.Step();
            Assert.True(report.Stages.Single().Acted, name);
            Assert.True(report.WasClipped, name);
            Assert.True(report.ClippedNorm < 1.5, name);
        }
    }

    [Fact]
    public void A_gradient_of_0_gives_0_and_never_0_divided_by_0()
    {
        foreach (Func<Threshold> threshold in StageKinds.Thresholds.Values)
        {
            foreach ((string name, Func<Threshold, ClipStage> make) in StageKinds.Stages)
            {
                ClipStage stage = make(threshold());
                Tensor parameter = WithGradient(0f, 0f);
                for (int step = 0; step < 6; step++)
                {
                    parameter.Gradient = Tensor.Zeros(2);
                    stage.Apply([parameter]);
                    Assert.Equal([0f, 0f], parameter.Gradient.ToArray());
                }

                // And the history has learned nothing from it: a gradient afterwards is not clipped to 0.
                parameter.Gradient = Tensor.Ones(2);
                stage.Apply([parameter]);
                Assert.All(parameter.Gradient.ToArray(), value => Assert.True(value > 0, $"{stage} of {name} left {value}"));
            }
        }
    }

    [Fact]
    public void A_huge_finite_gradient_is_scaled_and_not_lost()
    {
        Tensor[] parameters = [WithGradient(1e20f, 1e20f), WithGradient(-1e20f)];
        Clip.GlobalNorm(1).Apply(parameters);
        float expected = (float)(1 / Math.Sqrt(3));
        Assert.Equal(expected, parameters[0].Gradient!.ToArray()[0], 1e-6f);
        Assert.Equal(-expected, parameters[1].Gradient!.ToArray()[0], 1e-6f);
    }

    private static Tensor WithGradient(params float[] gradient)
    {
        Tensor parameter = Tensor.Zeros(gradient.Length).WithGradient();
        parameter.Gradient = Tensor.Of(gradient);
        return parameter;
    }
}
