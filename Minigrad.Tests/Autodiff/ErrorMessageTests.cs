using Minigrad.Layers;
using Minigrad.Losses;

namespace Minigrad.Tests.Autodiff;

/// <summary>Wrong input gives an error that says what, where, and how to mend it.</summary>
public sealed class ErrorMessageTests
{
    [Fact]
    public void Shapes_that_do_not_broadcast() =>
        AssertTeaches<ShapeException>(
            () => Tensor.Ones(2, 3) + Tensor.Ones(2, 4),
            "Add", "[2, 3]", "[2, 4]", "dimension -1 is 3 on the left and 4 on the right");

    [Fact]
    public void A_transposed_operand_is_recognised() =>
        AssertTeaches<ShapeException>(() => Tensor.Ones(2, 3) * Tensor.Ones(3, 2), "Multiply", "Transpose()");

    [Fact]
    public void A_matrix_product_that_does_not_fit_suggests_the_transpose() =>
        AssertTeaches<ShapeException>(
            () => Tensor.Ones(5, 3).MatMul(Tensor.Ones(4, 3)), "MatMul", "[5, 3]", "[4, 3]", "transposeRight: true");

    [Fact]
    public void A_layer_names_its_path_and_its_size() =>
        AssertTeaches<ShapeException>(
            () => new Sequential(new Linear(4, 8), new Relu(), new Linear(9, 2)).Forward(Tensor.Ones(3, 4)),
            "In layer '2', Linear(9 → 2)", "[3, 8]", "must be 9", "new Linear(8, 2)");

    [Fact]
    public void A_gradient_that_nothing_will_bring_cannot_be_retained() =>
        AssertTeaches<GradientException>(() => (Tensor.Ones(2) * 2f).RetainGradient(), "RetainGradient", "[2]", "WithGradient()", "NoGrad");

    [Fact]
    public void An_axis_that_does_not_exist() =>
        AssertTeaches<ShapeException>(() => Tensor.Ones(2, 3).Sum([2]), "Sum", "dimension 2", "[2, 3]", "from -2 to 1");

    [Fact]
    public void A_label_out_of_range() =>
        AssertTeaches<ArgumentOutOfRangeException>(
            () => Loss.CrossEntropy(Tensor.Zeros(3, 10), (Indices)new[] { 1, 10, 3 }),
            "label 10 at place 1", "10 classes", "from 0 to 9");

    [Fact]
    public void Labels_that_are_too_few() =>
        AssertTeaches<ShapeException>(
            () => Loss.CrossEntropy(Tensor.Zeros(3, 10), (Indices)new[] { 1, 2 }), "[3, 10]", "labels of shape [3]", "[2]");

    [Fact]
    public void Classes_on_the_last_axis() =>
        AssertTeaches<ShapeException>(
            () => Loss.CrossEntropy(Tensor.Zeros(2, 5, 10), new Indices(new int[10], Shape.Create(2, 5))),
            "[2, 5, 10]", "labels of shape [2, 10]", "[2, 5]", "input.Reshape(-1, 10)");

    [Fact]
    public void A_loss_does_not_broadcast_silently() =>
        AssertTeaches<ShapeException>(
            () => Loss.MeanSquare(Tensor.Zeros(5, 1), Tensor.Zeros(5)), "MeanSquare", "[5, 1]", "[5]", "Reshape");

    [Fact]
    public void Empty_data_has_no_largest_element() =>
        AssertTeaches<ShapeException>(() => Tensor.Zeros(3, 0).Max(1), "Max", "[3, 0]", "no elements");

    [Fact]
    public void Empty_data_has_no_batches() =>
        AssertTeaches<InvalidOperationException>(
            () => new Minigrad.Data.LabeledData(Tensor.Zeros(0, 64), []).Batches(32), "empty", "[0, 64]");

    [Fact]
    public void Backward_on_a_constant() =>
        AssertTeaches<GradientException>(() => Tensor.Ones(3).Sum().Backward(), "constant", "WithGradient()");

    [Fact]
    public void Backward_on_many_numbers() =>
        AssertTeaches<GradientException>(
            () => Tensor.Ones(3).WithGradient().Square().Backward(), "starting gradient", "[3]", "Sum() or Mean()");

    [Fact]
    public void A_saved_tensor_changed_in_place()
    {
        Tensor w = Tensor.Ones(3).WithGradient("layer.weight");
        Tensor loss = w.Square().Sum();
        using (new NoGrad())
        {
            w.Fill(2f);
        }

        AssertTeaches<GradientException>(() => loss.Backward(), "Square", "'layer.weight'", "changed in place", "Clone()");
    }

