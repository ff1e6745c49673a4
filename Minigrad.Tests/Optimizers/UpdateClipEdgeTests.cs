using Minigrad.Optimizers;

namespace Minigrad.Tests.Optimizers;

/// <summary>Clips of updates where there is little to clip: updates of NaN or of 0, steps that are not made, learning rates of 0.</summary>
public sealed class UpdateClipEdgeTests
{
    [Fact]
    public void NaN_goes_through_where_it_may_and_a_step_that_is_not_made_measures_nothing()
    {
        foreach (UpdateClip clip in (UpdateClip[])[UpdateClip.Rms(1), UpdateClip.StableAdamW(), UpdateClip.Clippy()])
        {
            Tensor w = Tensor.Of([1f, 2f]).WithGradient("w");
            Adam optimizer = new([w], 0.1) { UpdateClip = clip, NonFinite = NonFinitePolicy.SkipStep };
            w.Gradient = Tensor.Of([1f, float.NaN]);
            StepReport skipped = optimizer.Step();
            Assert.True(skipped.WasSkipped);
            Assert.Equal([("w", 1.0)], skipped.UpdateCoefficients);
            Assert.Equal([1f, 2f], w.ToArray());

            optimizer.NonFinite = NonFinitePolicy.Propagate;
            Assert.True(double.IsNaN(optimizer.Step().UpdateCoefficient), clip.ToString());
            Assert.All(w.ToArray(), value => Assert.True(float.IsNaN(value)));
        }
    }

    [Fact]
    public void Without_an_update_there_is_nothing_to_clip()
    {
        foreach (UpdateClip clip in (UpdateClip[])[UpdateClip.Rms(1e-3), UpdateClip.Clippy()])
        {
            Tensor still = Tensor.Of([1f, 2f]).WithGradient("still");
            Tensor idle = Tensor.Of([3f]).WithGradient("idle");
            Adam optimizer = new([still, idle], 0) { UpdateClip = clip };
            (still.Gradient, idle.Gradient) = (Tensor.Of([5f, 5f]), Tensor.Of([0f]));
            Assert.Equal(1, optimizer.Step().UpdateCoefficient);
            Assert.Equal([1f, 2f], still.ToArray());

            // What is remembered went on.
            Assert.Equal([0.5f, 0.5f], optimizer.State().Parameters[0].Slots[0], (a, b) => MathF.Abs(a - b) < 1e-6f);
        }
    }

    /// <summary>Keras's velocity has the rates of the past in it, so weights move under a rate of 0 too.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(double.Epsilon)]
    public void At_a_learning_rate_of_0_the_velocity_of_Keras_goes_on_whole(double rate)
    {
        foreach (Threshold threshold in (Threshold[])[1e-3, Threshold.Percentile(90), Threshold.ZScore(warmup: 1), Threshold.MovingAverage(warmup: 1)])
        {
            Tensor clipped = Tensor.Of([1f, 2f]).WithGradient("w");
            Tensor plain = Tensor.Of([1f, 2f]).WithGradient("w");
            Optimizer optimizer = LikeKeras.Sgd([clipped], 0.1, momentum: 0.9);
            Optimizer other = LikeKeras.Sgd([plain], 0.1, momentum: 0.9);
            for (int step = 0; step < 4; step++)
            {
                (optimizer.UpdateClip, optimizer.LearningRate, other.LearningRate) = (step == 2 ? UpdateClip.Rms(threshold) : optimizer.UpdateClip, step < 2 ? 0.1 : rate, step < 2 ? 0.1 : rate);
                (clipped.Gradient, plain.Gradient) = (Tensor.Of([1f, -2f]), Tensor.Of([1f, -2f]));
                other.Step();
                StepReport report = optimizer.Step();
                Assert.Equal(1, report.UpdateCoefficient);
                Assert.Equal(plain.ToArray(), clipped.ToArray());
            }

            Assert.NotEqual(1f, clipped.ToArray()[0]);
            Assert.All(optimizer.State().Stages, stage => Assert.All(stage.Memories, memory => Assert.All(memory, number => Assert.Equal(0, number))));
        }
    }

    [Fact]
    public void A_schedule_may_end_at_0_under_a_rule_that_has_seen_updates()
    {
        Tensor w = Tensor.Of([1f, 2f]).WithGradient("w");
        Optimizer optimizer = LikeKeras.RmsProp([w], 0.1, momentum: 0.9);
        optimizer.UpdateClip = UpdateClip.Rms(Threshold.ZScore(warmup: 1));
        Schedule rate = Schedule.Cosine(0.1, 2);
        for (int step = 0; step <= 2; step++)
        {
            optimizer.LearningRate = rate.At(step);
            w.Gradient = Tensor.Of([1f, -2f]);
            optimizer.Step();
        }

        Assert.Equal(0, optimizer.LearningRate);
        Assert.All(w.ToArray(), value => Assert.True(float.IsFinite(value)));
    }
}
