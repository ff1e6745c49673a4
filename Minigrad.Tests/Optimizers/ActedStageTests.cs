using Minigrad.Optimizers;
using Minigrad.Optimizers.Clipping;

namespace Minigrad.Tests.Optimizers;

/// <summary>A report says of a value stage exactly whether an element was outside its bound, whoever applies it and when.</summary>
public sealed class ActedStageTests
{
    [Fact]
    public void A_norm_above_the_bound_is_not_an_element_above_it()
    {
        // Of both the norm is above 1; an element is above it of one.
        foreach ((float largest, bool acts) in ((float, bool)[])[(1f, false), (1.0000001f, true), (-1f, false), (-1.0000001f, true)])
        {
            Tensor[] parameters = Parameters([3], [40_000]);
            Set(parameters, [0.9f, -0.9f, 0.9f], [.. new float[39_999], largest]);
            StepReport report = new Adam(parameters) { Clip = [Clip.Value(1)] }.Step();
            Assert.Equal((acts, acts), (report.Stages.Single().Acted, report.WasClipped));
        }
    }

    [Fact]
    public void Each_stage_answers_for_its_own_bound()
    {
        bool[] Acted(float[] gradient, params ClipStage[] stages)
        {
            Tensor[] parameters = Parameters([gradient.Length]);
            Set(parameters, gradient);
            return [.. new Sgd(parameters, 0.1) { Clip = stages }.Step().Stages.Select(stage => stage.Acted)];
        }

        Assert.Equal([false, true], Acted([3f, 0f], Clip.Value(5), Clip.Value(1)));
        Assert.Equal([true, true], Acted([7f, 0f], Clip.Value(5), Clip.Value(1)));
        Assert.Equal([true, false], Acted([7f, 1f], Clip.Value(1), Clip.Value(5)));
        Assert.Equal([false, true, false], Acted([3f, 4f], Clip.Value(4), Clip.GlobalNorm(4), Clip.Value(3.5)));
        Assert.Equal([true, false, true], Acted([3f, -4f], Clip.Value(-3.9, 9), Clip.GlobalNorm(5), Clip.Value(-9, 2.9)));
        Assert.Equal([true, true], Acted([3f, 4f], Clip.GlobalNorm(1), Clip.Value(0.7)));
        Assert.Equal([true, false], Acted([3f, 4f], Clip.GlobalNorm(1), Clip.Value(0.9)));
        Assert.Equal([false], Acted([0f, 0f], Clip.Value(1)));
        Assert.Equal([true, true], Acted([30f, 4f], Clip.UnitNorm(1), Clip.Value(0.5)));
    }

    [Fact]
    public void Groups_and_rules_and_clipped_updates_do_as_well()
    {
        Tensor[] parameters = Parameters([2], [2], [2]);
        AdamW optimizer = new(
            [
                new ParameterGroup([parameters[0]], "a") { Clip = [Clip.Value(1)] },
                new ParameterGroup([parameters[1]], "b") { Clip = [Clip.Value(Threshold.Percentile(0, window: 4))], UpdateClip = UpdateClip.Rms(1e-3) },
                new ParameterGroup([parameters[2]], "c") { UpdateClip = UpdateClip.StableAdamW() },
            ],
            0.1)
        { Clip = [Clip.Value(2)] };
        foreach ((float[] a, float[] b, float[] c, bool[] acted) in ((float[], float[], float[], bool[])[])
            [
                ([1f, 1f], [1f, 1f], [2f, 2f], [false, false, false]),
                ([1f, 2f], [1f, 1f], [2f, 2f], [true, false, false]),
                ([1f, 1f], [1f, 2f], [2f, 2f], [false, true, false]),
                ([0f, 1f], [0.5f, -0.5f], [2f, -3f], [false, false, true]),
            ])
        {
            Set(parameters, a, b, c);
            Assert.Equal(acted, optimizer.Step().Stages.Take(3).Select(stage => stage.Acted));
        }
    }

    [Fact]
    public void In_a_step_that_is_not_made_no_bound_was_applied()
    {
        Tensor[] parameters = Parameters([1], [1]);
        Sgd optimizer = new([new ParameterGroup([parameters[0]]) { Clip = [Clip.Value(1)] }, new ParameterGroup([parameters[1]])], 0.1) { NonFinite = NonFinitePolicy.SkipStep };
        Set(parameters, [5f], [1e25f]);
        StepReport skipped = optimizer.Step();
        Assert.Equal((true, false, false), (skipped.WasSkipped, skipped.Stages.Single().Acted, skipped.WasClipped));
        Set(parameters, [5f], [1f]);
        StepReport made = optimizer.Step();
        Assert.Equal((false, true, true), (made.WasSkipped, made.Stages.Single().Acted, made.WasClipped));
    }

    private static Tensor[] Parameters(params int[][] shapes) => [.. shapes.Select((shape, i) => Tensor.Ones(shape).WithGradient($"p{i}"))];

    private static void Set(Tensor[] parameters, params float[][] gradients)
    {
        for (int i = 0; i < parameters.Length; i++)
        {
            parameters[i].Gradient = Tensor.Of(gradients[i]);
        }
    }
}
