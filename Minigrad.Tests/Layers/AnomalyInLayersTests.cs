using Minigrad.Layers;
using Minigrad.Losses;
using Minigrad.Optimizers;
using static Minigrad.Tests.Autodiff.TracedRun;

namespace Minigrad.Tests.Layers;

/// <summary>A trace names the layer, also where a layer is one fused operation, and changes no number.</summary>
public sealed class AnomalyInLayersTests
{
    [Fact]
    public void A_fused_activation_names_the_linear_layer()
    {
        Sequential model = new(new Linear(2, 3), new Relu(), new Linear(3, 1));
        Fill(((Linear)model[0]).Weight, 2e38f);
        AnomalySource first = Caught(() => model.Forward(Tensor.Ones(4, 2)).Sum().Backward()).First;
        Assert.Equal(Here() - 1, first.Line);
        Assert.Equal(("Rectifier(Linear)", "'0', Linear(2 → 3)", null), (first.Operation, first.Layer, first.HeldBy));
        Assert.Contains("largest magnitude 2E+38", first.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_layer_of_ones_own_is_named_with_its_path_and_the_line_in_its_own_code()
    {
        Squash inner = new();
        Sequential model = new(new Linear(2, 2), inner);
        AnomalySource first = Caught(() => model.Forward(Tensor.Zeros(2, 2)).Sum().Backward()).First;
        Assert.Equal(("Logarithm", "'1', Squash", "Squash.Compute"), (first.Operation, first.Layer, first.Method));
        Assert.Equal(inner.Line, first.Line);
    }

    [Fact]
    public void After_a_layer_the_layer_is_forgotten_also_when_it_fails()
    {
        Linear layer = new(2, 2);
        using IDisposable trace = Anomaly.Trace();
        Assert.ThrowsAny<ShapeException>(() => layer.Forward(Tensor.Ones(1, 3)));
        Assert.ThrowsAny<ShapeException>(() => new Embedding(2, 2).Forward(new[] { 5 }));
        layer.Forward(Tensor.Ones(1, 2));
        Assert.Null(Anomaly.Find(Tensor.Of([-1f]).Log())!.First.Layer);
    }

    [Fact]
    public void A_recurrent_layer_names_the_time_step()
    {
        // One unit that multiplies by 1e10 at each step: 1, 1e10, 1e20, 1e30, infinite.
        Rnn rnn = new(1, 1, new RecurrentOptions { HasBias = false }, Activation.Relu);
        Fill(rnn.Parameters[0], 1f);
        Fill(rnn.Parameters[1], 1e10f);
        AnomalySource first = Caught(() => rnn.Forward(Tensor.Ones(1, 8, 1)).Sum().Backward()).First;
        Assert.Equal(("Sequence(ElmanCell)", "Rnn(1 → 1)", float.PositiveInfinity), (first.Operation, first.Layer, first.Value));
        Assert.Contains("at time step 4, row 0, unit 0 (4 of 8 elements)", first.ToString(), StringComparison.Ordinal);

        // The values stay finite, their gradients do not.
        first = Caught(() => (rnn.Forward(Tensor.Full([1, 4, 1], 1e-20f)) * 1e20f).Sum().Backward()).First;
        Assert.Equal(("Sequence(ElmanCell)", true, "Rnn(1 → 1)"), (first.Operation, first.IsBackward, first.Layer));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_gradient_that_enters_by_the_last_state_is_not_blamed_on_the_sequence(bool isCell)
    {
        Lstm lstm = new(2, 3);
        AnomalyReport report = Caught(() =>
        {
            RecurrentState state = lstm.Forward(Tensor.Ones(2, 4, 2), null).State;
            Tensor last = isCell ? state.Cell! : state.Hidden;
            (last - last.Detach()).Sqrt().Sum().Backward();
        });
        Assert.Equal(("SquareRoot", true), (report.First.Operation, report.First.IsBackward));
        Assert.All(report.Sources.Skip(1), source => Assert.True(float.IsNaN(source.Value)));
    }

    [Fact]
    public void A_normalisation_that_divides_by_0()
    {
        Tensor x = Tensor.Ones(2, 3).WithGradient("x");
        Assert.Equal("LayerNorm", Assert.Single(Caught(() => x.LayerNorm(epsilon: 0f).Sum().Backward()).Sources).Operation);

        LayerNorm layer = new(3);
        Fill(layer.Parameters[1], float.NaN);
        AnomalySource first = Caught(() => layer.Forward(x).Sum().Backward()).First;
        Assert.Equal(("LayerNorm", "'bias' of shape [3]", layer.ToString()), (first.Operation, first.HeldBy, first.Layer));
    }

    [Fact]
    public void Batch_normalisation_in_training_and_in_use()
    {
        BatchNorm1d layer = new(2);
        Tensor x = Tensor.Of([1f, 2f, float.NaN, 3f], 2, 2);
        x.Name = "x";
        using (Anomaly.Trace())
        {
            Assert.Equal("'x' of shape [2, 2]", Anomaly.Find(layer.Forward(x))!.First.HeldBy);

            // It has moved the running statistics, which in use are what is bad: the same beginning.
            layer.Evaluate();
            using NoGrad scope = new();
            Assert.Equal("'x' of shape [2, 2]", Anomaly.Find(layer.Forward(Tensor.Ones(1, 2)))!.First.HeldBy);
        }

        // A trace that did not see how they became so blames the buffer.
        Fill(layer.RunningMean, float.NaN);
        Fill(layer.RunningVariance, 1f);
        AnomalySource first = Anomaly.Find(() =>
        {
            using NoGrad scope = new();
            return layer.Forward(Tensor.Ones(1, 2));
        })!.First;
        Assert.Equal(("BatchNorm", "'running_mean' of shape [2]"), (first.Operation, first.HeldBy));
    }

    [Fact]
    public void Class_weights_that_are_NaN_are_blamed()
    {
        Tensor logits = Tensor.Zeros(2, 2).WithGradient();
        Tensor weights = Tensor.Of([1f, float.NaN]);
        AnomalySource first = Caught(() => Loss.CrossEntropy(logits, (Indices)new[] { 0, 1 }, weights).Backward()).First;
        Assert.Equal(("CrossEntropy", "a tensor of shape [2]"), (first.Operation, first.HeldBy));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_trace_changes_no_bit_of_a_training(bool createGraph) =>
        Assert.Equal(Train(isTraced: false, createGraph), Train(isTraced: true, createGraph));

    private static float[] Train(bool isTraced, bool createGraph)
    {
        Generator generator = new(3);
        Gru gru = new(3, 5, new RecurrentOptions { Generator = generator });
        Sequential head = new(
            new Linear(5, 6, generator: generator), new Tanh(), new BatchNorm1d(6), new Dropout(0.2f, new Generator(5)),
            new Linear(6, 4, generator: generator), new Relu(), new LayerNorm(4));
        Tensor[] parameters = [.. gru.Parameters, .. head.Parameters];
        Adam optimizer = new(parameters, learningRate: 0.01);
        Tensor x = Tensor.Normal([6, 7, 3], generator: new Generator(9));
        List<float> numbers = [];
        using IDisposable? trace = isTraced ? Anomaly.Trace() : null;
        for (int step = 0; step < 3; step++)
        {
            optimizer.ZeroGradients();
            Tensor logits = head.Forward(gru.Forward(x, null, [7, 7, 5, 4, 2, 1]).State.Hidden[^1]);
            Tensor loss = Loss.CrossEntropy(logits, (Indices)new[] { 0, 1, 2, 3, 0, 1 }) + logits.Norm([]) + logits.LogSumExp([1]).Variance([]);
            numbers.Add(loss.Item());
            if (createGraph)
            {
                Tensor slope = Tensor.Gradients(loss, [head.Parameters[0]], createGraph: true)[0];
                loss += slope.Square().Sum();
            }

            loss.Backward();
            optimizer.Step();
        }

        head.Evaluate();
        using NoGrad scope = new();
        numbers.AddRange(head.Forward(Tensor.Ones(2, 5)).ToArray());
        numbers.AddRange(parameters.SelectMany(parameter => parameter.ToArray()));
        return [.. numbers];
    }

    private sealed class Squash : Layer
    {
        public int Line { get; private set; }

        protected override Tensor Compute(Tensor input)
        {
            Line = Here() + 1;
            return (-input.Abs() - 1f).Log();
        }
    }
}
