using Minigrad.Backends;
using Minigrad.Backends.Cpu;
using Minigrad.Layers;
using Minigrad.Losses;
using Minigrad.Numerics;
using Minigrad.Operations;
using Minigrad.Optimizers;
using Minigrad.Optimizers.Monitoring;

namespace Minigrad.Tests.Optimizers;

/// <summary>The step as a whole: groups, accumulation, reports, and what it refuses. (Updates themselves are held against PyTorch.)</summary>
public sealed class OptimizerTests
{
    internal static readonly string[] KindNames =
        ["sgd", "momentum", "nesterov", "adam", "amsgrad", "adamw", "rmsprop", "rmsprop-centered", "adagrad", "adadelta", "adamax", "nadam", "radam", "spam"];

    public static TheoryData<string> Kinds =>
        [.. KindNames, "keras-sgd", "keras-nesterov", "keras-adam", "keras-amsgrad", "keras-rmsprop", "keras-rmsprop-centered", "keras-adagrad", "keras-adadelta", "keras-adamax", "keras-nadam"];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Every_parameter_moves_towards_the_minimum_of_a_parabola(string kind)
    {
        Tensor weight = Tensor.Full([3, 2], 2f).WithGradient("weight");
        Tensor bias = Tensor.Full([2], -2f).WithGradient("bias");
        Optimizer optimizer = Make(kind, [weight, bias]);
        double start = Parabola(weight, bias).Item();
        for (int step = 0; step < 300; step++)
        {
            optimizer.ZeroGradients();
            Parabola(weight, bias).Backward();
            optimizer.Step();
        }

        Assert.True(Parabola(weight, bias).Item() < 0.2 * start, $"{kind}: {Parabola(weight, bias).Item()} from {start}");
        Assert.All(weight.ToArray(), value => Assert.True(value < 2f));
        Assert.All(bias.ToArray(), value => Assert.True(value > -2f));
    }

    [Trait(SuiteBackend.Trait, SuiteBackend.CpuOnly)]
    [Theory]
    [MemberData(nameof(Kinds))]
    public void The_same_seed_gives_the_same_bits_for_any_number_of_threads(string kind)
    {
        int before = CpuBackend.Instance.ThreadCount;
        try
        {
            List<uint[]> results = [];
            foreach (int threads in new[] { 1, 1, 2, 4 })
            {
                CpuBackend.Instance.ThreadCount = threads;
                (Sequential model, _) = Train(kind, 4, hidden: 300);
                results.Add(Bits(model));
            }

            Assert.All(results, result => Assert.Equal(results[0], result));
        }
        finally
        {
            CpuBackend.Instance.ThreadCount = before;
        }
    }

    [Fact]
    public void Two_threads_can_each_train_a_model_of_their_own()
    {
        uint[] alone = Bits(Train("adam", 6, hidden: 64).Model);
        uint[][] together = new uint[4][];
        Parallel.For(0, together.Length, run => together[run] = Bits(Train("adam", 6, hidden: 64).Model));
        Assert.All(together, result => Assert.Equal(alone, result));
    }

    [Fact]
    public void Accumulated_passes_with_their_count_equal_one_pass_over_the_mean()
    {
        Tensor once = Tensor.Of([1f, -2f]).WithGradient("w");
        Tensor twice = Tensor.Of([1f, -2f]).WithGradient("w");
        (0.5f * (once.Square().Sum() + (3f * once).Sum())).Backward();
        new Sgd([once], 0.1).Step();
        twice.Square().Sum().Backward();
        (3f * twice).Sum().Backward();
        StepReport report = new Sgd([twice], 0.1) { AccumulationCount = 2, Clip = [Clip.GlobalNorm(100)] }.Step();
        Assert.Equal(once.ToArray(), twice.ToArray());
        Assert.Equal(Math.Sqrt((2.5 * 2.5) + (0.5 * 0.5)), report.Norm, 1e-6);
        Assert.False(report.WasClipped);
    }

