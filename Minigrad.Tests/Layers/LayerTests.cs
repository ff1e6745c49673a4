using Minigrad.Autodiff;
using Minigrad.Layers;
using Minigrad.Losses;
using Minigrad.Optimizers;

namespace Minigrad.Tests.Layers;

/// <summary>Modules with their names, modes and states; the first layers; initialisation.</summary>
public sealed class LayerTests
{
    [Fact]
    public void Parameters_are_named_by_their_path()
    {
        Autoencoder model = new();
        Assert.Equal(
            ["encoder.0.weight", "encoder.0.bias", "encoder.2.weight", "encoder.2.bias", "decoder.weight"],
            model.Parameters.Select(parameter => parameter.Name));
        Assert.Equal(["scale"], model.NamedBuffers().Select(buffer => buffer.Name));
        Assert.Equal("encoder.2", ((Sequential)model.Children[0].Module)[2].Path);
        Assert.Equal((4 * 3) + 3 + (3 * 2) + 2 + (2 * 4), model.ParameterCount);
    }

    [Fact]
    public void A_parameter_keeps_its_whole_path_whichever_module_is_asked()
    {
        Sequential inner = new(new Linear(2, 2));
        Assert.Equal(["0.weight", "0.bias"], inner.Parameters.Select(parameter => parameter.Name));
        Sequential model = new(new Tanh(), inner);
        Assert.Equal(["1.0.weight", "1.0.bias"], model.Parameters.Select(parameter => parameter.Name));
        Assert.Equal(6, inner.ParameterCount);
        Assert.Equal(["1.0.weight", "1.0.bias"], inner[0].Parameters.Select(parameter => parameter.Name));
        Assert.Equal(["0.weight", "0.bias"], inner.NamedParameters().Select(entry => entry.Name));

        // In another model it is named by where it is there.
        Assert.Equal(["0.weight", "0.bias"], new Sequential(inner[0]).Parameters.Select(parameter => parameter.Name));
        Assert.Equal(["0.weight", "0.bias"], inner[0].Parameters.Select(parameter => parameter.Name));
    }

    [Fact]
    public void Parts_that_do_not_exist_or_cannot_be_named_are_refused()
    {
        Sequential model = new(new Linear(2, 3), new Tanh());
        foreach (int number in (int[])[2, -1])
        {
            string message = Assert.Throws<ArgumentOutOfRangeException>("number", () => model[number]).Message;
            Assert.Contains($"no layer {number}; this model has 2, numbered from 0 to 1.", message, StringComparison.Ordinal);
        }

        Assert.Contains("this model has 0.", Assert.Throws<ArgumentOutOfRangeException>(() => new Sequential()[0]).Message, StringComparison.Ordinal);
        foreach ((string first, string second) in new[] { ("a", "a"), ("a", "b.c"), ("a", "") })
        {
            Assert.Throws<ArgumentException>("name", () => new Named(first, second, (module, name) => module.AddParameter(name)));
            Assert.Throws<ArgumentException>("name", () => new Named(first, second, (module, name) => module.AddBuffer(name)));
            Assert.Throws<ArgumentException>("name", () => new Named(first, second, (module, name) => module.AddChild(name)));
        }
    }

    [Fact]
    public void A_tied_parameter_is_listed_once()
    {
        Tied model = new();
        Assert.Single(model.Parameters);
        Assert.Equal(["first", "second"], model.NamedParameters().Select(parameter => parameter.Name));
    }

    [Fact]
    public void Dropout_drops_in_training_only_and_keeps_the_expectation()
    {
        Sequential model = new(new Dropout(0.25f, new Generator(1)));
        Tensor ones = Tensor.Ones(50_000);
        float[] dropped = model.Forward(ones).ToArray();
        Assert.Equal(0.25, dropped.Average(value => value == 0f ? 1.0 : 0.0), 0.01);
        Assert.All(dropped, value => Assert.True(value is 0f or (4f / 3f)));
        Assert.NotEqual(dropped, model.Forward(ones).ToArray());
        model.Evaluate();
        Assert.Same(ones, model.Forward(ones));
        Assert.False(model[0].IsTraining);
        Assert.Equal(new float[5], new Dropout(1f).Forward(Tensor.Ones(5)).ToArray());
        Assert.NotEqual(new Dropout().Forward(Tensor.Ones(100)).ToArray(), new Dropout().Forward(Tensor.Ones(100)).ToArray());
    }