    [Fact]
    public void Changing_a_parameter_in_place_while_recording() =>
        AssertTeaches<GradientException>(
            () => Tensor.Ones(3).WithGradient().Fill(0f), "Fill", "new NoGrad()");

    [Fact]
    public void Changing_a_result_in_place() =>
        AssertTeaches<GradientException>(
            () => Tensor.Ones(3).WithGradient().Square().Fill(0f), "Fill", "the recorded result of Square in place", "Clone()");

    [Fact]
    public void An_index_outside_the_tensor() =>
        AssertTeaches<ShapeException>(() => _ = Tensor.Ones(2, 3)[0, 3], "index 3", "length 3", "from -3 to 2");

    [Fact]
    public void An_index_before_the_tensor() =>
        AssertTeaches<ShapeException>(() => _ = Tensor.Ones(2, 3)[0, ^4], "index -4", "length 3");

    [Fact]
    public void An_index_far_before_the_tensor() =>
        AssertTeaches<ShapeException>(() => _ = Tensor.Ones(2, 3)[int.MinValue], "outside dimension 0", "length 2");

    [Fact]
    public void A_place_of_a_scalar_that_it_has_not()
    {
        AssertTeaches<ShapeException>(() => ((Tensor)3f).Gather(0, new Indices([5], Shape.Scalar)), "Gather", "index 5", "length 1");
        AssertTeaches<ShapeException>(() => ((Tensor)3f).Max(5), "Max", "dimension 5");
        Assert.Equal(3f, ((Tensor)3f).Gather(0, new Indices([0], Shape.Scalar)).Item());
    }

    [Fact]
    public void Rows_that_a_table_has_not()
    {
        AssertTeaches<ShapeException>(
            () => Tensor.Ones(5, 3).Embedding(new Indices([0, 1, 2, 7], Shape.Create(2, 2))), "row number 7 at [1, 1]", "[5, 3]", "from 0 to 4");
        AssertTeaches<ShapeException>(() => Tensor.Ones(5, 3).Embedding(new[] { 1 }, paddingIndex: 5), "padding index 5", "from 0 to 4");
        AssertTeaches<ShapeException>(() => Tensor.Ones(5, 3).Embedding(new[] { 1 }, paddingIndex: -1), "padding index -1");
    }

    [Fact]
    public void More_elements_than_there_can_be()
    {
        AssertTeaches<ShapeException>(() => Tensor.Zeros(1 << 20, 1).IndexSelect(1, new int[1 << 12]), "[1048576, 4096]", "one array can hold");
        AssertTeaches<ShapeException>(() => Tensor.Zeros(0, 100_000, 100_000).Flatten(1), "Dimensions 1 to 2", "[0, 100000, 100000]");
        Tensor wide = Tensor.Zeros(0, 1 << 30);
        AssertTeaches<ShapeException>(() => Tensor.Concatenate([wide, wide, wide], 1), "3 tensors", "[0, 1073741824]", "dimension 1");
    }

    [Fact]
    public void Tensors_that_are_null()
    {
        Tensor x = Tensor.Ones(2).WithGradient();
        AssertTeaches<ArgumentException>(() => Tensor.Concatenate([x, null!]), "Concatenate", "tensor 1 of 2 is null");
        AssertTeaches<ArgumentException>(() => Tensor.Stack([null!, x]), "Stack", "tensor 0 of 2 is null");
        AssertTeaches<ArgumentException>(() => Tensor.Gradients(x.Sum(), [x, null!]), "Gradients", "tensor 1 of 2 is null");
        AssertTeaches<ArgumentException>(() => Tensor.Custom("Twice", [null!], () => x, _ => [null]), "Twice", "tensor 0 of 1 is null");
        AssertTeaches<ArgumentException>(() => Tensor.Custom("Twice", [x], () => null!, _ => [null]), "The forward of Twice gave null");
        AssertTeaches<GradientException>(() => Tensor.Custom("Twice", [x], () => x + x, _ => null!).Sum().Backward(), "Twice", "0 gradients for 1 inputs");
    }

    // w = w - rate * w.Gradient makes another tensor of w, which keeps no gradient.
    [Fact]
    public void A_gradient_that_is_not_there()
    {
        Tensor w = Tensor.Ones(2).WithGradient();
        w.Square().Sum().Backward();
        w -= 0.1f * w.Gradient!;
        w.Square().Sum().Backward();
        AssertTeaches<ArgumentNullException>(() => 0.1f * w.Gradient!, "operand is null", "If it is a Gradient", "w.Assign(");
        AssertTeaches<ArgumentNullException>(() => w - w.Gradient!, "operand is null");
        AssertTeaches<ArgumentNullException>(() => -w.Gradient!, "operand is null");
        AssertTeaches<ArgumentNullException>(() => Tensor.Where(w, w, w.Gradient!), "operand is null");
    }

