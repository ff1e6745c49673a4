using System.Runtime.CompilerServices;
using CsCheck;
using Minigrad.Autodiff;
using Minigrad.Backends.Cpu;
using Minigrad.Layers;
using Minigrad.Tests.Conformance;
using static Minigrad.Tests.Layers.RecurrentKinds;

namespace Minigrad.Tests.Layers;

/// <summary>
/// A recurrent layer over an embedding multiplies each different row once. It gives what it gives for the same rows when it
/// does not know that they were looked up, whoever looks at their gradient.
/// </summary>
[Trait(SuiteBackend.Trait, SuiteBackend.CpuOnly)]
public sealed class LookedUpInputTests
{
    private static readonly int[] SomeTokens = [2, 0, 2, 2, 1, 0, 1, 1, 2, 0, 0, 2];

    public static TheoryData<string> Names => [.. RecurrentKinds.All];

    [Fact]
    public void Products_and_gradients_of_whole_numbers_are_exact() =>
        (from tokens in Gen.Int[1, 6]
         from shape in Gen.Select(Gen.Int[1, 40], Gen.Int[1, 40])
         from rows in Gen.Int[0, tokens - 1].Array[2 * tokens, 80]
         from order in Gen.Shuffle(Enumerable.Range(0, rows.Length).ToArray())
         from hasBias in Gen.Bool
         select (tokens, shape.Item1, shape.Item2, rows, order, hasBias)).Sample(
            (tokens, width, outputs, rows, order, hasBias) =>
            {
                Tensor table = Whole(1, tokens, width);
                Tensor weight = Whole(2, outputs, width);
                Tensor? bias = hasBias ? Whole(3, outputs) : null;
                Tensor gradient = Whole(4, rows.Length, outputs).Detach();
                Tensor[] variables = bias is null ? [table, weight] : [table, weight, bias];

                Tensor x = table.Embedding(rows);
                Tensor plain = table.Embedding(rows).IndexSelect(0, order).Linear(weight, bias);
                Tensor? shared = LookupLinearNode.Run(x, order, weight, bias);
                Assert.NotNull(shared);
                Assert.Equal(plain.ToArray(), shared.ToArray());
                Tensor[] expected = Tensor.Gradients(plain, variables, gradient);
                Tensor[] actual = Tensor.Gradients(shared, variables, gradient);
                Assert.All(expected.Zip(actual), pair => Assert.Equal(pair.First.ToArray(), pair.Second.ToArray()));
            },
            iter: 200,
            threads: 1);

    [Theory]
    [MemberData(nameof(Names))]
    public void A_layer_gives_what_it_gives_for_rows_of_unknown_origin(string name) =>
        (from sizes in Gen.Select(Gen.Int[1, 9], Gen.Int[1, 20], Gen.Int[1, 5])
         from lengths in Gen.OneOf(Gen.Int[1, 9].Array[1, 9], Gen.Int[4, 9].Select(time => Enumerable.Repeat(time, 5).ToArray()))
         from form in Gen.Select(Gen.Bool, Gen.Bool, Gen.Bool, Gen.Int[1, 2])
         from padding in Gen.Int[-1, 4]
         select (sizes.Item1, sizes.Item2, sizes.Item3, lengths, form, padding)).Sample(
            (width, hidden, tokens, lengths, form, padding) =>
            {
                (bool isBatchFirst, bool isBidirectional, bool hasBias, int layers) = form;
                RecurrentOptions options = new() { IsBatchFirst = isBatchFirst, IsBidirectional = isBidirectional, HasBias = hasBias, LayerCount = layers };
                RecurrentLayer layer = Create(name, width, hidden, options);
                Embedding embedding = new(tokens, width, padding < 0 || padding >= tokens ? null : padding, new Generator(5));
                Tensor[] parameters = [embedding.Weight, .. layer.Parameters];
                int time = lengths.Max();
                int[] shape = isBatchFirst ? [lengths.Length, time] : [time, lengths.Length];
                Indices input = new([.. Normal(7, shape).ToArray().Select(number => (int)(Math.Abs(number) * 100) % tokens)], Shape.Create(shape));

                float[][] Results(Func<Tensor, Tensor> pass)
                {
                    Tensor all = Everything(layer, pass(embedding.Forward(input)), null, lengths);
                    float[][] gradients = [.. Tensor.Gradients(all.Square().Sum(), parameters).Select(gradient => gradient.ToArray())];

                    // The table's is summed over units too, where gates may cancel: the input weights' says how large its terms are.
                    return [all.ToArray(), [.. gradients[0], .. gradients[1]], .. gradients[2..]];
                }

                Assert.Equal(Results(WithoutOrigin)[0], Results(x => x)[0]);

                // Gradients are sums in another order: of terms of one sign, which cannot cancel.
                using (new NoGrad())
                {
                    Array.ForEach(parameters, parameter => parameter.Assign(parameter.Abs()));
                }

                float[][] expected = Results(WithoutOrigin);
                float[][] actual = Results(x => x);
                Assert.Equal(expected[0], actual[0]);
                Assert.All(expected.Zip(actual).Skip(1), pair => Close(pair.First, pair.Second));
            },
            iter: 40,
            threads: 1);