    [Fact]
    public void Groups_have_their_own_rate_decay_and_clip()
    {
        Tensor weight = Tensor.Of([3f, 4f]).WithGradient("weight");
        Tensor bias = Tensor.Of([3f, 4f]).WithGradient("bias");
        weight.Gradient = Tensor.Of([3f, 4f]);
        bias.Gradient = Tensor.Of([30f, 40f]);
        Sgd optimizer = new(
            [new ParameterGroup([weight], "weights") { WeightDecay = 1, Clip = [Clip.GlobalNorm(1)] }, new ParameterGroup([bias]) { LearningRate = 0.1 }],
            learningRate: 1)
        {
            Clip = [Clip.GlobalNorm(5)],
        };
        StepReport report = optimizer.Step();
        AssertClose([3f - 0.6f - 3f, 4f - 0.8f - 4f], weight.ToArray());
        AssertClose([3f - 0.3f, 4f - 0.4f], bias.ToArray());
        Assert.Equal(Math.Sqrt(25 + 2500), report.Norm, 1e-6);
        Assert.Equal(Math.Sqrt(1 + 25), report.ClippedNorm, 1e-6);
        Assert.True(report.WasClipped);
    }

    [Fact]
    public void L2_decay_and_decoupled_decay_differ()
    {
        Tensor l2 = Tensor.Of([2f]).WithGradient("w");
        Tensor decoupled = Tensor.Of([2f]).WithGradient("w");
        l2.Gradient = Tensor.Of([1f]);
        decoupled.Gradient = Tensor.Of([1f]);
        new Adam([l2], 0.1, weightDecay: 0.5).Step();
        new AdamW([decoupled], 0.1, weightDecay: 0.5).Step();
        Assert.Equal(1.9f, l2.Item(), 1e-5f);
        Assert.Equal((2f * 0.95f) - 0.1f, decoupled.Item(), 1e-5f);
    }

    [Fact]
    public void The_report_says_what_each_parameter_had_and_what_had_none()
    {
        Tensor a = Tensor.Of([1f]).WithGradient("a");
        Tensor b = Tensor.Of([1f]).WithGradient("b");
        Tensor unnamed = Tensor.Of([1f]).WithGradient();
        (3f * a + 4f * unnamed).Sum().Backward();
        StepReport report = new Sgd([a, b, unnamed], 0.1) { Clip = [Clip.Value(3.5)] }.Step();
        Assert.Equal(["b"], report.WithoutGradient);
        Assert.Equal([("a", 3.0), ("parameter 2", 4.0)], report.ParameterNorms);
        Assert.Equal(5, report.Norm, 1e-9);
        Assert.Equal(Math.Sqrt(9 + (3.5 * 3.5)), report.ClippedNorm, 1e-6);
        Assert.True(report.WasClipped);
        Assert.Equal(1f, b.Item());
        Assert.Equal(1f - 0.35f, unnamed.Item(), 1e-6f);
    }

    [Fact]
    public void A_parameter_without_a_name_is_called_by_its_place_among_all()
    {
        Tensor[] parameters = [.. Enumerable.Range(0, 3).Select(_ => Tensor.Of([1f]).WithGradient())];
        (parameters[1].Gradient, parameters[2].Gradient) = (Tensor.Of([float.NaN]), Tensor.Of([1f]));
        Sgd optimizer = new(parameters, 0.1) { UpdateClip = UpdateClip.Rms(), CheckInterval = 1 };
        Teaches<NonFiniteGradientException>(() => optimizer.Step(), "'parameter 1' has NaN");
        Teaches<NonFiniteGradientException>(() => Clip.GlobalNorm(1).Apply(parameters), "'parameter 1' has NaN");

        parameters[1].Gradient = Tensor.Of([3f]);
        StepReport report = optimizer.Step();
        Assert.Equal(["parameter 0"], report.WithoutGradient);
        Assert.Equal([("parameter 1", 3.0), ("parameter 2", 1.0)], report.ParameterNorms);
        Assert.Equal(["parameter 1", "parameter 2"], report.UpdateCoefficients.Select(entry => entry.Name));
        StepHistory history = new();
        history.Add(report);
        Assert.Equal(["parameter 1", "parameter 2"], history.ParameterNames);
    }

    [Fact]
    public void A_parameter_whose_first_gradient_comes_late_has_its_own_step_count()
    {
        Tensor early = Tensor.Of([1f]).WithGradient("early");
        Tensor late = Tensor.Of([1f]).WithGradient("late");
        Adam optimizer = new([early, late], 0.1);
        for (int step = 0; step < 3; step++)
        {
            early.Gradient = Tensor.Of([1f]);
            optimizer.Step();
        }

        late.Gradient = Tensor.Of([1f]);
        optimizer.Step();
        Assert.Equal(0.9f, late.Item(), 1e-5f);
        Assert.Equal([4, 1], optimizer.State().Parameters.Select(p => p.Step));
    }

