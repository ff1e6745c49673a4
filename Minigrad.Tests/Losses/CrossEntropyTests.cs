using Minigrad.Backends.Cpu;
using Minigrad.Losses;

namespace Minigrad.Tests.Losses;

/// <summary>The fused cross-entropy is held against its composition of log-softmax, gathering, and sums.</summary>
public sealed class CrossEntropyTests
{
    private const int Ignored = -100;

    public static TheoryData<int, int> Sizes => new()
    {
        { 1, 1 }, { 7, 1 }, { 1, 3 }, { 64, 3 }, { 1, 10 }, { 33, 10 }, { 500, 10 }, { 65, 65 }, { 130, 65 }, { 1, 1000 }, { 90, 1000 },
    };

    [Theory]
    [MemberData(nameof(Sizes))]
    public void Fused_and_composed_agree(int rows, int classes)
    {
        Tensor logits = (4f * Tensor.Normal([rows, classes], generator: new Generator(1))) + 100f;
        Tensor weight = Tensor.Uniform([classes], 0.5f, 2f, new Generator(2));
        Indices labels = Labels(rows, classes, canIgnore: false);
        Indices someLeftOut = Labels(rows, classes, canIgnore: true);
        foreach (Reduction reduction in (Reduction[])[Reduction.Mean, Reduction.Sum, Reduction.None, Reduction.BatchMean])
        {
            foreach (float smoothing in (float[])[0f, 0.1f, 1f])
            {
                AssertSame(logits, labels, null, smoothing, reduction);
                AssertSame(logits, labels, weight, smoothing, reduction);
                AssertSame(logits, someLeftOut, null, smoothing, reduction);
                AssertSame(logits, someLeftOut, weight, smoothing, reduction);
            }
        }
    }

    [Fact]
    public void One_row_without_a_batch() =>
        AssertSame(Tensor.Of([1f, -2f, 0.5f]), new Indices([2], Shape.Scalar), null, 0.2f, Reduction.Mean);

    [Fact]
    public void Labels_can_be_written_where_they_are_needed()
    {
        Tensor logits = Tensor.Of([0f, 1f, 2f, 0f, 3f, 5f], 3, 2);
        Assert.Equal(Loss.CrossEntropy(logits, (int[])[1, 0, 1]).Item(), Loss.CrossEntropy(logits, [1, 0, 1]).Item());
        Indices labels = [4, 7];
        Assert.Equal([2], labels.Shape);
        int sum = 0;
        foreach (int label in labels)
        {
            sum += label;
        }

        Assert.Equal(11, sum);
    }

    [Fact]
    public void An_impossible_class_does_not_count_in_a_row_left_out()
    {
        float infinity = float.PositiveInfinity;
        Tensor logits = Tensor.Of([0f, -infinity, 1f, 0f, -infinity, 0f], [3, 2]);
        Assert.Equal(infinity, Loss.CrossEntropy(logits, (int[])[1, 0, 1]).Item());
        Assert.Equal(0f, Loss.CrossEntropy(logits, (int[])[0, Ignored, 1], reduction: Reduction.Sum).Item());
        Assert.Equal(0f, Loss.CrossEntropy(logits[..1], (int[])[1], weight: Tensor.Of([1f, 0f]), reduction: Reduction.Sum).Item());
    }

    [Theory]
    [InlineData(2, 0)]
    [InlineData(2, 0, 3)]
    [InlineData(0)]
    public void Rows_without_a_class_are_refused(params int[] shape)
    {
        Tensor logits = Tensor.Zeros(shape);
        int[] labels = [.. Enumerable.Repeat(Ignored, shape.Length == 1 ? 1 : shape.Where((_, axis) => axis != 1).Aggregate((x, y) => x * y))];
        (string Operation, Func<object> Act)[] losses =
        [
            ("CrossEntropy", () => Loss.CrossEntropy(logits, labels)),
            ("CrossEntropy", () => Loss.CrossEntropy(logits, Array.ConvertAll(labels, _ => 0))),
            ("NegativeLogLikelihood", () => Loss.NegativeLogLikelihood(logits, labels)),
        ];
        Assert.All(losses, loss =>
        {
            string message = Assert.Throws<ShapeException>(loss.Act).Message;
            Assert.Contains($"Loss.{loss.Operation}: the input has shape {Shape.Create(shape)}", message, StringComparison.Ordinal);
            Assert.Contains("no classes", message, StringComparison.Ordinal);
        });
    }

