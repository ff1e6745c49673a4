using System.Text.Json;
using System.Text.Json.Serialization;
using Minigrad.Data;
using Minigrad.Layers;
using Minigrad.Losses;
using Minigrad.Numerics;
using Minigrad.Operations;
using Minigrad.Optimizers;

namespace Minigrad.Tests;

/// <summary>The README's code, compiled and asserted. A test holds the README against this file.</summary>
public sealed class Readme
{
    [Fact]
    public void Ten_lines_learn_exclusive_or()
    {
        Generator.Default = new Generator(1);

        Tensor x = Tensor.Of(new float[,] { { 0, 0 }, { 0, 1 }, { 1, 0 }, { 1, 1 } });
        Tensor target = Tensor.Of([0, 1, 1, 0], 4, 1);
        var model = new Sequential(new Linear(2, 8), new Tanh(), new Linear(8, 1));
        var optimizer = new Adam(model.Parameters, learningRate: 0.05) { Clip = [Clip.GlobalNorm(1)] };

        for (int step = 0; step < 500; step++)
        {
            optimizer.ZeroGradients();
            Loss.MeanSquare(model.Forward(x), target).Backward();
            optimizer.Step();
        }

        Assert.Equal([0f, 1f, 1f, 0f], model.Forward(x).ToArray().Select(value => MathF.Abs(MathF.Round(value))));
    }

    [Fact]
    public void Derivatives_of_first_and_second_order()
    {
        Tensor x = Tensor.Of([1f, 2f, 3f]).WithGradient();
        Tensor y = x.Square() * x.Sin();
        Tensor first = Tensor.Gradients(y.Sum(), [x], createGraph: true)[0];
        Tensor second = Tensor.Gradients(first.Sum(), [x])[0];

        for (int i = 0; i < 3; i++)
        {
            double v = i + 1;
            Assert.Equal((2 * v * Math.Sin(v)) + (v * v * Math.Cos(v)), first.ToArray()[i], 1e-5);
            Assert.Equal((2 * Math.Sin(v)) + (4 * v * Math.Cos(v)) - (v * v * Math.Sin(v)), second.ToArray()[i], 1e-4);
        }
    }

    [Fact]
    public void Your_own_activation()
    {
        Tensor x = Tensor.Of([1f]).WithGradient();

        Tensor y = x.Map(new Mish());

        Assert.Equal(Math.Tanh(Math.Log(1 + Math.E)), y.Item(), 1e-6);
        Assert.True(Minigrad.Autodiff.GradientChecker.Check(inputs => inputs[0].Map(new Mish()), x).Passed);
    }

    [Fact]
    public void A_clipped_step()
    {
        Sequential model = new(new Linear(4, 3));
        Tensor images = Tensor.Normal([2, 4], 0f, 1000f, new Generator(1));
        Indices labels = new[] { 0, 2 };

        var optimizer = new Adam(model.Parameters, learningRate: 1e-3)
        {
            Clip = [Clip.Value(5), Clip.GlobalNorm(1)],
            NonFinite = NonFinitePolicy.SkipStep,
        };
        Loss.CrossEntropy(model.Forward(images), labels).Backward();
        StepReport report = optimizer.Step();
        Console.WriteLine($"norm {report.Norm:0.000}, clipped to {report.ClippedNorm:0.000}");

        Assert.True(report.Norm > 5);
        Assert.Equal(1, report.ClippedNorm, 1e-5);

        Loss.CrossEntropy(model.Forward(images), labels).Backward();
        double norm = Clip.GlobalNorm(1).Apply(model.Parameters);
        Assert.True(norm > 1);

        optimizer.UpdateClip = UpdateClip.Rms(1);
        Assert.InRange(optimizer.Step().UpdateCoefficient, 0.1, 1);

        optimizer.Clip = [Clip.GlobalNorm(Threshold.Percentile(10)), Clip.UnitNorm(Schedule.Cosine(0.02, 1000, minimum: 0.01))];
        IReadOnlyList<StageReport> stages = optimizer.Step().Stages;
        Assert.Equal(stages[0].Norm, stages[0].Threshold);
        Assert.Equal((0.02, true), (stages[1].Threshold, stages[1].Acted));
    }

    [Fact]
    public void A_program_of_ones_own_learns_a_line()
    {
        Tensor x = Tensor.Of([0, 1, 2, 3], 4, 1);
        var model = new Linear(1, 1);
        var optimizer = new Sgd(model.Parameters, learningRate: 0.1);
        for (int step = 0; step < 300; step++)
        {
            optimizer.ZeroGradients();
            Loss.MeanSquare(model.Forward(x), 2 * x + 1).Backward();
            optimizer.Step();
        }

        Console.WriteLine($"{model.Forward(Tensor.Of([4], 1, 1)).Item():0.00}");

        Assert.Equal("9.00", $"{model.Forward(Tensor.Of([4], 1, 1)).Item():0.00}");
    }

    [Fact]
    public void What_was_saved_goes_on_to_the_same_bits()
    {
        string modelFile = Path.GetTempFileName();
        string optimizerFile = Path.GetTempFileName();
        try
        {
            Assert.Equal(Trained(3, 2), [.. Trained(3, 0, Save), .. Trained(0, 2, Restore)]);
        }
        finally
        {
            File.Delete(modelFile);
            File.Delete(optimizerFile);
        }

        void Save(Sequential model, Adam optimizer)
        {
            File.WriteAllText(modelFile, JsonSerializer.Serialize(model.State()));
            File.WriteAllText(optimizerFile, JsonSerializer.Serialize(optimizer.State()));
        }

        void Restore(Sequential model, Adam optimizer)
        {
            model.LoadState(JsonSerializer.Deserialize<Dictionary<string, float[]>>(File.ReadAllText(modelFile))!);
            optimizer.Restore(JsonSerializer.Deserialize<OptimizerState>(File.ReadAllText(optimizerFile))!);
        }
    }

