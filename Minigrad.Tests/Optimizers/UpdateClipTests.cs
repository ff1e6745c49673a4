using System.Text.Json;
using CsCheck;
using Minigrad.Backends;
using Minigrad.Backends.Cpu;
using Minigrad.Operations;
using Minigrad.Optimizers;
using Minigrad.Optimizers.Rules;

namespace Minigrad.Tests.Optimizers;

/// <summary>Clips of updates: against loops over doubles, what they promise, what they leave alone, and what they refuse.</summary>
public sealed class UpdateClipTests
{
    /// <summary>
    /// Some roundings of float32 in each of five updates of numbers near 1; rules that divide by the root of a difference, or
    /// whose rate is above 1, multiply that, by less than 16.
    /// </summary>
    private const double Tolerance = 16.0 * 5 / (1 << 23);

    public static TheoryData<string, string> KindsAndClips
    {
        get
        {
            TheoryData<string, string> all = [];
            foreach (string kind in OptimizerTests.KindNames)
            {
                foreach (string clip in PlainOptimizer.Clips.Where(clip => PlainOptimizer.Fits(kind, clip)))
                {
                    all.Add(kind, clip);
                }
            }

            return all;
        }
    }

    /// <summary>Parameters of no, one, few and many elements, in two groups, one without a gradient at the third step, with and without decay, both ways.</summary>
    [Theory]
    [MemberData(nameof(KindsAndClips))]
    public void Every_optimizer_is_clipped_as_plain_loops_over_doubles_are(string kind, string clip)
    {
        foreach ((double decay, bool maximize) in ((double, bool)[])[(0, false), (0.1, true)])
        {
            Tensor[] parameters = Parameters([4, 3], [0, 2], [1], [71]);
            PlainOptimizer expected = new(kind, clip, parameters) { Maximize = maximize };
            Optimizer optimizer = OptimizerTests.Make(kind, [.. parameters[..2]], [.. parameters[2..]]);
            (optimizer.UpdateClip, optimizer.WeightDecay, optimizer.Maximize) = (PlainOptimizer.ClipOf(clip), decay, maximize);
            optimizer.Groups[1].LearningRate = expected.LearningRates[2] = expected.LearningRates[3] = 0.5 * optimizer.LearningRate;
            optimizer.Groups[1].WeightDecay = 2 * decay;
            (expected.Decays[0], expected.Decays[1], expected.Decays[2], expected.Decays[3]) = (decay, decay, 2 * decay, 2 * decay);
            double smallest = 1;
            for (int step = 0; step < 5; step++)
            {
                float[]?[] gradients = Gradients(parameters, step, step == 3 ? 40f : 1f);
                gradients[2] = step == 2 ? null : gradients[2];
                Set(parameters, gradients);
                StepReport report = optimizer.Step();
                expected.Step(gradients);
                AssertClose(expected.Parameters, parameters, $"{kind}, {clip}, decay {decay}, step {step + 1}");
                double[] coefficients = [.. expected.Coefficients.Where((_, i) => gradients[i] is not null)];
                AssertClose(coefficients, [.. report.UpdateCoefficients.Select(part => part.Coefficient)], $"{kind}, {clip}, step {step + 1}");
                smallest = Math.Min(smallest, report.UpdateCoefficient);
            }

            // Adadelta's first steps are too small for these bounds: they leave them alone.
            Assert.Equal(clip != "none" && !(kind == "adadelta" && clip == "rms"), smallest < 0.9);
        }
    }

    [Fact]
    public void Spam_is_clipped_after_a_reset_too()
    {
        foreach (string clip in PlainOptimizer.Clips)
        {
            Tensor[] parameters = Parameters([5], [19]);
            PlainOptimizer expected = new("spam", clip, parameters);
            Optimizer optimizer = OptimizerTests.Make("spam", parameters);
            optimizer.UpdateClip = PlainOptimizer.ClipOf(clip);
            for (int step = 0; step < 90; step++)
            {
                float[]?[] gradients = Gradients(parameters, step, step % 11 == 7 ? 300f : 1f);
                Set(parameters, gradients);
                optimizer.Step();
                expected.Step(gradients);
            }

            AssertClose(expected.Parameters, parameters, clip);
        }
    }