    [Theory]
    [InlineData(new[] { 4, 3 }, new[] { 4 })]
    [InlineData(new[] { 4, 3 }, new[] { 4, 1 })]
    [InlineData(new[] { 4, 3 }, new[] { 5 })]
    [InlineData(new[] { 4, 3, 5 }, new[] { 4, 5 })]
    [InlineData(new[] { 3 }, new int[0])]
    public void Class_labels_as_a_tensor_are_told_from_probabilities(int[] input, int[] target)
    {
        string message = Assert.Throws<ShapeException>(() => Loss.CrossEntropy(Tensor.Zeros(input), Tensor.Zeros(target))).Message;
        Assert.Contains($"tensor of shape {Shape.Create(target)}", message, StringComparison.Ordinal);
        Assert.Contains($"probability of each class, {Shape.Create(input)}", message, StringComparison.Ordinal);
        Assert.Contains("class labels, give them as int[] or Indices", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Probabilities_of_another_shape_are_not_taken_for_labels()
    {
        string message = Assert.Throws<ShapeException>(() => Loss.CrossEntropy(Tensor.Zeros(4, 3), Tensor.Zeros(4, 2))).Message;
        Assert.Contains("they must be the same", message, StringComparison.Ordinal);
        Assert.DoesNotContain("labels", message, StringComparison.Ordinal);
        Assert.Equal(0f, Loss.CrossEntropy(Tensor.Zeros(4, 1), Tensor.Ones(4, 1)).Item());
    }

    [Fact]
    public void The_smoothed_target_is_what_is_documented()
    {
        // The gradient is softmax minus target, and softmax is 1/4 for each of four classes: 1 − ε + ε / 4 at the label, ε / 4 elsewhere.
        Tensor logits = Tensor.Zeros(1, 4).WithGradient();
        Loss.CrossEntropy(logits, (int[])[2], labelSmoothing: 0.5f).Backward();
        Assert.Equal([0.125f, 0.125f, -0.375f, 0.125f], logits.Gradient!.ToArray());
    }

    [Fact]
    public void Probabilities_are_smoothed_and_weighted_and_a_mean_is_over_the_rows()
    {
        // Every logarithm is −ln 4. Of the smoothed targets (0.45, 0.45, 0.05, 0.05) and (0.05, 0.05, 0.05, 0.85) the weighted sums are 1.7 and 3.7.
        Tensor logits = Tensor.Zeros(2, 4).WithGradient();
        Tensor target = Tensor.Of([0.5f, 0.5f, 0f, 0f, 0f, 0f, 0f, 1f], 2, 4);
        Tensor weight = Tensor.Of([1f, 2f, 3f, 4f]);
        Tensor loss = Loss.CrossEntropy(logits, target, Reduction.Mean, weight, labelSmoothing: 0.2f);
        loss.Backward();
        Assert.Equal(2.7 * Math.Log(4), loss.Item(), 1e-6);
        float[] expected = [-0.0125f, -0.2375f, 0.1375f, 0.1125f, 0.4375f, 0.4125f, 0.3875f, -1.2375f];
        Assert.All(expected.Zip(logits.Gradient!.ToArray()), pair => Assert.Equal(pair.First, pair.Second, 1e-6f));
    }

    [Theory]
    [InlineData(new[] { 5, 3 })]
    [InlineData(new[] { 2, 3, 4 })]
    [InlineData(new[] { 3 })]
    public void Labels_and_probabilities_that_are_certain_have_the_same_loss(int[] shape)
    {
        Tensor logits = Tensor.Normal(shape, generator: new Generator(1));
        int axis = shape.Length == 1 ? 0 : 1;
        Tensor weight = Tensor.Of([0.5f, 2f, 1.5f]);
        Tensor certain = Tensor.Zeros(shape);
        int[] labels = [.. Enumerable.Range(0, logits.Length / 3).Select(row => row % 3)];
        Indices indices = new(labels, logits.Shape.Without([axis], keepDimensions: false));
        Tensor classes = Tensor.Of([0f, 1f, 2f]).Reshape([3, .. Enumerable.Repeat(1, shape.Length - axis - 1)]);
        certain += Tensor.Where(
            (Tensor.Of(Array.ConvertAll(labels, label => (float)label), indices.Shape).Unsqueeze(axis) - classes).Abs(), Tensor.Zeros(), Tensor.Ones());
        foreach (Reduction reduction in (Reduction[])[Reduction.None, Reduction.Sum])
        {
            float[] expected = Loss.CrossEntropy(logits, indices, weight, labelSmoothing: 0.3f, reduction: reduction).ToArray();
            float[] actual = Loss.CrossEntropy(logits, certain, reduction, weight, 0.3f).ToArray();
            Assert.Equal(expected.Length, actual.Length);
            Assert.All(expected.Zip(actual), pair => Assert.Equal(pair.First, pair.Second, 1e-5f * MathF.Abs(pair.First)));
        }
    }

    [Fact]
    public void Weights_and_smoothing_of_probabilities_are_checked()
    {
        Tensor x = Tensor.Full([2, 3], 0.5f);
        Assert.Contains("give one weight for each, [3]", Assert.Throws<ShapeException>(() => Loss.CrossEntropy(x, x, weight: Tensor.Ones(2))).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => Loss.CrossEntropy(x, x, labelSmoothing: 1.5f));
    }

    [Fact]
    public void A_loss_is_one_number_or_one_for_each_element_or_row()
    {
        Tensor x = Tensor.Full([2, 3], 0.5f);
        Func<Reduction, Tensor>[] elementwise =
        [
            how => Loss.MeanSquare(x, x, how), how => Loss.MeanAbsolute(x, x, how), how => Loss.Huber(x, x, reduction: how),
            how => Loss.SmoothAbsolute(x, x, reduction: how), how => Loss.BinaryCrossEntropy(x, x, how),
            how => Loss.BinaryCrossEntropyWithLogits(x, x, how), how => Loss.KullbackLeibler(x, x, how),
        ];
        Func<Reduction, Tensor>[] ofRows =
        [
            how => Loss.CrossEntropy(x, x, how), how => Loss.CrossEntropy(x, (int[])[0, 1], reduction: how),
            how => Loss.NegativeLogLikelihood(x, (int[])[0, 1], reduction: how),
        ];
        foreach (Reduction reduction in (Reduction[])[Reduction.Mean, Reduction.Sum, Reduction.BatchMean])
        {
            Assert.All([.. elementwise, .. ofRows], loss => Assert.Equal(Shape.Scalar, loss(reduction).Shape));
        }

        Assert.All(elementwise, loss => Assert.Equal(x.Shape, loss(Reduction.None).Shape));
        Assert.All(ofRows, loss => Assert.Equal(Shape.Create(2), loss(Reduction.None).Shape));
        Assert.Equal(Shape.Create(2, 5), Loss.CrossEntropy(Tensor.Zeros(2, 3, 5), new Indices(new int[10], [2, 5]), reduction: Reduction.None).Shape);
        Assert.Equal(Shape.Scalar, Regularizer.L1([x], 1f).Shape);
        Assert.Equal(Shape.Scalar, Regularizer.L2([x, x], 1f).Shape);
    }

    [Fact]
    public void Nothing_but_rows_left_out_has_no_mean_and_no_gradient()
    {
        Tensor logits = Tensor.Zeros(2, 3).WithGradient();
        Tensor loss = Loss.CrossEntropy(logits, (int[])[Ignored, Ignored]);
        loss.Backward();
        Assert.True(float.IsNaN(loss.Item()));
        Assert.All(logits.Gradient!.ToArray(), value => Assert.Equal(0f, value));
    }

    [Theory]
    [InlineData(Reduction.Sum)]
    [InlineData(Reduction.Mean)]
    public void A_row_left_out_has_no_gradient_that_could_be_differentiated_either(Reduction reduction)
    {
        foreach (int label in (int[])[1, Ignored])
        {
            Tensor logits = Tensor.Of([0.5f, -1f, float.NaN, 2f], 2, 2).WithGradient();
            Tensor gradient = Tensor.Gradients(
                Loss.CrossEntropy(logits, (int[])[label, Ignored], reduction: reduction), [logits], createGraph: true)[0];
            Tensor plain = Tensor.Gradients(Loss.CrossEntropy(logits, (int[])[label, Ignored], reduction: reduction), [logits])[0];
            Assert.Equal(plain.ToArray(), gradient.ToArray());
            Assert.Equal([0f, 0f], plain[1].ToArray());
            Assert.Equal([0f, 0f], Tensor.Gradients(gradient.Square().Sum(), [logits])[0][1].ToArray());
        }
    }

    [Fact]
    public void A_row_of_negative_weight_counts_in_a_gradient_that_is_differentiated_too()
    {
        Tensor logits = Tensor.Of([0.5f, -1f, 0.25f, 2f], 2, 2).WithGradient();
        Tensor weight = Tensor.Of([-1f, 2f]);
        Tensor Gradient(bool createGraph) => Tensor.Gradients(
            Loss.CrossEntropy(logits, (int[])[0, 1], weight, reduction: Reduction.Sum), [logits], createGraph: createGraph)[0];
        float[] plain = Gradient(createGraph: false).ToArray();
        Assert.NotEqual(0f, plain[0]);
        Assert.All(Gradient(createGraph: true).ToArray().Zip(plain), pair => Assert.Equal(pair.Second, pair.First, 1e-6f));
    }

    [Fact]
    public void Weights_that_ask_for_a_gradient_are_refused()
    {
        Tensor weight = Tensor.Ones(3).WithGradient();
        Tensor logits = Tensor.Zeros(2, 3);
        GradientException error = Assert.Throws<GradientException>(() => Loss.CrossEntropy(logits, (int[])[0, 1], weight, labelSmoothing: 0.5f));
        Assert.Contains("Loss.CrossEntropy: the class weights ask for a gradient", error.Message, StringComparison.Ordinal);
        Assert.Contains("weight.Detach()", error.Message, StringComparison.Ordinal);
        Assert.Throws<GradientException>(() => Loss.NegativeLogLikelihood(logits, (int[])[0, 1], weight));
        using (new NoGrad())
        {
            Assert.Equal(MathF.Log(3f), Loss.CrossEntropy(logits, (int[])[0, 1], weight).Item(), 1e-6f);
        }
    }

    [Fact]
    public void Labels_changed_after_the_loss_do_not_change_the_gradient()
    {
        Tensor logits = Tensor.Zeros(1, 2).WithGradient();
        int[] labels = [0];
        Tensor loss = Loss.CrossEntropy(logits, labels);
        labels[0] = 1;
        loss.Backward();
        Assert.Equal([-0.5f, 0.5f], logits.Gradient!.ToArray());
    }

    [Trait(SuiteBackend.Trait, SuiteBackend.CpuOnly)]
    [Fact]
    public void The_same_bits_for_any_number_of_threads()
    {
        int before = CpuBackend.Instance.ThreadCount;
        try
        {
            List<float[]> results = [];
            foreach (int threads in (int[])[1, 2, 3])
            {
                CpuBackend.Instance.ThreadCount = threads;
                Tensor logits = Tensor.Normal([700, 65], generator: new Generator(3)).WithGradient();
                Tensor loss = Loss.CrossEntropy(logits, Labels(700, 65, canIgnore: true));
                loss.Backward();
                results.Add([loss.Item(), .. logits.Gradient!.ToArray()]);
            }

            Assert.All(results, result => Assert.Equal(results[0], result));
        }
        finally
        {
            CpuBackend.Instance.ThreadCount = before;
        }
    }

    private static Indices Labels(int rows, int classes, bool canIgnore)
    {
        Generator generator = new(7);
        return new Indices(
            [.. Enumerable.Range(0, rows).Select(row => canIgnore && row % 3 == 1 ? Ignored : generator.Next(classes))]);
    }

    private static void AssertSame(Tensor logits, Indices labels, Tensor? weight, float smoothing, Reduction reduction)
    {
        Tensor first = logits.Clone().WithGradient();
        Tensor second = logits.Clone().WithGradient();
        Tensor fused = Loss.CrossEntropy(first, labels, weight, Ignored, smoothing, reduction);
        Tensor composed = Loss.ComposedCrossEntropy(second, labels, weight, Ignored, smoothing, reduction);
        Assert.Equal(composed.Shape, fused.Shape);
        AssertClose(composed, fused);
        Tensor seed = Tensor.Normal(composed.Shape, generator: new Generator(5));
        AssertClose(Tensor.Gradients(composed, [second], seed)[0], Tensor.Gradients(fused, [first], seed)[0]);
    }

    private static void AssertClose(Tensor expected, Tensor actual)
    {
        // Sums of up to a thousand terms in another order.
        float[] wanted = expected.ToArray();
        float tolerance = 1e-5f * wanted.Max(MathF.Abs);
        Assert.All(wanted.Zip(actual.ToArray()), pair => Assert.InRange(pair.Second, pair.First - tolerance, pair.First + tolerance));
    }
}