    [Fact]
    public void Frozen_parameters_get_no_gradient()
    {
        Sequential model = new(new Linear(2, 3), new Tanh(), new Linear(3, 1));
        model[0].Freeze();
        model.Forward(Tensor.Ones(4, 2)).Sum().Backward();
        Assert.Equal([true, true, false, false], model.Parameters.Select(parameter => parameter.Gradient is null));
        model[0].Unfreeze();
        model.ZeroGradients();
        model.Forward(Tensor.Ones(4, 2)).Sum().Backward();
        Assert.All(model.Parameters, parameter => Assert.NotNull(parameter.Gradient));
    }

    [Fact]
    public void A_gradient_from_before_a_freeze_moves_nothing()
    {
        Sequential model = new(new Linear(2, 3), new Linear(3, 1));
        Sgd optimizer = new(model.Parameters, 0.1);
        float[] frozen = model[0].Parameters[0].ToArray();
        float[] learning = model[1].Parameters[0].ToArray();
        model.Forward(Tensor.Ones(4, 2)).Sum().Backward();
        model[0].Freeze();
        Assert.All(model[0].Parameters, parameter => Assert.Null(parameter.Gradient));
        optimizer.Step();
        Assert.Equal(frozen, model[0].Parameters[0].ToArray());
        Assert.NotEqual(learning, model[1].Parameters[0].ToArray());
    }

    /// <summary>A step moves whatever has a gradient, so backward through what was computed before must not bring one.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_graph_from_before_a_freeze_moves_nothing(bool createGraph)
    {
        Sequential model = new(new Linear(2, 3), new Tanh(), new Linear(3, 1));
        Sgd optimizer = new(model.Parameters, 0.1);
        float[] frozen = model[0].Parameters[0].ToArray();
        float[] learning = model[2].Parameters[0].ToArray();
        Tensor loss = model.Forward(Tensor.Ones(4, 2)).Square().Sum();
        model[0].Freeze();
        loss.Backward(createGraph: createGraph);
        Assert.All(model[0].Parameters, parameter => Assert.Null(parameter.Gradient));
        Assert.Equal(["0.weight", "0.bias"], optimizer.Step().WithoutGradient);
        Assert.Equal(frozen, model[0].Parameters[0].ToArray());
        Assert.NotEqual(learning, model[2].Parameters[0].ToArray());
    }

    [Fact]
    public void State_is_restored_whole_or_not_at_all()
    {
        Sequential model = new(new Linear(2, 3), new Linear(3, 1));
        Dictionary<string, float[]> state = model.State().ToDictionary(entry => entry.Key, entry => entry.Value);
        Sequential other = new(new Linear(2, 3, generator: new Generator(9)), new Linear(3, 1));
        other.LoadState(state);
        Assert.Equal(model.State()["0.weight"], other.State()["0.weight"]);

        float[] before = other.State()["0.weight"];
        state["0.weight"] = [.. before.Select(value => value + 1)];
        state["1.bias"] = [1f, 2f];
        Assert.Contains("'1.bias' has 2 numbers", Assert.Throws<ArgumentException>(() => other.LoadState(state)).Message, StringComparison.Ordinal);
        state["1.bias"] = null!;
        Assert.Contains("'1.bias' has 0 numbers", Assert.Throws<ArgumentException>(() => other.LoadState(state)).Message, StringComparison.Ordinal);
        state.Remove("1.bias");
        Assert.Contains("no '1.bias'", Assert.Throws<ArgumentException>(() => other.LoadState(state)).Message, StringComparison.Ordinal);
        state["1.bias"] = [1f];
        state["2.weight"] = [];
        Assert.Contains("'2.weight'", Assert.Throws<ArgumentException>(() => other.LoadState(state)).Message, StringComparison.Ordinal);
        Assert.Equal(before, other.State()["0.weight"]);
    }