    [Fact]
    public void Many_blocks_and_rows_with_factors_of_their_own_are_measured_whole()
    {
        foreach (string clip in (string[])["rms", "clippy"])
        {
            Tensor[] parameters = Parameters([3, 30_011], [7, 5]);
            PlainOptimizer expected = new("sgd", clip, parameters);
            Optimizer optimizer = OptimizerTests.Make("sgd", parameters);
            optimizer.UpdateClip = PlainOptimizer.ClipOf(clip);
            optimizer.Clip = [Clip.UnitNorm(0.02), Clip.Value(0.5)];
            float[]?[] gradients = Gradients(parameters, 0, 1f);
            Set(parameters, gradients);
            StepReport report = optimizer.Step();

            // The same stages write these gradients to memory.
            Tensor[] same = Parameters([3, 30_011], [7, 5]);
            Set(same, gradients);
            Clip.UnitNorm(0.02).Apply(same);
            Clip.Value(0.5).Apply(same);
            expected.Step([.. same.Select(parameter => parameter.Gradient!.ToArray())]);
            AssertClose(expected.Parameters, parameters, clip);
            AssertClose(expected.Coefficients, [.. report.UpdateCoefficients.Select(part => part.Coefficient)], clip);
        }
    }

    [Theory]
    [MemberData(nameof(KindsAndClips))]
    public void A_clip_that_does_not_act_leaves_every_bit(string kind, string clip)
    {
        UpdateClip? wide = clip switch
        {
            "rms" => UpdateClip.Rms(double.PositiveInfinity),
            "stable" => UpdateClip.StableAdamW(1e6),
            "clippy" => UpdateClip.Clippy(0, 1e9),
            _ => null,
        };
        uint[] Train(UpdateClip? updateClip)
        {
            Tensor[] parameters = Parameters([4, 3], [9]);
            Optimizer optimizer = OptimizerTests.Make(kind, parameters);
            (optimizer.UpdateClip, optimizer.WeightDecay) = (updateClip, 0.1);
            for (int step = 0; step < 4; step++)
            {
                Set(parameters, Gradients(parameters, step, 1f));
                StepReport report = optimizer.Step();
                Assert.Equal(1, report.UpdateCoefficient);
            }

            return Bits(parameters);
        }

        AssertSame(Train(null), Train(wide));
    }

    [Fact]
    public void An_update_of_just_the_threshold_is_left_alone()
    {
        foreach ((double threshold, double coefficient) in ((double, double)[])[(5, 1), (4, 0.8), (10, 1)])
        {
            Tensor w = Tensor.Of([0f, 0f]).WithGradient("w");
            w.Gradient = Tensor.Of([1f, 7f]);
            StepReport report = new Sgd([w], 0.5) { UpdateClip = UpdateClip.Rms(threshold) }.Step();
            Assert.Equal(coefficient, report.UpdateCoefficient, 1e-7);
            Assert.Equal([(float)(-0.5 * coefficient), (float)(-3.5 * coefficient)], w.ToArray());
        }

        Tensor weight = Tensor.Of([10f, -2f, 0f]).WithGradient("w");
        weight.Gradient = Tensor.Of([1f, -2f, 0f]);
        StepReport clippy = new Sgd([weight], 1) { UpdateClip = UpdateClip.Clippy(0.25, 0.5) }.Step();
        Assert.Equal(0.5, clippy.UpdateCoefficient);
        Assert.Equal([9.5f, -1f, 0f], weight.ToArray());
    }

    [Fact]
    public void Each_parameter_has_a_coefficient_of_its_own()
    {
        // In a known implementation the learning rate that one parameter has shortened is shortened again by the next.
        foreach (UpdateClip clip in (UpdateClip[])[UpdateClip.Rms(1), UpdateClip.StableAdamW(), UpdateClip.Clippy()])
        {
            uint[] Train(params string[] names)
            {
                Tensor[] parameters = [.. names.Select(name => Tensor.Normal([6], generator: new Generator(3).For(name)).WithGradient(name))];
                AdamW optimizer = new(parameters, 0.1) { UpdateClip = clip };
                for (int step = 0; step < 4; step++)
                {
                    foreach (Tensor parameter in parameters)
                    {
                        parameter.Gradient = Tensor.Normal([6], 0f, step == 3 ? 30f : 1f, new Generator((ulong)step).For(parameter.Name!));
                    }

                    optimizer.Step();
                }

                return Bits(parameters);
            }

            Assert.Equal([.. Train("a"), .. Train("b"), .. Train("c")], Train("a", "b", "c"));
        }
    }

