using Minigrad.Backends;
using Minigrad.Layers;
using Minigrad.Optimizers;

namespace Minigrad.Tests.Training;

/// <summary>A gradient's buffer goes back to the pool when its parameter lets go of it, unless someone may still read it.</summary>
public sealed class GradientBufferTests
{
    private const int Length = 1000;

    private static readonly float[] Ones = [.. Enumerable.Repeat(1f, Length)];

    [Fact]
    public void A_gradient_that_no_one_has_seen_goes_back_at_once()
    {
        Tensor parameter = Differentiated();
        Storage gradient = parameter.GatheredGradient!.Storage;
        parameter.Gradient = null;
        AssertIsReturned(gradient);
        Assert.Null(parameter.Gradient);
    }

    [Fact]
    public void A_step_that_clips_does_not_look_for_others()
    {
        Tensor parameter = Differentiated();
        Sgd optimizer = new([parameter], 1) { Clip = [Clip.GlobalNorm(1)] };
        Storage gradient = parameter.GatheredGradient!.Storage;
        StepReport report = optimizer.Step();
        optimizer.ZeroGradients();
        AssertIsReturned(gradient);
        Assert.Equal(Math.Sqrt(Length), report.Norm, 1e-4);
        Assert.Equal(1, report.ClippedNorm, 1e-6);
    }

    [Fact]
    public void Clipping_by_hand_does_not_look_for_others()
    {
        Tensor parameter = Differentiated();
        Clip.GlobalNorm(1).Apply([parameter]);
        Storage gradient = parameter.GatheredGradient!.Storage;
        parameter.Gradient = null;
        AssertIsReturned(gradient);
    }

    [Fact]
    public void A_sum_over_two_passes_goes_back_as_well()
    {
        Tensor parameter = Differentiated();
        parameter.Sum().Backward();
        Storage gradient = parameter.GatheredGradient!.Storage;
        parameter.Gradient = null;
        AssertIsReturned(gradient);
    }

    [Fact]
    public void A_gradient_that_was_read_keeps_its_numbers()
    {
        Tensor parameter = Differentiated();
        Tensor seen = parameter.Gradient!;
        parameter.Gradient = null;
        parameter.Sum().Backward();
        parameter.Sum().Backward();
        Assert.Equal(Ones, seen.ToArray());
        Assert.NotSame(seen, parameter.Gradient);
    }

    [Fact]
    public void A_sum_that_was_read_between_two_passes_keeps_its_numbers()
    {
        Tensor parameter = Differentiated();
        Tensor seen = parameter.Gradient!;
        parameter.Sum().Backward();
        parameter.Gradient = null;
        Assert.Equal(Ones.Select(x => 2 * x), seen.ToArray());
    }

    [Fact]
    public void After_one_that_was_read_the_next_goes_back()
    {
        Tensor parameter = Differentiated();
        _ = parameter.Gradient;
        parameter.Gradient = null;
        parameter.Sum().Backward();
        Storage gradient = parameter.GatheredGradient!.Storage;
        parameter.Gradient = null;
        AssertIsReturned(gradient);
    }

    [Fact]
    public void A_gradient_set_by_hand_keeps_its_numbers()
    {
        Tensor parameter = Differentiated();
        Tensor own = Tensor.Ones(Length);
        parameter.Gradient = own;
        parameter.Gradient = null;
        Assert.Equal(Ones, own.ToArray());
    }

    [Fact]
    public void A_gradient_given_to_a_second_tensor_keeps_its_numbers()
    {
        Tensor first = Differentiated();
        Tensor second = Tensor.Ones(Length).WithGradient();
        second.Gradient = first.Gradient;
        first.Gradient = null;
        Assert.Equal(Ones, second.Gradient!.ToArray());
    }

    [Fact]
    public void A_gradient_given_to_a_second_tensor_gathers_for_each_its_own()
    {
        Tensor first = Differentiated();
        Tensor second = Tensor.Ones(Length).WithGradient();
        second.Gradient = first.Gradient;
        ((10f * first).Sum() + (100f * second).Sum()).Backward();
        Assert.Equal(Ones.Select(x => 11 * x), first.Gradient!.ToArray());
        Assert.Equal(Ones.Select(x => 101 * x), second.Gradient!.ToArray());
    }

    [Fact]
    public void A_gradient_that_a_users_own_backward_gave_keeps_its_numbers()
    {
        Tensor parameter = Tensor.Ones(Length).WithGradient();
        Tensor held = Tensor.Ones(Length);
        Tensor.Custom("held", [parameter], () => parameter.Detach(), _ => [held]).Sum().Backward();
        parameter.Gradient = null;
        Assert.Equal(Ones, held.ToArray());
    }

    [Fact]
    public void A_gradient_that_can_be_differentiated_keeps_its_numbers()
    {
        Tensor parameter = Tensor.Ones(Length).WithGradient();
        (parameter * parameter).Sum().Backward(createGraph: true);
        Storage gradient = parameter.GatheredGradient!.Storage;
        parameter.Gradient = null;
        float[] numbers = new float[Length];
        gradient.Backend.Download(gradient, numbers);
        Assert.Equal(Ones.Select(x => 2 * x), numbers);
    }

    [Fact]
    public void A_report_measures_a_bounded_norm_when_its_gradients_are_gone()
    {
        Tensor parameter = Differentiated();
        Sgd optimizer = new([parameter], 1) { Clip = [Clip.Value(0.5)] };
        StepReport report = optimizer.Step();
        optimizer.ZeroGradients();
        Assert.Equal(0.5 * Math.Sqrt(Length), report.ClippedNorm, 1e-4);
    }

    [Fact]
    public void Training_gives_the_same_bits_whether_gradients_are_looked_at_or_not()
    {
        Assert.Equal(Train(isWatched: false), Train(isWatched: true));
    }

    private static float[] Train(bool isWatched)
    {
        Generator generator = new(3);
        Sequential model = new(new Linear(40, 30, generator: generator), new Relu(), new Linear(30, 5, generator: generator));
        Adam optimizer = new(model.Parameters) { Clip = [Clip.GlobalNorm(0.1)] };
        Tensor input = Tensor.Normal([16, 40], generator: generator);
        List<Tensor> seen = [];
        for (int step = 0; step < 20; step++)
        {
            optimizer.ZeroGradients();
            model.Forward(input).Square().Mean().Backward();
            optimizer.Step();
            if (isWatched)
            {
                seen.AddRange(model.Parameters.Select(parameter => parameter.Gradient!));
            }
        }

        return [.. model.Parameters.SelectMany(parameter => parameter.ToArray())];
    }

    private static Tensor Differentiated()
    {
        Tensor parameter = Tensor.Ones(Length).WithGradient();
        parameter.Sum().Backward();
        return parameter;
    }

    private static void AssertIsReturned(Storage gradient) =>
        Assert.Throws<ObjectDisposedException>(() => gradient.Backend.Download(gradient, new float[Length]));
}