    [Fact]
    public void A_rule_of_your_own_is_a_struct_and_a_class_of_three_lines()
    {
        Tensor w = Tensor.Of([1f, -1f]).WithGradient("w");
        w.Gradient = Tensor.Of([0.3f, -5f]);
        new SignDescent([w], 0.1).Step();
        AssertClose([0.9f, -0.9f], w.ToArray());
    }

    /// <summary>On a device a step is counted where it is decided, before it is asked for.</summary>
    [Fact]
    [Trait(SuiteBackend.Trait, SuiteBackend.CpuOnly)]
    public void A_rule_of_your_own_that_throws_makes_no_step()
    {
        (Refusing optimizer, Tensor[] parameters) = Make();
        (Refusing undisturbed, Tensor[] others) = Make();
        optimizer.Step();
        undisturbed.Step();
        OptimizerState before = optimizer.State();
        float[] values = [.. parameters.Select(parameter => parameter.Item())];
        optimizer.Refuses = true;
        Teaches<InvalidOperationException>(() => optimizer.Step(), "one parameter at a time");
        OptimizerState after = optimizer.State();
        Assert.Equal((1, 1), (optimizer.StepCount, after.Step));
        Assert.Equal(before.Stages[0].Memories, after.Stages[0].Memories);

        // The first group was updated before the second one's update threw, and is counted so.
        Assert.Equal([2, 1, 1], after.Parameters.Select(parameter => parameter.Step));
        Assert.Equal([values[0] - 0.5f, values[1], values[2]], parameters.Select(parameter => parameter.Item()));

        optimizer.Refuses = false;
        Assert.Equal(undisturbed.Step().Stages, optimizer.Step().Stages);
        Assert.Equal(undisturbed.State().Stages[0].Memories, optimizer.State().Stages[0].Memories);
        Assert.Equal([0.5f, 0, 0], others.Zip(parameters, (other, parameter) => other.Item() - parameter.Item()));

        static (Refusing Optimizer, Tensor[] Parameters) Make()
        {
            Tensor[] parameters = [.. Enumerable.Range(0, 3).Select(i => Tensor.Of([1f]).WithGradient($"p{i}"))];
            foreach (Tensor parameter in parameters)
            {
                parameter.Gradient = Tensor.Of([2f]);
            }

            Refusing optimizer = new([new ParameterGroup(parameters[..1]), new ParameterGroup(parameters[1..])])
            {
                Clip = [Clip.GlobalNorm(Threshold.Percentile(50, window: 4))],
            };
            return (optimizer, parameters);
        }
    }

    /// <summary>One that is left out, or given in place of another, would silently stay as it is, or be moved twice.</summary>
    [Fact]
    public void A_rule_of_your_own_is_applied_to_all_parameters_or_refused()
    {
        Tensor[] parameters = [.. Enumerable.Range(0, 3).Select(i => Tensor.Of([1f]).WithGradient($"p{i}"))];
        foreach (Tensor parameter in parameters)
        {
            parameter.Gradient = Tensor.Of([2f]);
        }

        UpdateTarget[] Some(UpdateTarget[] targets) => targets[1..];
        UpdateTarget[] Twice(UpdateTarget[] targets) => [targets[0], targets[0], targets[2]];
        UpdateTarget[] Copied(UpdateTarget[] targets) => targets;
        foreach (Func<UpdateTarget[], UpdateTarget[]> pick in (Func<UpdateTarget[], UpdateTarget[]>[])[Some, Twice])
        {
            Teaches<ArgumentException>(() => new Picking(parameters, pick).Step(), "are not the 3 that Update was called with", "pass the targets on as they are");
            Teaches<ArgumentException>(() => new Picking(parameters, pick) { UpdateClip = UpdateClip.Rms(1) }.Step(), "are not the 3 that");
        }

        Assert.All(parameters, parameter => Assert.Equal(1f, parameter.Item()));
        new Picking(parameters, Copied).Step();
        Assert.All(parameters, parameter => Assert.Equal(0.5f, parameter.Item()));
    }