    [Fact]
    public void StableAdamW_shortens_decoupled_decay_and_the_others_do_not()
    {
        float Kept(UpdateClip clip)
        {
            // The first element does not move but by decay; the others make the clip act.
            Tensor w = Tensor.Of([1f, 1f, 1f]).WithGradient("w");
            AdamW optimizer = new([w], 0.1, weightDecay: 0.5) { UpdateClip = clip };
            w.Gradient = Tensor.Of([0f, 1e-3f, 1e-3f]);
            optimizer.Step();
            float before = w.ToArray()[0];
            w.Gradient = Tensor.Of([0f, 10f, 10f]);
            StepReport report = optimizer.Step();
            Assert.InRange(report.UpdateCoefficient, 0.01, 0.99);
            return (float)(((1 - (w.ToArray()[0] / before)) / 0.05) / (clip.ToString()[0] == 'S' ? report.UpdateCoefficient : 1));
        }

        Assert.Equal(1f, Kept(UpdateClip.Rms(0.1)), 1e-5f);
        Assert.Equal(1f, Kept(UpdateClip.StableAdamW()), 1e-5f);
        Assert.Equal(1f, Kept(UpdateClip.Clippy(0.01, 1e-3)), 1e-5f);
    }

    [Fact]
    public void Whatever_the_gradients_an_update_keeps_within_its_bound()
    {
        Gen.Select(Gen.Int[0, 1_000_000], Gen.Int[1, 40], Gen.OneOfConst("sgd", "adam", "rmsprop"), Gen.OneOfConst("rms", "clippy")).Sample((seed, length, kind, clip) =>
        {
            Random random = new(seed);
            Tensor w = (clip == "rms" ? Tensor.Zeros(length) : Tensor.Normal([length], generator: new Generator((ulong)seed))).WithGradient("w");
            float[] before = w.ToArray();
            w.Gradient = Tensor.Of([.. Enumerable.Range(0, length).Select(_ => Awkward(random))]);
            Optimizer optimizer = OptimizerTests.Make(kind, [w]);
            (optimizer.UpdateClip, optimizer.NonFinite) = (PlainOptimizer.ClipOf(clip), NonFinitePolicy.ZeroBadValues);
            StepReport report = optimizer.Step();
            float[] after = w.ToArray();
            Assert.All(after, value => Assert.True(float.IsFinite(value)));
            Assert.InRange(report.UpdateCoefficient, 0, 1);
            if (clip == "rms")
            {
                // One float32 rounding of the factor and one of each product.
                double rms = Math.Sqrt(after.Average(value => value / optimizer.LearningRate * (value / optimizer.LearningRate)));
                Assert.InRange(rms, 0, 0.3 * (1 + 1e-6));
            }
            else
            {
                // The change itself, and the rounding of the parameter that it is added to.
                Assert.All(before.Zip(after), pair => Assert.InRange(
                    Math.Abs((double)pair.Second - pair.First), 0, ((0.05 * Math.Abs(pair.First)) + 0.001) * (1 + 1e-6) + (1e-7 * Math.Abs(pair.First))));
            }
        });
    }

    [Fact]
    public void State_continues_to_the_same_bits_under_a_clip()
    {
        foreach (string clip in PlainOptimizer.Clips)
        {
            Tensor[] parameters = Parameters([4, 3], [9]);
            Tensor[] resumed = Parameters([4, 3], [9]);
            Optimizer optimizer = OptimizerTests.Make("nadam", parameters);
            Optimizer other = OptimizerTests.Make("nadam", resumed);
            optimizer.UpdateClip = other.UpdateClip = PlainOptimizer.ClipOf(clip);
            void Steps(Optimizer stepped, Tensor[] moved, int from, int to)
            {
                for (int step = from; step < to; step++)
                {
                    Set(moved, Gradients(moved, step, step == 4 ? 30f : 1f));
                    stepped.Step();
                }
            }

            Steps(optimizer, parameters, 0, 3);
            other.Restore(JsonSerializer.Deserialize<OptimizerState>(JsonSerializer.Serialize(optimizer.State()))!);
            for (int i = 0; i < parameters.Length; i++)
            {
                resumed[i].Backend.Upload(parameters[i].ToArray(), resumed[i].Storage);
            }

            Steps(optimizer, parameters, 3, 6);
            Steps(other, resumed, 3, 6);
            Assert.Equal(Bits(parameters), Bits(resumed));
        }
    }

