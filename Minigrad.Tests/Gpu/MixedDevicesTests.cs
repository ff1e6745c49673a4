using System.Reflection;
using System.Text.RegularExpressions;
using Minigrad.Gpu;
using Minigrad.Layers;
using Minigrad.Losses;
using Minigrad.Optimizers;
using Module = Minigrad.Layers.Module;

namespace Minigrad.Tests.Gpu;

/// <summary>A tensor on one device used with one on another is an error that names both, whatever it is used for.</summary>
public sealed class MixedDevicesTests(GpuFixture fixture) : IClassFixture<GpuFixture>
{
    /// <summary>Every public operation of two or more tensors, as overloads of one name; a test holds this list against the code.</summary>
    private static readonly Dictionary<string, Action<Tensor, Tensor>[]> Operations = new()
    {
        ["op_Addition"] = [(a, b) => _ = a + b],
        ["op_Subtraction"] = [(a, b) => _ = a - b],
        ["op_Multiply"] = [(a, b) => _ = a * b],
        ["op_Division"] = [(a, b) => _ = a / b],
        [nameof(Tensor.Map)] = [(a, b) => Tensor.Map(a, b, default(Minigrad.Operations.Add))],
        [nameof(Tensor.Where)] = [(a, b) => Tensor.Where(b, a, a), (a, b) => Tensor.Where(a, b, a), (a, b) => Tensor.Where(a, a, b)],
        [nameof(Tensor.Maximum)] = [(a, b) => Tensor.Maximum(a, b)],
        [nameof(Tensor.Minimum)] = [(a, b) => Tensor.Minimum(a, b)],
        [nameof(Tensor.Pow)] = [(a, b) => a.Pow(b)],
        [nameof(Tensor.Less)] = [(a, b) => a.Less(b)],
        [nameof(Tensor.Greater)] = [(a, b) => a.Greater(b)],
        [nameof(Tensor.EqualTo)] = [(a, b) => a.EqualTo(b)],
        [nameof(Tensor.MatMul)] = [(a, b) => a.MatMul(b), (a, b) => a.Unsqueeze(0).MatMul(b.Unsqueeze(0))],
        [nameof(Tensor.Linear)] = [(a, b) => a.Linear(b), (a, b) => a.Linear(a, b.Select(0, 0)), (a, b) => a.Linear(b, a.Select(0, 0))],
        [nameof(Tensor.Concatenate)] = [(a, b) => Tensor.Concatenate([a, b])],
        [nameof(Tensor.Stack)] = [(a, b) => Tensor.Stack([a, b])],
        [nameof(Tensor.LayerNorm)] = [(a, b) => a.LayerNorm(b.Select(0, 0)), (a, b) => a.LayerNorm(null, b.Select(0, 0))],
        [nameof(Tensor.RmsNorm)] = [(a, b) => a.RmsNorm(b.Select(0, 0))],
        [nameof(Tensor.BatchNorm)] =
        [
            (a, b) => a.BatchNorm(b.Select(0, 0)),
            (a, b) => a.BatchNorm(null, b.Select(0, 0)),
            (a, b) => a.BatchNorm(b.Select(0, 0), a.Select(0, 0), null, null),
            (a, b) => a.BatchNorm(a.Select(0, 0), b.Select(0, 0), null, null),
            (a, b) => a.BatchNorm(a.Select(0, 0), a.Select(0, 0), a.Select(0, 0), b.Select(0, 0)),
        ],
        [nameof(Tensor.Backward)] = [(a, b) => a.WithGradient().Exp().Backward(b), (a, b) => a.WithGradient().Backward(b)],
        [nameof(Tensor.Gradients)] = [(a, b) => Tensor.Gradients(a.WithGradient().Sum([0]), [a], b.Select(0, 0))],
        [nameof(Loss.MeanSquare)] = [(a, b) => Loss.MeanSquare(a, b)],
        [nameof(Loss.MeanAbsolute)] = [(a, b) => Loss.MeanAbsolute(a, b)],
        [nameof(Loss.Huber)] = [(a, b) => Loss.Huber(a, b)],
        [nameof(Loss.SmoothAbsolute)] = [(a, b) => Loss.SmoothAbsolute(a, b)],
        [nameof(Loss.BinaryCrossEntropy)] = [(a, b) => Loss.BinaryCrossEntropy(a, b)],
        [nameof(Loss.BinaryCrossEntropyWithLogits)] = [(a, b) => Loss.BinaryCrossEntropyWithLogits(a, b)],
        [nameof(Loss.KullbackLeibler)] = [(a, b) => Loss.KullbackLeibler(a, b)],
        [nameof(Loss.CrossEntropy)] =
            [(a, b) => Loss.CrossEntropy(a, b), (a, b) => Loss.CrossEntropy(a, new[] { 0, 1 }, b.Select(0, 0))],
        [nameof(Loss.NegativeLogLikelihood)] = [(a, b) => Loss.NegativeLogLikelihood(a, new[] { 0, 1 }, b.Select(0, 0))],
        [nameof(Regularizer.L1)] = [(a, b) => Regularizer.L1([a, b], 1f)],
        [nameof(Regularizer.L2)] = [(a, b) => Regularizer.L2([a, b], 1f)],
    };

    /// <summary>What takes a tensor of any device: an assignment copies, and an operation of one's own says what it does.</summary>
    private static readonly string[] Exempt = [nameof(Tensor.Assign), nameof(Tensor.Custom)];