    /// <summary>The state of a model whose parameters are two would leave a tied one with the numbers of the last alone.</summary>
    [Fact]
    public void A_tied_parameter_is_loaded_from_equal_numbers_only()
    {
        TiedLayer model = new();
        Dictionary<string, float[]> state = new() { ["input"] = [3f, float.NaN], ["output"] = [3f, 4f] };
        string message = Assert.Throws<ArgumentException>(() => model.LoadState(state)).Message;
        Assert.Contains("'input' and 'output' are one tied tensor in this TiedLayer", message, StringComparison.Ordinal);
        Assert.Equal([1f, 2f], model.State()["input"]);
        state["output"] = [3f, float.NaN];
        model.LoadState(state);
        Assert.Equal([3f, float.NaN], model.State()["output"]);
    }

    [Fact]
    public void The_summary_shows_layers_shapes_and_counts()
    {
        Sequential model = new(new Linear(64, 10), new Relu());
        model[0].Freeze();
        string summary = model.Summary(5, 64);
        Assert.Contains("0      Linear(64 → 10)  [5, 10]         650", summary, StringComparison.Ordinal);
        Assert.Contains("650 parameters, of which 0 learn", summary, StringComparison.Ordinal);
        Assert.True(model.IsTraining);
    }

    [Fact]
    public void The_summary_shows_what_a_layer_owns_beside_its_layers()
    {
        string[] lines = new Scaled().Summary(5, 3).Split('\n', StringSplitOptions.TrimEntries);
        Assert.Equal(4, lines.Length);
        Assert.Equal(["linear", "Linear(3", "→", "2)", "[5,", "2]", "8"], lines[1].Split(' ', StringSplitOptions.RemoveEmptyEntries));
        Assert.Equal(["Scaled", "[5,", "2]", "2"], lines[2].Split(' ', StringSplitOptions.RemoveEmptyEntries));
        Assert.Equal("10 parameters, of which 10 learn", lines[3]);
    }

    [Fact]
    public void A_summary_leaves_every_mode_as_it_was()
    {
        Sequential model = new(new Linear(3, 4), new Dropout(), new Sequential(new Dropout(), new Linear(4, 1)));
        Sequential inner = (Sequential)model[2];
        model[1].Evaluate();
        inner.Evaluate();
        inner[0].Train();
        model.Summary(1, 3);
        Assert.Equal(
            [true, true, false, false, true, false],
            new Layer[] { model, model[0], model[1], inner, inner[0], inner[1] }.Select(layer => layer.IsTraining));
        Assert.ThrowsAny<ShapeException>(() => model.Summary(1, 2));
        Assert.Equal([true, false, true], new Layer[] { model, model[1], inner[0] }.Select(layer => layer.IsTraining));
    }

    [Fact]
    public void Activations_compute_what_they_are_named_after()
    {
        Tensor x = Tensor.Of([-1.5f, 0.5f, 2f]);
        (Layer Layer, Tensor Expected)[] layers =
        [
            (new Relu(), x.Relu()), (new LeakyRelu(0.2f), x.LeakyRelu(0.2f)), (new Elu(0.5f), x.Elu(0.5f)), (new Gelu(), x.Gelu()),
            (new Gelu(true), x.Gelu(true)), (new Silu(), x.Silu()), (new Softplus(2f), x.Softplus(2f)), (new Sigmoid(), x.Sigmoid()),
            (new Tanh(), x.Tanh()), (new Softmax(), x.Softmax()),
        ];
        Assert.All(layers, pair => Assert.Equal(pair.Expected.ToArray(), pair.Layer.Forward(x).ToArray()));
    }

    [Fact]
    public void Layers_without_sizes_take_any_shape_and_give_the_same()
    {
        Layer[] layers =
        [
            new Dropout(), new Relu(), new Tanh(), new Sigmoid(), new Silu(), new Gelu(), new Elu(), new LeakyRelu(), new Softplus(),
            new Sequential(), new Sequential(new Tanh(), new Dropout()),
        ];
        foreach (Shape shape in (Shape[])[Shape.Scalar, Shape.Create(3), Shape.Create(0, 2), Shape.Create(2, 1, 3, 2)])
        {
            Assert.All(layers, layer => Assert.Equal(shape, layer.Forward(Tensor.Zeros([.. shape])).Shape));
            Assert.All(shape.Rank == 0 ? [] : new Layer[] { new Softmax() }, layer => Assert.Equal(shape, layer.Forward(Tensor.Zeros([.. shape])).Shape));
        }
    }