    [Fact]
    public void A_graph_where_nothing_is_recorded()
    {
        Tensor x = Tensor.Ones(2).WithGradient();
        Tensor y = Tensor.Custom("Twice", [x], () => x + x, gradient => Tensor.Gradients(x + x, [x], gradient));
        AssertTeaches<GradientException>(() => y.Sum().Backward(), "Gradients was called on a constant", "outside NoGrad and the backward of an operation of your own");
    }

    [Fact]
    public void A_state_that_was_not_detached()
    {
        Tensor state = Tensor.Ones(2).WithGradient().Exp();
        state.Sum().Backward();
        AssertTeaches<GradientException>(() => state.Sum().Backward(), "second time", "Detach()");
    }

    [Fact]
    public void An_axis_of_a_logarithm_of_a_sum_that_does_not_exist() =>
        AssertTeaches<ShapeException>(() => Tensor.Ones(2).LogSumExp([9]), "LogSumExp", "dimension 9");

    [Fact]
    public void A_range_outside_the_tensor() =>
        AssertTeaches<ShapeException>(() => _ = Tensor.Ones(2, 3)[.., 1..5], "range 1..5", "dimension 1", "length 3");

    [Fact]
    public void Item_of_many_numbers() =>
        AssertTeaches<ShapeException>(() => Tensor.Ones(2, 3).Item(), "one element", "[2, 3]");

    [Fact]
    public void A_reshape_that_cannot_be_worked_out() =>
        AssertTeaches<ShapeException>(() => Tensor.Ones(2, 3).Reshape(4, -1), "Reshape", "[4, -1]", "6 elements");

    [Fact]
    public void A_scalar_has_no_dimension_to_ask_for() =>
        AssertTeaches<ShapeException>(() => Tensor.Full([], 1f).Shape[-1], "dimension -1", "scalar");

    [Fact]
    public void A_triangle_of_matrices_that_are_too_large_for_one() =>
        AssertTeaches<ShapeException>(() => Tensor.Zeros(0, 46341, 46341).Tril(), "[46341, 46341]", "one array can hold");

    [Fact]
    public void A_gradient_of_another_shape_is_not_broadcast()
    {
        Tensor w = Tensor.Ones(3).WithGradient("w");
        w.Gradient = Tensor.Ones(1);
        AssertTeaches<ShapeException>(() => (2f * w).Sum().Backward(), "[3]", "[1]", "set by hand", "null");
        AssertTeaches<ShapeException>(() => w.Backward(Tensor.Ones(3)), "[3]", "[1]");
        Assert.Equal([1f], w.Gradient.ToArray());
        w.Gradient = null;
        (2f * w).Sum().Backward();
        Assert.Equal([2f, 2f, 2f], w.Gradient!.ToArray());
    }

    [Fact]
    public void What_is_null_and_what_is_too_many()
    {
        AssertTeaches<ArgumentException>(() => Regularizer.L2([Tensor.Ones(1), null!], 1f), "penalty", "null", "model.Parameters");
        AssertTeaches<ArgumentNullException>(() => Tensor.Custom(null!, [], () => Tensor.Ones(1), _ => []), "name");
        AssertTeaches<ArgumentNullException>(() => Generator.Default = null!, "value");
        Assert.NotNull(Generator.Default);
        AssertTeaches<ArgumentOutOfRangeException>(() => new Generator(1).Permutation(int.MaxValue), "2147483647", $"{Array.MaxLength}");
    }

    [Fact]
    public void A_child_that_was_not_registered() =>
        AssertTeaches<InvalidOperationException>(
            () => _ = new Forgetful().Parameters, "'hidden'", "never learn", "Child(\"hidden\", new Linear(");

    [Fact]
    public void Dropout_of_more_than_everything() =>
        AssertTeaches<ArgumentOutOfRangeException>(() => _ = new Dropout(1.5f), "from 0", "to 1");

    private static void AssertTeaches<TException>(Action action, params string[] parts)
        where TException : Exception
    {
        TException error = Assert.ThrowsAny<TException>(action);
        Assert.All(parts, part => Assert.Contains(part, error.Message, StringComparison.Ordinal));
    }

    private static void AssertTeaches<TException>(Func<object> function, params string[] parts)
        where TException : Exception => AssertTeaches<TException>(() => { function(); }, parts);

    private sealed class Forgetful : Layer
    {
        private readonly Linear hidden = new(2, 3);

        protected override Tensor Compute(Tensor input) => hidden.Forward(input);
    }
}