    private GpuBackend Gpu => fixture.Backend;

    public static TheoryData<string> Names => [.. Operations.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void An_operation_names_both_devices(string name)
    {
        foreach (Action<Tensor, Tensor> operation in Operations[name])
        {
            Refused(() => operation(Matrix(), Matrix().To(Gpu)));
            Refused(() => operation(Matrix().To(Gpu), Matrix()));
        }
    }

    [Fact]
    public void The_list_of_operations_is_whole()
    {
        IEnumerable<string> missing = new[] { typeof(Tensor), typeof(Loss), typeof(Regularizer) }
            .SelectMany(type => type.GetMethods(BindingFlags.Public | BindingFlags.Static | BindingFlags.Instance | BindingFlags.DeclaredOnly))
            .Where(method => !method.Name.StartsWith("set_", StringComparison.Ordinal) && TensorsOf(method) >= 2)
            .Select(method => method.Name)
            .Except(Operations.Keys)
            .Except(Exempt);
        Assert.Empty(missing);
    }

    [Theory]
    [InlineData(typeof(Lstm))]
    [InlineData(typeof(Gru))]
    public void A_layer_names_its_device_and_its_inputs(Type type)
    {
        void Check(Func<Tensor, Tensor> layerSide, Func<Tensor, Tensor> otherSide, Action<Module> place)
        {
            dynamic layer = type == typeof(Lstm) ? new Lstm(2, 3) : new Gru(2, 3);
            place((Module)layer);
            Tensor state = Tensor.Zeros(1, 2, 3);
            Refused(() => layer.Forward(otherSide(Tensor.Zeros(2, 4, 2))));
            RecurrentState wrong = new(otherSide(state), type == typeof(Lstm) ? layerSide(state) : null);
            Refused(() => layer.Forward(layerSide(Tensor.Zeros(2, 4, 2)), wrong));
        }

        Check(tensor => tensor, tensor => tensor.To(Gpu), _ => { });
        Check(tensor => tensor.To(Gpu), tensor => tensor, layer => layer.To(Gpu));
    }

    [Fact]
    public void An_optimizer_names_both_devices()
    {
        Tensor weight = Matrix().To(Gpu).WithGradient("weight");
        weight.Gradient = Matrix();
        Sgd optimizer = new([weight], 0.1);
        InvalidOperationException exception = Refused(() => optimizer.Step());
        Assert.Contains("'weight'", exception.Message, StringComparison.Ordinal);
        Assert.Equal(Matrix().ToArray(), weight.ToArray());
    }

    [Fact]
    public void Two_devices_of_one_name_are_told_apart()
    {
        using GpuBackend second = GpuFixture.Open();
        Tensor a = Matrix().To(Gpu);
        Tensor b = Matrix().To(second);
        Tensor weight = Matrix().To(Gpu).WithGradient("weight");
        weight.Gradient = b;
        Exception[] errors =
        [
            Assert.Throws<InvalidOperationException>(() => a + b),
            Assert.Throws<InvalidOperationException>(() => new Sgd([weight], 0.1).Step()),
            Assert.Throws<ArgumentException>(() => second.Map(default(Minigrad.Operations.Negate), a.Storage, b.Storage)),
        ];
        Assert.All(errors, error => Assert.Matches($"(on|to) {Regex.Escape(Gpu.Name)}.* another {Regex.Escape(Gpu.Name)}", error.Message));
        Assert.DoesNotContain("another", Assert.Throws<InvalidOperationException>(() => a + Matrix()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_moved_model_computes_what_it_did()
    {
        Linear layer = new(2, 2, generator: new Generator(1));
        float[] before = layer.Forward(Matrix()).ToArray();
        layer.To(Gpu);
        Tensor after = layer.Forward(Matrix().To(Gpu));
        Assert.Same(Gpu, after.Backend);
        Assert.All(before.Zip(after.ToArray()), pair => Assert.Equal(pair.First, pair.Second, 1e-6f));
    }

    [Fact]
    public void A_moved_model_is_summarised_where_it_is()
    {
        Sequential model = new(new Tanh(), new Linear(2, 3));
        string expected = model.Summary(5, 2);
        model.To(Gpu);
        Assert.Equal(expected, model.Summary(5, 2));
    }

    private static Tensor Matrix() => Tensor.Of([0.1f, 0.2f, 0.3f, 0.4f], 2, 2);

    /// <summary>How many tensors a method is given; a list or an array of them counts as two.</summary>
    private static int TensorsOf(MethodInfo method) =>
        (!method.IsStatic && method.ReturnType != typeof(void) || method.Name == nameof(Tensor.Backward) || method.Name == nameof(Tensor.Assign) ? 1 : 0)
        + method.GetParameters().Sum(parameter =>
            parameter.ParameterType == typeof(Tensor) ? 1
            : parameter.ParameterType.IsAssignableTo(typeof(IEnumerable<Tensor>)) ? 2 : 0);

    private InvalidOperationException Refused(Action action)
    {
        InvalidOperationException exception = Assert.Throws<InvalidOperationException>(action);
        Assert.Contains(Gpu.Name, exception.Message, StringComparison.Ordinal);
        Assert.Contains("CPU", exception.Message.Replace(Gpu.Name, string.Empty, StringComparison.Ordinal), StringComparison.Ordinal);
        return exception;
    }
}