    [Fact]
    public void A_whole_model_passes_the_gradient_check()
    {
        Sequential model = new(new Linear(4, 6, generator: new Generator(1)), new Tanh(), new Linear(6, 3, generator: new Generator(2)));
        Indices labels = new[] { 0, 2, 1, 1, 0 };
        Tensor x = Tensor.Normal([5, 4], generator: new Generator(3));
        GradientChecker.Check(inputs => Loss.CrossEntropy(model.Forward(inputs[0]), labels), x).ThrowIfFailed();
        Tensor weight = model.Parameters[0];
        GradientChecker.Check(
            inputs => Loss.CrossEntropy(x.Linear(inputs[0], model.Parameters[1]).Tanh().Linear(model.Parameters[2], model.Parameters[3]), labels),
            weight).ThrowIfFailed();
    }

    [Fact]
    public void Initialisations_have_their_variance_and_bounds()
    {
        Tensor weight = Tensor.Zeros(300, 200);
        Check(w => Initialize.XavierUniform(w, generator: new Generator(1)), Math.Sqrt(2.0 / 500), Math.Sqrt(6.0 / 500));
        Check(w => Initialize.XavierNormal(w, 2f, new Generator(1)), 2 * Math.Sqrt(2.0 / 500), double.PositiveInfinity);
        Check(w => Initialize.KaimingUniform(w, generator: new Generator(1)), Math.Sqrt(2.0 / 200), Math.Sqrt(6.0 / 200));
        Check(w => Initialize.KaimingNormal(w, Activation.Tanh, fromFanOut: true, generator: new Generator(1)), 5.0 / 3 / Math.Sqrt(300), double.PositiveInfinity);
        Check(w => Initialize.FanInUniform(w, 200, new Generator(1)), 1 / Math.Sqrt(3 * 200), 1 / Math.Sqrt(200));

        void Check(Action<Tensor> fill, double deviation, double bound)
        {
            fill(weight);
            float[] values = weight.ToArray();
            Assert.Equal(deviation, Math.Sqrt(values.Average(value => (double)value * value)), 0.02 * deviation);
            Assert.All(values, value => Assert.True(Math.Abs(value) <= bound * 1.000001));
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-4)]
    public void A_fan_in_of_nothing_is_refused(int fanIn)
    {
        Tensor weight = Tensor.Ones(2);
        Assert.Contains(
            $"but it is {fanIn}.",
            Assert.Throws<ArgumentOutOfRangeException>(nameof(fanIn), () => Initialize.FanInUniform(weight, fanIn)).Message,
            StringComparison.Ordinal);
        Assert.Equal([1f, 1f], weight.ToArray());
    }