    [Trait(SuiteBackend.Trait, SuiteBackend.CpuOnly)]
    [Theory]
    [MemberData(nameof(KindsAndClips))]
    public void Any_number_of_threads_gives_the_same_bits(string kind, string clip)
    {
        int before = CpuBackend.Instance.ThreadCount;
        try
        {
            uint[] Train(int threads)
            {
                CpuBackend.Instance.ThreadCount = threads;
                Tensor[] parameters = Parameters([70_001], [3], [33_000]);
                Optimizer optimizer = OptimizerTests.Make(kind, parameters);
                optimizer.UpdateClip = PlainOptimizer.ClipOf(clip);
                Set(parameters, Gradients(parameters, 0, 1f));
                optimizer.Step();
                return Bits(parameters);
            }

            Assert.Equal(Train(1), Train(3));
        }
        finally
        {
            CpuBackend.Instance.ThreadCount = before;
        }
    }

    [Fact]
    public void A_report_says_what_became_of_each_update()
    {
        Tensor calm = Tensor.Of([1f]).WithGradient("calm");
        Tensor wild = Tensor.Of([1f]).WithGradient("wild");
        Tensor without = Tensor.Of([1f]).WithGradient("without");
        (calm.Gradient, wild.Gradient) = (Tensor.Of([0.5f]), Tensor.Of([4f]));
        Sgd optimizer = new([calm, wild, without], 0.1) { UpdateClip = UpdateClip.Rms(1) };
        StepReport report = optimizer.Step();
        wild.Gradient = Tensor.Of([0.25f]);
        optimizer.Step();
        Assert.Equal(["calm", "wild"], report.UpdateCoefficients.Select(part => part.Name));
        Assert.Equal(1, report.UpdateCoefficients[0].Coefficient);
        Assert.Equal(0.25, report.UpdateCoefficients[1].Coefficient, 1e-7);
        Assert.Equal(0.25, report.UpdateCoefficient, 1e-7);
        Assert.False(report.WasClipped);
        Assert.Equal("Rms(1)", optimizer.UpdateClip!.ToString());
        optimizer.UpdateClip = null;
        Assert.Equal(1, optimizer.Step().UpdateCoefficient);
    }

    /// <summary>
    /// After the first step Adam's v̂ is g² and RMSProp's v is g² / 10, of which g² / 100 are the mean's square: the updates' sizes
    /// are 1, √10 and 10 / 3.
    /// </summary>
    [Theory]
    [InlineData("keras-adam", 1)]
    [InlineData("keras-amsgrad", 1)]
    [InlineData("keras-rmsprop", 0.316227766)]
    [InlineData("keras-rmsprop-centered", 0.3)]
    public void Rules_of_Keras_say_their_mean_square(string kind, double expected)
    {
        Tensor w = Tensor.Of([1f, 2f, 3f]).WithGradient("w");
        Optimizer optimizer = OptimizerTests.Make(kind, [w]);
        optimizer.UpdateClip = UpdateClip.StableAdamW();
        w.Gradient = Tensor.Of([5f, -7f, 0.25f]);
        Assert.Equal(expected, optimizer.Step().UpdateCoefficient, 1e-6);
    }

    [Fact]
    public void What_a_clip_cannot_do_is_refused_with_the_reason()
    {
        Tensor w = Tensor.Of([1f]).WithGradient("w");
        w.Gradient = Tensor.Of([1f]);
        foreach (string kind in OptimizerTests.KindNames)
        {
            Optimizer optimizer = OptimizerTests.Make(kind, [w]);
            if (PlainOptimizer.Fits(kind, "stable"))
            {
                optimizer.UpdateClip = UpdateClip.StableAdamW();
                optimizer.Step();
            }
            else
            {
                Teaches<ArgumentException>(
                    () => optimizer.UpdateClip = UpdateClip.StableAdamW(), $"{optimizer.GetType().Name} keeps no such mean", "Adam", "UpdateClip.Rms");
                Assert.Null(optimizer.UpdateClip);
            }
        }

        Teaches<InvalidOperationException>(
            () => new Claims([w]) { UpdateClip = UpdateClip.StableAdamW() }.Step(), nameof(SgdRule), nameof(ISecondMoment), "ApplyWithSecondMoment");
        Teaches<ArgumentOutOfRangeException>(() => UpdateClip.Rms(0), "must be positive, but it is 0", "learning rate");
        Teaches<ArgumentOutOfRangeException>(() => UpdateClip.Rms(double.NaN), "NaN");
        Teaches<ArgumentOutOfRangeException>(() => UpdateClip.Rms(-1), "-1");
        Teaches<ArgumentOutOfRangeException>(() => UpdateClip.StableAdamW(0), "epsilon", "1.1e-19");
        Teaches<ArgumentOutOfRangeException>(() => UpdateClip.StableAdamW(1e-20), "epsilon", "1E-20");
        Teaches<ArgumentOutOfRangeException>(() => UpdateClip.Clippy(-0.1), "relative", "not negative");
        Teaches<ArgumentOutOfRangeException>(() => UpdateClip.Clippy(0.1, 0), "absolute", "hold its whole tensor still");
        Teaches<ArgumentOutOfRangeException>(() => UpdateClip.Clippy(0.1, double.PositiveInfinity), "absolute", "finite");
    }