    [Theory]
    [MemberData(nameof(Names))]
    public void The_same_bits_for_any_number_of_threads(string name)
    {
        List<float[]> results = [];
        int before = CpuBackend.Instance.ThreadCount;
        try
        {
            foreach (int threads in new[] { 1, 2, 3, 8 })
            {
                CpuBackend.Instance.ThreadCount = threads;
                RecurrentLayer layer = Create(name, 20, 270, new());
                Embedding embedding = new(7, 20, generator: new Generator(5));
                Indices tokens = new([.. Enumerable.Range(0, 300).Select(i => i * i % 7)], Shape.Create(10, 30));
                layer.Forward(embedding.Forward(tokens)).Square().Sum().Backward();
                results.Add([.. embedding.Weight.Gradient!.ToArray(), .. layer.Parameters.SelectMany(parameter => parameter.Gradient!.ToArray())]);
            }
        }
        finally
        {
            CpuBackend.Instance.ThreadCount = before;
        }

        Assert.All(results, result => Assert.Equal(results[0], result));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Second_order_agrees_with_differences_of_the_gradient(string name)
    {
        RecurrentLayer layer = Create(name, 2, 3, new() { IsBidirectional = true });
        GradientChecker.Check(
            values =>
            {
                Tensor table = values[0].RequiresGradient ? values[0] : values[0].Detach().WithGradient();
                Tensor y = layer.Forward(Short(table.Embedding(Batch()))).Square().Sum();
                return Tensor.Gradients(y, [table], createGraph: true)[0].Square().Sum();
            },
            Normal(1, [3, 2])).ThrowIfFailed();
    }

    [Fact]
    public void The_gradient_of_the_rows_themselves_is_there_for_who_asks()
    {
        (Lstm layer, Tensor table) = Model();
        Tensor x = WithoutOrigin(table.Embedding(Batch()));
        Tensor loss = layer.Forward(x).Square().Sum() + x.Exp().Sum();
        Tensor[] expected = Tensor.Gradients(loss, [x, table, .. layer.Parameters]);

        x = Short(table.Embedding(Batch()));
        loss = layer.Forward(x).Square().Sum() + x.Exp().Sum();
        Tensor[] asked = Tensor.Gradients(loss, [x, table, .. layer.Parameters], retainGraph: true);
        Assert.All(expected.Zip(asked), pair => Close(pair.First.ToArray(), pair.Second.ToArray()));

        // Asked for after the forward pass, and of a pass that has not been asked before.
        x.RetainGradient();
        loss.Backward();
        Close(expected[0].ToArray(), x.Gradient!.ToArray());
        Close(expected[1].ToArray(), table.Gradient!.ToArray());
    }

    [Fact]
    public void Rows_of_a_table_that_does_not_learn_can_be_asked_for_a_gradient()
    {
        (Lstm layer, Tensor table) = Model();
        Tensor plain = table.Detach().Embedding(Batch()).Detach().WithGradient();
        layer.Forward(plain).Square().Sum().Backward();
        Tensor x = Short(table.Detach().Embedding(Batch())).WithGradient();
        layer.Forward(x).Square().Sum().Backward();
        Close(plain.Gradient!.ToArray(), x.Gradient!.ToArray());
    }

    [Fact]
    public void A_table_may_change_between_forward_and_backward()
    {
        (Lstm layer, Tensor table) = Model();
        Tensor[] Gradients(Func<Tensor, Tensor> pass)
        {
            Tensor x = pass(table.Embedding(Batch()));
            using (new NoGrad())
            {
                table.Assign(table * 1.5f);
            }

            Tensor loss = layer.Forward(x).Square().Sum();
            using (new NoGrad())
            {
                table.Assign(table / 1.5f);
            }

            return Tensor.Gradients(loss, [table, .. layer.Parameters]);
        }

        Assert.All(
            Gradients(WithoutOrigin).Zip(Gradients(Short)), pair => Close(pair.First.ToArray(), pair.Second.ToArray()));
    }

    [Fact]
    public void Rows_that_were_changed_in_place_are_no_longer_those_of_the_table()
    {
        (Lstm layer, Tensor table) = Model();
        using NoGrad scope = new();
        Tensor x = Short(table.Embedding(Batch()));
        x[0] = Tensor.Zeros(4, 3);
        Assert.Null(ShortWay(x));
        Assert.Equal(layer.Forward(WithoutOrigin(x)).ToArray(), layer.Forward(x).ToArray());
    }

    [Fact]
    public void Rows_that_were_changed_and_have_been_on_another_device_are_no_longer_those_of_the_table()
    {
        (Lstm layer, Tensor table) = Model();
        Tensor x = Short(table.Detach().Embedding(Batch()));
        x.Fill(0.5f);
        x.MoveTo(ConformanceBackend.Find("gpu-debug").Backend);
        x.MoveTo(CpuBackend.Instance);
        Assert.Null(ShortWay(x));
        Assert.Equal(layer.Forward(WithoutOrigin(x)).ToArray(), layer.Forward(x).ToArray());
    }

    [Fact]
    public void Rows_that_do_not_learn_may_change_between_forward_and_backward()
    {
        (Lstm layer, Tensor table) = Model();
        Tensor x = Short(table.Detach().Embedding(Batch()));
        Tensor[] expected = Tensor.Gradients(layer.Forward(x).Sum(), layer.Parameters);
        Tensor loss = layer.Forward(x).Sum();
        x.Fill(7f);
        Assert.All(expected.Zip(Tensor.Gradients(loss, layer.Parameters)), pair => Assert.Equal(pair.First.ToArray(), pair.Second.ToArray()));
    }

    [Fact]
    public void Whether_the_table_may_learn_is_decided_where_it_is_looked_up_and_a_frozen_one_gathers_nothing()
    {
        (Lstm layer, Tensor table) = Model();
        Tensor x = Short(table.Embedding(Batch()));
        table.RequiresGradient = false;
        Tensor loss = layer.Forward(x).Sum();
        loss.Backward(retainGraph: true);
        Assert.Null(table.Gradient);
        table.RequiresGradient = true;
        loss.Backward();
        Assert.Contains(table.Gradient!.ToArray(), value => value != 0f);
    }

    [Fact]
    public void Rows_looked_up_in_half_precision_round_their_gradients_as_ever()
    {
        (Lstm layer, Tensor table) = Model();
        Tensor x;
        using (new EmulatedPrecision(Precision.Half))
        {
            x = table.Embedding(Batch());
        }

        Assert.Null(ShortWay(x));
    }

    [Fact]
    public void A_tensor_that_is_looked_up_in_itself_again_and_again_does_not_keep_all_it_has_been()
    {
        [MethodImpl(MethodImplOptions.NoInlining)]
        static (WeakReference First, Tensor Last) Reordered()
        {
            Tensor x = Tensor.Ones(3, 2);
            WeakReference first = new(x);
            for (int i = 0; i < 5; i++)
            {
                x = x.Embedding(new Indices([2, 0, 0]));
            }

            return (first, x);
        }

        (WeakReference first, Tensor last) = Reordered();
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        Assert.False(first.IsAlive);
        Assert.Equal(6, last.Length);
    }

    [Fact]
    public void Only_where_rows_repeat_and_their_gradients_are_not_looked_at_one_by_one()
    {
        Tensor table = Normal(1, [100, 3]).WithGradient();
        Tensor Of(params int[] rows) => table.Embedding(rows);
        Assert.NotNull(ShortWay(Of(7, 99, 7, 99)));
        Assert.Null(ShortWay(Of(7, 99, 7)));
        Assert.Null(ShortWay(Of(1)));
        Assert.Null(ShortWay(Of()));
        Assert.NotNull(ShortWay(table.Embedding(new([7, 99, 7, 99]), paddingIndex: 5)));
        Assert.Null(ShortWay(table.Embedding(new([7, 99, 7, 99]), paddingIndex: 99)));

        Tensor x = Of(7, 99, 7, 99);
        Assert.Null(ShortWay(WithoutOrigin(x)));
        Assert.Null(ShortWay(x.Detach()));
        using (new EmulatedPrecision(Precision.BFloat16))
        {
            Assert.Null(ShortWay(x));
        }

        using (Anomaly.Trace())
        {
            Assert.Null(ShortWay(x));
        }
    }

    [Fact]
    public void The_graph_and_the_error_name_the_operation()
    {
        (Lstm layer, Tensor table) = Model();
        Tensor loss = layer.Forward(Short(table.Embedding(Batch()))).Sum();
        using (new NoGrad())
        {
            layer.Parameters[0].Fill(0f);
        }

        Assert.Contains(
            "Linear of looked-up rows needs 'weight_ih_l0'", Assert.Throws<GradientException>(() => loss.Backward()).Message, StringComparison.Ordinal);
    }

    /// <summary>Three sequences of four tokens, of three kinds.</summary>
    private static Indices Batch() => new(SomeTokens, Shape.Create(3, 4));

    private static (Lstm Layer, Tensor Table) Model() =>
        (new Lstm(3, 5, new() { Generator = new Generator(3) }), Normal(1, [3, 3]).WithGradient("table"));

    private static Tensor Whole(ulong seed, params int[] shape) =>
        Tensor.Of([.. Normal(seed, shape).ToArray().Select(number => MathF.Round(3f * number))], shape).WithGradient();

    /// <summary>The same rows, and the same gradients for who made them, but not known to be rows of a table.</summary>
    private static Tensor WithoutOrigin(Tensor x) => x.Unsqueeze(0).Squeeze(0);

    /// <summary>The tensor, if the way is open that the test is about.</summary>
    private static Tensor Short(Tensor x)
    {
        Assert.NotNull(ShortWay(x));
        return x;
    }

    private static Tensor? ShortWay(Tensor x) =>
        LookupLinearNode.Serves(x)
            ? LookupLinearNode.Run(x, [.. Enumerable.Range(0, x.Shape.Product(0, x.Rank - 1))], Tensor.Ones(2, x.Shape[-1]), null)
            : null;

    /// <summary>The sums of up to a few hundred rounded terms in another order.</summary>
    private static void Close(float[] expected, float[] actual)
    {
        float largest = expected.Max(MathF.Abs);
        Assert.All(expected.Zip(actual), pair => Assert.Equal(pair.First, pair.Second, 5e-6f * largest));
    }
}