    [Theory]
    [InlineData("nadam")]
    [InlineData("keras-nadam")]
    public void NAdam_keeps_as_many_products_as_it_needs_and_makes_the_same_steps(string kind)
    {
        Tensor[] Three() => [.. Enumerable.Range(0, 3).Select(i => Tensor.Of([1f + i]).WithGradient($"p{i}"))];
        Tensor[] together = Three();
        Tensor[] alone = Three();
        Optimizer all = Make(kind, together);
        Optimizer[] each = [.. alone.Select(parameter => Make(kind, [parameter]))];
        for (int step = 0; step < 300; step++)
        {
            for (int i = 0; i < 3; i++)
            {
                bool hasGradient = i == 0 || step % (i == 1 ? 3 : 70) == 0;
                together[i].Gradient = hasGradient ? Tensor.Of([1f + (step % 5)]) : null;
                alone[i].Gradient = hasGradient ? Tensor.Of([1f + (step % 5)]) : null;
                if (hasGradient)
                {
                    each[i].Step();
                }
            }

            all.Step();
            Assert.InRange(((NAdam)all).KnownProducts, 1, 10);
        }

        Assert.Equal(alone.Select(parameter => parameter.Item()), together.Select(parameter => parameter.Item()));
        Optimizer restored = Make(kind, together);
        restored.Restore(all.State());
        OptimizerState before = all.State();
        float[] values = [.. together.Select(parameter => parameter.Item())];
        foreach (Tensor parameter in together)
        {
            parameter.Gradient = Tensor.Of([0.5f]);
        }

        all.Step();
        float[] went = [.. together.Select(parameter => parameter.Item())];
        using (new NoGrad())
        {
            for (int i = 0; i < 3; i++)
            {
                together[i].Assign([values[i]]);
            }
        }

        restored.Step();
        Assert.Equal(went, together.Select(parameter => parameter.Item()));
        Assert.Equal(301, all.StepCount);
        Assert.Equal([300, 100, 5], before.Parameters.Select(parameter => parameter.Step));
    }