    internal static Tensor[] Parameters(params int[][] shapes) =>
        [.. shapes.Select((shape, i) => Tensor.Normal(shape, generator: new Generator(100 + (ulong)i)).WithGradient($"p{i}"))];

    internal static float[]?[] Gradients(Tensor[] parameters, int step, float scale) => [.. parameters.Select((parameter, i) =>
        (scale * Tensor.Normal([.. parameter.Shape.Dimensions], generator: new Generator((1000 * (ulong)step) + (ulong)i))).ToArray())];

    internal static void Set(Tensor[] parameters, float[]?[] gradients)
    {
        for (int i = 0; i < parameters.Length; i++)
        {
            parameters[i].Gradient = gradients[i] is { } values
                ? Tensor.Of(values, [.. parameters[i].Shape.Dimensions]).To(parameters[i].Backend)
                : null;
        }
    }

    internal static void AssertClose(double[][] expected, Tensor[] actual, string what)
    {
        for (int i = 0; i < expected.Length; i++)
        {
            AssertClose(expected[i], Array.ConvertAll(actual[i].ToArray(), value => (double)value), $"{what}: parameter {i}");
        }
    }

    internal static void AssertClose(double[] expected, double[] actual, string what)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (int e = 0; e < expected.Length; e++)
        {
            bool isClose = Math.Abs(expected[e] - actual[e]) <= Tolerance * Math.Max(1, Math.Abs(expected[e]));
            Assert.True(isClose, $"{what}: element {e} is {actual[e]:R}, expected {expected[e]:R}");
        }
    }

    /// <summary>
    /// To the bit on the CPU. On a device two kernels are two programs, and its compiler fuses products and sums in each as it likes: a unit
    /// in the last place of numbers about 1 for each of the four steps, also where a parameter comes to lie near 0.
    /// </summary>
    private static void AssertSame(uint[] expected, uint[] actual)
    {
        if (Tensor.DefaultBackend is CpuBackend)
        {
            Assert.Equal(expected, actual);
            return;
        }

        Assert.All(expected.Zip(actual), pair =>
        {
            (float first, float second) = (BitConverter.UInt32BitsToSingle(pair.First), BitConverter.UInt32BitsToSingle(pair.Second));
            Assert.Equal(first, second, 4 * MathF.ScaleB(MathF.Max(1f, MathF.Abs(first)), -23));
        });
    }

    internal static uint[] Bits(Tensor[] parameters) =>
        [.. parameters.SelectMany(parameter => parameter.ToArray()).Select(BitConverter.SingleToUInt32Bits)];

    private static float Awkward(Random random) => random.Next(12) switch
    {
        0 => 0f,
        1 => float.NaN,
        2 => float.NegativeInfinity,
        _ => (float)((random.NextDouble() - 0.5) * Math.Pow(10, random.Next(-30, 31))),
    };

    private static void Teaches<TException>(Action action, params string[] parts)
        where TException : Exception
    {
        TException error = Assert.ThrowsAny<TException>(action);
        Assert.All(parts, part => Assert.Contains(part, error.Message, StringComparison.Ordinal));
    }

    /// <summary>Says that it has a mean square, but applies its rule as one that has none.</summary>
    private sealed class Claims(IEnumerable<Tensor> parameters) : Optimizer([new ParameterGroup(parameters)], 0.1)
    {
        protected override int StateCount => 0;

        protected override bool HasSecondMoment => true;

        protected override void Update(UpdateStep step, ReadOnlySpan<UpdateTarget> targets) =>
            step.Apply(new SgdRule((float)step.LearningRate), targets);
    }
}