    [Theory]
    [InlineData(-1f)]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void A_gain_that_makes_no_deviation_is_refused(float gain)
    {
        Tensor weight = Tensor.Ones(2, 2);
        Refuses("gain", $"XavierUniform: the gain is {gain},", () => Initialize.XavierUniform(weight, gain));
        Refuses("gain", $"XavierNormal: the gain is {gain},", () => Initialize.XavierNormal(weight, gain));
        if (!float.IsFinite(gain))
        {
            Refuses("negativeSlope", $"but {gain} was given", () => Initialize.KaimingUniform(weight, Activation.LeakyRelu, gain));
            Refuses("negativeSlope", $"but {gain} was given", () => Initialize.KaimingNormal(weight, Activation.LeakyRelu, gain));
        }

        Assert.Equal([1f, 1f, 1f, 1f], weight.ToArray());

        static void Refuses(string name, string part, Action fill) =>
            Assert.Contains(part, Assert.Throws<ArgumentOutOfRangeException>(name, fill).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0f)]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void A_softplus_that_would_divide_by_nothing_is_refused(float beta)
    {
        Assert.Contains(
            "other than 0", Assert.Throws<ArgumentOutOfRangeException>(nameof(beta), () => new Softplus(beta)).Message, StringComparison.Ordinal);
        Assert.Contains(
            "other than 0", Assert.Throws<ArgumentOutOfRangeException>(nameof(beta), () => Tensor.Ones(2).Softplus(beta)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(7, 4)]
    [InlineData(4, 7)]
    [InlineData(5, 5)]
    public void Orthogonal_weights_are_orthonormal(int rows, int columns)
    {
        Tensor weight = Tensor.Zeros(rows, columns);
        Initialize.Orthogonal(weight, 2f, new Generator(4));
        Tensor product = rows <= columns ? weight.MatMul(weight, transposeRight: true) : weight.MatMul(weight, transposeLeft: true);
        Assert.All((product - (4f * Tensor.Eye(Math.Min(rows, columns)))).ToArray(), value => Assert.Equal(0f, value, 1e-5f));
        Assert.Contains("[out, in]", Assert.Throws<ShapeException>(() => Initialize.Orthogonal(Tensor.Zeros(3))).Message, StringComparison.Ordinal);
        Initialize.Orthogonal(Tensor.Zeros(0, 3)); // Nothing to do.
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(-1f)]
    public void A_gain_of_no_size_leaves_the_weight_as_it_is(float gain)
    {
        Action<Tensor>[] fills =
        [
            weight => Initialize.XavierUniform(weight, gain),
            weight => Initialize.XavierNormal(weight, gain),
            weight => Initialize.Orthogonal(weight, gain),
        ];
        Assert.All(fills, fill =>
        {
            Tensor weight = Tensor.Ones(2, 3);
            string message = Assert.Throws<ArgumentOutOfRangeException>(nameof(gain), () => fill(weight)).Message;
            Assert.Contains($": the gain is {gain}, but what", message, StringComparison.Ordinal);
            Assert.Contains("must be finite and not negative", message, StringComparison.Ordinal);
            Assert.All(weight.ToArray(), value => Assert.Equal(1f, value));
        });
    }

    [Fact]
    public void Penalties_and_their_gradients()
    {
        Tensor w = Tensor.Of([1f, -2f]).WithGradient("w");
        Tensor b = Tensor.Of([3f]).WithGradient("b");
        Tensor penalty = Regularizer.L1([w, b], 0.5f) + Regularizer.L2([w, b], 0.1f);
        Assert.Equal((0.5f * 6) + (0.1f * 14), penalty.Item(), 1e-6f);
        penalty.Backward();
        Assert.Equal([0.5f + 0.2f, -0.5f - 0.4f], w.Gradient!.ToArray().Select(value => MathF.Round(value, 5)));
        Assert.Throws<ArgumentException>(() => Regularizer.L2([], 1f));
    }

    private sealed class Autoencoder : Layer
    {
        private readonly Sequential encoder;
        private readonly Linear decoder;
        private readonly Tensor scale;

        public Autoencoder()
        {
            encoder = Child("encoder", new Sequential(new Linear(4, 3), new Tanh(), new Linear(3, 2)));
            decoder = Child("decoder", new Linear(2, 4, hasBias: false));
            scale = Buffer("scale", Tensor.Ones(1));
        }

        protected override Tensor Compute(Tensor input) => decoder.Forward(encoder.Forward(input)) * scale;
    }

    private sealed class Named : Module
    {
        public Named(string first, string second, Action<Named, string> add)
        {
            AddParameter(first);
            add(this, second);
        }

        public void AddParameter(string name) => Parameter(name, Tensor.Ones(1));

        public void AddBuffer(string name) => Buffer(name, Tensor.Ones(1));

        public void AddChild(string name) => Child(name, new Linear(1, 1));
    }

    private sealed class Tied : Module
    {
        public Tied()
        {
            Tensor shared = Parameter("first", Tensor.Ones(2));
            Parameter("second", shared);
        }
    }

    private sealed class Scaled : Layer
    {
        private readonly Linear linear;
        private readonly Tensor scale;

        public Scaled()
        {
            linear = Child("linear", new Linear(3, 2));
            scale = Parameter("scale", Tensor.Ones(2));
        }

        protected override Tensor Compute(Tensor input) => linear.Forward(input) * scale;
    }

    private sealed class TiedLayer : Layer
    {
        public TiedLayer() => Parameter("output", Parameter("input", Tensor.Of([1f, 2f])));

        protected override Tensor Compute(Tensor input) => input;
    }
}