    [Fact]
    public void A_weight_that_is_not_a_number_needs_an_option_to_be_saved()
    {
        Linear model = new(1, 1, hasBias: false);
        using (new NoGrad())
        {
            model.Weight.Fill(float.NaN);
        }

        Assert.ThrowsAny<ArgumentException>(() => JsonSerializer.Serialize(model.State()));
        JsonSerializerOptions options = new() { NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals };
        string json = JsonSerializer.Serialize(model.State(), options);
        Linear other = new(1, 1, hasBias: false);
        other.LoadState(JsonSerializer.Deserialize<Dictionary<string, float[]>>(json, options)!);
        Assert.True(float.IsNaN(other.Weight.Item()));
    }

    [Fact]
    public void Frozen_layers_several_batches_a_step_and_a_schedule()
    {
        LabeledData data = ToyData.TwoMoons(32 * ((4 * 2) + 1), generator: new Generator(1));
        Sequential model = new(new Linear(2, 8), new Tanh(), new Linear(8, 2));
        int steps = 3;
        IReadOnlyDictionary<string, float[]> start = model.State();

        model[0].Freeze();
        var optimizer = new Adam(model.Parameters.Where(parameter => parameter.RequiresGradient));
        var rate = new Scheduler(Schedule.Cosine(1e-3, steps), value => optimizer.LearningRate = value);
        foreach (LabeledData[] batches in new Loader<LabeledData>(data, 32, new Generator(1)).Chunk(4))
        {
            optimizer.ZeroGradients();
            optimizer.AccumulationCount = batches.Length; // The last may be fewer than four.
            foreach (LabeledData batch in batches)
            {
                Loss.CrossEntropy(model.Forward(batch.Features), batch.Labels).Backward();
            }

            optimizer.Step();
            rate.Step();
        }

        Assert.Equal((steps, steps, 0), (optimizer.StepCount, rate.StepCount, optimizer.LearningRate));
        Assert.Equal(1, optimizer.AccumulationCount);
        Assert.Equal(start["0.weight"], model.State()["0.weight"]);
        Assert.NotEqual(start["2.weight"], model.State()["2.weight"]);
    }

    [Fact]
    public void Half_precision_with_a_loss_scale()
    {
        Sequential model = new(new Linear(4, 3));
        Tensor images = Tensor.Normal([2, 4], generator: new Generator(1));
        Indices labels = new[] { 0, 2 };
        Tensor output;

        var optimizer = new Adam(model.Parameters) { LossScaling = LossScaling.Dynamic(), Clip = [Clip.GlobalNorm(1)] };
        using (new EmulatedPrecision(Precision.Half))
        {
            output = model.Forward(images);
        }

        optimizer.Scale(Loss.CrossEntropy(output, labels)).Backward();
        StepReport report = optimizer.Step();
        Console.WriteLine($"loss scale {report.LossScale}, overflow: {report.HasOverflowed}");

        Assert.Equal((65536, false), (report.LossScale, report.HasOverflowed));
        Assert.All(output.ToArray(), value => Assert.Equal((float)(Half)value, value));
    }

    [Fact]
    public void Sequences_of_different_lengths()
    {
        Tensor input = Tensor.Normal([3, 12, 2], generator: new Generator(1));
        Tensor next = Tensor.Normal([3, 2], generator: new Generator(2));

        var lstm = new Lstm(2, 32, new RecurrentOptions { LayerCount = 2, Dropout = 0.1f }, forgetBias: 1);
        var head = new Linear(32, 1);
        (Tensor hidden, RecurrentState state) = lstm.Forward(input, null, lengths: [12, 7, 3]);
        Tensor guess = head.Forward(state.Hidden[^1]);
        (hidden, state) = lstm.Step(next, state.Detach());

        Assert.Equal(Shape.Create(3, 1), guess.Shape);
        Assert.Equal(Shape.Create(3, 32), hidden.Shape);
        Assert.Equal(Shape.Create(2, 3, 32), state.Hidden.Shape);
    }

    /// <summary>A training of some steps before and after something is done with the model; the weights after each.</summary>
    private static float[][] Trained(int before, int after, Action<Sequential, Adam>? between = null)
    {
        Tensor x = Tensor.Normal([5, 3], generator: new Generator(1));
        Sequential model = new(new Linear(3, 4, generator: new Generator(2)), new Tanh(), new Linear(4, 2, generator: new Generator(3)));
        Adam optimizer = new(model.Parameters) { Clip = [Clip.GlobalNorm(Threshold.Percentile(50))] };
        List<float[]> weights = [];
        for (int step = 0; step < before + after; step++)
        {
            if (step == before)
            {
                between?.Invoke(model, optimizer);
            }

            optimizer.ZeroGradients();
            model.Forward(x).Square().Sum().Backward();
            optimizer.Step();
            weights.Add([.. model.Parameters.SelectMany(parameter => parameter.ToArray())]);
        }

        if (after == 0)
        {
            between?.Invoke(model, optimizer);
        }

        return [.. weights];
    }

    public readonly struct Mish : IUnaryOp
    {
        public T Forward<T>(T x) where T : struct, IReal<T> => x * T.Tanh(T.Softplus(x));
    }
}
