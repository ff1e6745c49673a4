using Minigrad.Optimizers;

namespace Minigrad.Tests.Optimizers;

/// <summary>What optimizers remember where gradients stay 0: it fades, but never into numbers that are slow to calculate with.</summary>
public sealed class RunningTests
{
    private const float Least = 7.8886091e-31f;

    public static TheoryData<string> Fading =>
        ["momentum", "nesterov", "adam", "amsgrad", "adamw", "rmsprop", "rmsprop-centered", "adadelta", "adamax", "nadam", "radam", "spam",
            "keras-sgd", "keras-nesterov", "keras-rmsprop", "keras-rmsprop-centered", "keras-adamax"];

    /// <summary>Rates as low as these let a thousand steps do what takes a hundred thousand at 0.999.</summary>
    [Theory]
    [MemberData(nameof(Fading))]
    public void What_is_remembered_fades_to_0_or_to_a_normal_number(string kind)
    {
        Tensor parameter = Tensor.Normal([37], generator: new Generator(1)).WithGradient();
        Optimizer optimizer = Make(kind, parameter, epsilon: 0);
        parameter.Gradient = Tensor.Normal([37], generator: new Generator(2));
        optimizer.Step();
        optimizer.Step();
        parameter.Gradient = Tensor.Zeros(37);
        for (int step = 0; step < 1000; step++)
        {
            optimizer.Step();
        }

        float[] settled = parameter.ToArray();
        Assert.All(settled, value => Assert.True(float.IsFinite(value)));
        IReadOnlyList<float[]> slots = optimizer.State().Parameters[0].Slots;
        Assert.NotEmpty(slots);
        Assert.All(slots.SelectMany(slot => slot), value => Assert.True(value == 0 || MathF.Abs(value) >= Least, $"{kind} remembers {value}"));
        optimizer.Step();
        Assert.Equal(settled, parameter.ToArray());
    }

    [Fact]
    public void A_mean_fades_to_0_and_a_mean_square_never()
    {
        Tensor parameter = Tensor.Ones(3).WithGradient();
        Adam optimizer = new([parameter], beta1: 0.5, beta2: 0.6, epsilon: 0);
        parameter.Gradient = Tensor.Full([3], -2f);
        optimizer.Step();
        parameter.Gradient = Tensor.Zeros(3);
        for (int step = 0; step < 1000; step++)
        {
            optimizer.Step();
        }

        IReadOnlyList<float[]> slots = optimizer.State().Parameters[0].Slots;
        Assert.Equal([0f, 0f, 0f], slots[0]);
        Assert.Equal([Least, Least, Least], slots[1]);
    }

    [Fact]
    public void A_mean_that_remembers_nothing_is_the_gradient_however_large_the_last_one_was()
    {
        Tensor parameter = Tensor.Ones(2).WithGradient();
        Adamax optimizer = new([parameter], learningRate: 0.5, beta1: 0, beta2: 0, epsilon: 0);
        parameter.Gradient = Tensor.Of([58397044f, -1e10f]);
        optimizer.Step();
        parameter.Gradient = Tensor.Of([-3f, 1.5f]);
        optimizer.Step();
        Assert.Equal([-3f, 1.5f], optimizer.State().Parameters[0].Slots[0]);
        Assert.Equal([1f, 1f], parameter.ToArray());
    }

    [Fact]
    public void What_has_never_had_a_gradient_remembers_0_and_one_that_is_NaN_is_not_hidden()
    {
        Tensor parameter = Tensor.Ones(4).WithGradient();
        Adam optimizer = new([parameter]) { NonFinite = NonFinitePolicy.Propagate };
        parameter.Gradient = Tensor.Of([0f, 1e-3f, float.NaN, -1e-3f]);
        optimizer.Step();
        IReadOnlyList<float[]> slots = optimizer.State().Parameters[0].Slots;
        Assert.Equal((0f, 0f, 1f), (slots[0][0], slots[1][0], parameter.ToArray()[0]));
        Assert.True(float.IsNaN(slots[0][2]) && float.IsNaN(slots[1][2]) && float.IsNaN(parameter.ToArray()[2]));
        Assert.Equal(-slots[0][1], slots[0][3]);
        Assert.Equal((float)(1 - 0.9) * 1e-3f, slots[0][1]);
    }

    /// <summary>A rule that neither decays weights nor maximises is run by itself, any other with both around it.</summary>
    [Theory]
    [MemberData(nameof(OptimizerTests.Kinds), MemberType = typeof(OptimizerTests))]
    public void To_minimise_and_to_maximise_the_opposite_are_the_same_to_the_bit(string kind)
    {
        Tensor[] parameters = [.. Enumerable.Range(0, 2).Select(_ => Tensor.Normal([37], generator: new Generator(1)).WithGradient())];
        Optimizer down = OptimizerTests.Make(kind, [parameters[0]]);
        Optimizer up = OptimizerTests.Make(kind, [parameters[1]]);
        up.Maximize = true;
        for (ulong step = 0; step < 5; step++)
        {
            Tensor gradient = Tensor.Normal([37], generator: new Generator(3 + step));
            (parameters[0].Gradient, parameters[1].Gradient) = (gradient, -gradient);
            down.Step();
            up.Step();
        }

        Assert.Equal(parameters[0].ToArray(), parameters[1].ToArray());
    }

    private static Optimizer Make(string kind, Tensor parameter, double epsilon)
    {
        Tensor[] all = [parameter];
        return kind switch
        {
            "momentum" => new Sgd(all, 0.02, momentum: 0.6, dampening: 0.1),
            "nesterov" => new Sgd(all, 0.02, momentum: 0.6, nesterov: true),
            "adam" => new Adam(all, 0.02, 0.6, 0.6, epsilon),
            "amsgrad" => new Adam(all, 0.02, 0.6, 0.6, epsilon, amsGrad: true),
            "adamw" => new AdamW(all, 0.02, 0.6, 0.6, epsilon, weightDecay: 0),
            "rmsprop" => new RmsProp(all, 0.02, 0.6, epsilon),
            "rmsprop-centered" => new RmsProp(all, 0.02, 0.6, epsilon, momentum: 0.6, centered: true),
            "adadelta" => new Adadelta(all, 1, 0.6, epsilon),
            "adamax" => new Adamax(all, 0.02, 0.6, 0.6, epsilon),
            "nadam" => new NAdam(all, 0.02, 0.6, 0.6, epsilon),
            "radam" => new RAdam(all, 0.02, 0.6, 0.6, epsilon),
            "spam" => new Spam(all, 0.02, 0.6, 0.6, epsilon, threshold: 50, resetInterval: 5000, warmUp: 20, delay: 3),
            "keras-sgd" => LikeKeras.Sgd(all, 0.02, momentum: 0.6),
            "keras-nesterov" => LikeKeras.Sgd(all, 0.02, momentum: 0.6, nesterov: true),
            "keras-rmsprop" => LikeKeras.RmsProp(all, 0.02, rho: 0.6, momentum: 0.6, epsilon),
            "keras-rmsprop-centered" => LikeKeras.RmsProp(all, 0.02, rho: 0.6, momentum: 0.6, epsilon, centered: true),
            "keras-adamax" => LikeKeras.Adamax(all, 0.02, 0.6, 0.6, epsilon),
            _ => throw new ArgumentException(kind),
        };
    }
}