    [Fact]
    public void Updates_change_the_version_so_that_an_old_graph_is_refused()
    {
        Tensor w = Tensor.Of([1f]).WithGradient("w");
        Tensor loss = w.Square().Sum();
        w.Gradient = Tensor.Of([1f]);
        new Sgd([w], 0.1).Step();
        Assert.Contains("optimizer.Step()", Assert.Throws<GradientException>(() => loss.Backward()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_report_stays_what_it_was_after_later_steps()
    {
        Tensor a = Tensor.Of([1f]).WithGradient("a");
        Tensor b = Tensor.Of([1f]).WithGradient("b");
        Sgd optimizer = new([a, b], 0.1) { Clip = [Clip.GlobalNorm(1)] };
        a.Gradient = Tensor.Of([3f]);
        StepReport first = optimizer.Step();
        optimizer.ZeroGradients();
        b.Gradient = Tensor.Of([0.5f]);
        StepReport second = optimizer.Step();
        a.Gradient = Tensor.Of([0.25f]);
        optimizer.Step();
        Assert.Equal([("a", 3.0)], first.ParameterNorms);
        Assert.Equal(["b"], first.WithoutGradient);
        Assert.Equal((1, 3.0, 1.0, 1.0 / 3), (first.Step, first.Norm, first.ClippedNorm, first.Coefficient));
        Assert.True(first.WasClipped);
        Assert.Equal([("b", 0.5)], second.ParameterNorms);
        Assert.Equal((2, 0.5, 0.5, 1.0), (second.Step, second.Norm, second.ClippedNorm, second.Coefficient));
        Assert.False(second.WasClipped);
    }

    [Trait(SuiteBackend.Trait, SuiteBackend.CpuOnly)]
    [Fact]
    public void A_step_allocates_its_report_and_little_else()
    {
        Tensor[] parameters = [.. Enumerable.Range(0, 100).Select(_ => Tensor.Normal([50]).WithGradient())];
        foreach (Tensor parameter in parameters)
        {
            parameter.Gradient = Tensor.Normal([50]);
        }

        Adam optimizer = new(parameters) { Clip = [Clip.GlobalNorm(1)] };
        optimizer.Step();
        optimizer.Step();
        const int Steps = 20;
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < Steps; i++)
        {
            optimizer.Step();
        }

        // The norms of the report, and the report itself.
        long bytes = (GC.GetAllocatedBytesForCurrentThread() - before) / Steps;
        Assert.InRange(bytes, 0, (parameters.Length * sizeof(double)) + 512);
    }

    [Fact]
    public void ClippedNorm_after_the_gradients_changed_is_an_error_not_a_wrong_number()
    {
        Tensor w = Tensor.Of([1f]).WithGradient("w");
        (3f * w).Sum().Backward();
        StepReport report = new Sgd([w], 0.1) { Clip = [Clip.Value(1)] }.Step();
        (3f * w).Sum().Backward();
        Assert.Contains("right after Step()", Assert.Throws<InvalidOperationException>(() => report.ClippedNorm).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Wrong_use_is_named()
    {
        Tensor w = Tensor.Of([1f]).WithGradient("layer.weight");
        Teaches<InvalidOperationException>(() => new Sgd([w], 0.1).Step(), "no gradient in any of its 1 parameters", "loss.Backward()");
        Teaches<ArgumentException>(() => _ = new Sgd(Array.Empty<Tensor>(), 0.1), "no parameters", "model.Parameters");
        Teaches<ArgumentException>(() => _ = new Sgd([w, w], 0.1), "'layer.weight'", "twice");
        Teaches<ArgumentException>(() => _ = new Sgd([Tensor.Ones(2)], 0.1), "asks for no gradient", "WithGradient()");
        Teaches<ArgumentOutOfRangeException>(() => _ = new Sgd([w], -0.1), "LearningRate", "Maximize");
        Assert.DoesNotContain("Maximize", Assert.Throws<ArgumentOutOfRangeException>(() => new Adam([w], epsilon: -1)).Message, StringComparison.Ordinal);
        Teaches<ArgumentException>(() => _ = new Sgd([w, null!], 0.1), "parameter 1 is null", "model.Parameters");
        Teaches<ArgumentException>(() => _ = new ParameterGroup([null!], "head"), "'head'", "parameter 0 is null");
        Teaches<ArgumentException>(() => _ = new Sgd([new ParameterGroup([w]), null!], 0.1), "Sgd: group 1 is null");
        Teaches<ArgumentException>(() => Clip.GlobalNorm(1).Apply([w, null!]), "Clip.GlobalNorm(1).Apply", "parameter 1 is null");
        Teaches<ArgumentException>(() => _ = new Sgd([w, w * 2f], 0.1), "'parameter 1' of shape [1] is the result of", "computed from", "Detach().WithGradient()");
        Teaches<ArgumentOutOfRangeException>(() => _ = new Adam([w], beta1: 1), "beta1", "less than 1");
        Teaches<ArgumentException>(() => _ = new Sgd([w], 0.1, nesterov: true), "Nesterov", "momentum");
        Teaches<ArgumentOutOfRangeException>(() => new Sgd([w], 0.1).AccumulationCount = 0, "AccumulationCount");
        w.Gradient = Tensor.Ones(3);
        Teaches<InvalidOperationException>(() => new Sgd([w], 0.1).Step(), "'layer.weight' has shape [1]", "[3]");
        Teaches<ArgumentException>(() => new Sgd([w], 0.1).Restore(new Adam([w]).State()), "from Adam", "this is Sgd");
        Tensor other = Tensor.Ones(4).WithGradient("other");
        w.Gradient = Tensor.Ones(1);
        Adam adam = new([w]);
        adam.Step();
        Teaches<ArgumentException>(() => new Adam([other]).Restore(adam.State()), "'layer.weight'", "'other' of shape [4]");
    }

    internal static Optimizer Make(string kind, params IReadOnlyList<Tensor>[] groups)
    {
        ParameterGroup[] all = [.. groups.Select(parameters => new ParameterGroup(parameters))];
        return kind switch
        {
            "sgd" => new Sgd(all, 0.05),
            "momentum" => new Sgd(all, 0.02, momentum: 0.9, dampening: 0.1),
            "nesterov" => new Sgd(all, 0.02, momentum: 0.9, nesterov: true),
            "adam" => new Adam(all, 0.02),
            "amsgrad" => new Adam(all, 0.02, amsGrad: true),
            "adamw" => new AdamW(all, 0.02),
            "rmsprop" => new RmsProp(all, 0.02),
            "rmsprop-centered" => new RmsProp(all, 0.01, momentum: 0.5, centered: true),
            "adagrad" => new Adagrad(all, 0.3),
            "adadelta" => new Adadelta(all, 5),
            "adamax" => new Adamax(all, 0.05),
            "nadam" => new NAdam(all, 0.02),
            "radam" => new RAdam(all, 0.05),
            "spam" => new Spam(all, 0.02, threshold: 50, resetInterval: 60, warmUp: 20, delay: 3),
            "keras-sgd" => LikeKeras.Sgd(groups[0], 0.02, momentum: 0.9),
            "keras-nesterov" => LikeKeras.Sgd(groups[0], 0.02, momentum: 0.9, nesterov: true),
            "keras-adam" => LikeKeras.Adam(groups[0], 0.02),
            "keras-amsgrad" => LikeKeras.Adam(groups[0], 0.02, amsGrad: true, weightDecay: 0.01),
            "keras-rmsprop" => LikeKeras.RmsProp(groups[0], 0.02),
            "keras-rmsprop-centered" => LikeKeras.RmsProp(groups[0], 0.01, momentum: 0.5, centered: true),
            "keras-adagrad" => LikeKeras.Adagrad(groups[0], 0.3),
            "keras-adadelta" => LikeKeras.Adadelta(groups[0], 5),
            "keras-adamax" => LikeKeras.Adamax(groups[0], 0.05),
            "keras-nadam" => LikeKeras.Nadam(groups[0], 0.02),
            _ => throw new ArgumentException(kind),
        };
    }

    private static Tensor Parabola(Tensor weight, Tensor bias) => ((weight - 0.5f).Square().Sum() + (bias - 0.25f).Square().Sum()) * 0.5f;

    internal static (Sequential Model, Optimizer Optimizer) Train(string kind, int steps, int hidden = 20)
    {
        Generator generator = new(11);
        Sequential model = new(
            new Linear(12, hidden, generator: generator), new Tanh(), new Dropout(0.2f, generator.For("dropout")), new Linear(hidden, 5, generator: generator));
        Optimizer optimizer = Make(kind, model.Parameters);
        optimizer.Clip = [Clip.GlobalNorm(0.5)];
        Steps(model, optimizer, steps, from: 0);
        return (model, optimizer);
    }

    internal static void Steps(Sequential model, Optimizer optimizer, int steps, int from)
    {
        model.Evaluate(); // Without dropout, whose generator's place is not part of these states.
        for (int step = from; step < from + steps; step++)
        {
            Tensor x = Tensor.Normal([128, 12], generator: new Generator(100 + (ulong)step));
            Indices labels = Enumerable.Range(0, 128).Select(row => (row + step) % 5).ToArray();
            optimizer.ZeroGradients();
            Loss.CrossEntropy(model.Forward(x), labels).Backward();
            optimizer.Step();
        }
    }

    internal static uint[] Bits(Module module) =>
        [.. module.Parameters.SelectMany(parameter => parameter.ToArray()).Select(BitConverter.SingleToUInt32Bits)];

    private static void AssertClose(float[] expected, float[] actual) =>
        Assert.All(expected.Zip(actual), pair => Assert.Equal(pair.First, pair.Second, 1e-5f));

    private static void Teaches<TException>(Action action, params string[] parts)
        where TException : Exception
    {
        TException error = Assert.ThrowsAny<TException>(action);
        Assert.All(parts, part => Assert.Contains(part, error.Message, StringComparison.Ordinal));
    }

    public readonly struct SignRule(float learningRate) : IUpdateRule
    {
        private readonly float learningRate = learningRate;

        public int StateCount => 0;

        public void Update<T>(ref T parameter, T gradient, ref T first, ref T second, ref T third)
            where T : struct, IReal<T> =>
            parameter -= T.Less(0f, gradient, learningRate, T.Less(gradient, 0f, -learningRate, 0f));
    }

    private sealed class SignDescent(IEnumerable<Tensor> parameters, double learningRate)
        : Optimizer([new ParameterGroup(parameters)], learningRate)
    {
        protected override int StateCount => 0;

        protected override void Update(UpdateStep step, ReadOnlySpan<UpdateTarget> targets) =>
            step.Apply(new SignRule((float)step.LearningRate), targets);
    }

    private sealed class Refusing(IEnumerable<ParameterGroup> groups)
        : Optimizer(groups, 0.5)
    {
        public bool Refuses { get; set; }

        protected override int StateCount => 0;

        protected override void Update(UpdateStep step, ReadOnlySpan<UpdateTarget> targets)
        {
            if (Refuses && targets.Length > 1)
            {
                throw new InvalidOperationException("This rule takes one parameter at a time.");
            }

            step.Apply(new SignRule((float)step.LearningRate), targets);
        }
    }

    private sealed class Picking(IEnumerable<Tensor> parameters, Func<UpdateTarget[], UpdateTarget[]> pick)
        : Optimizer([new ParameterGroup(parameters)], 0.5)
    {
        protected override int StateCount => 0;

        protected override void Update(UpdateStep step, ReadOnlySpan<UpdateTarget> targets) =>
            step.Apply(new SignRule((float)step.LearningRate), pick(targets.ToArray()));
    }
}
