using Minigrad.Layers;

namespace Minigrad.Tests.Layers;

/// <summary>What a module keeps but has not registered would never learn: an error that says where and what to do.</summary>
public sealed class ModuleAuditTests
{
    [Fact]
    public void Each_kind_of_field_is_looked_into()
    {
        AssertTeaches(new Keeper<List<Layer>>([new Linear(3, 8), new Dropout(), new Linear(8, 8)]), "keeps a Linear in 'kept'", "Child($\"kept{number}\", layer)");
        AssertTeaches(new Keeper<List<Layer>>([new Dropout()]), "keeps a Dropout in 'kept'", "new Sequential(");
        AssertTeaches(new Keeper<Linear[]>([new Linear(3, 8)]), "keeps a Linear in 'kept'");
        AssertTeaches(new Keeper<IReadOnlyList<Module?>>([null, new Embedding(5, 2)]), "keeps a Embedding in 'kept'");
        AssertTeaches(new Keeper<Dictionary<string, Layer>>(new() { ["first"] = new Linear(3, 8) }), "keeps a Linear in 'kept'");
        AssertTeaches(new Keeper<Linear>(new Linear(3, 8)), "keeps a Linear in 'kept'", "kept = Child(\"kept\", new Linear(…));");
        AssertTeaches(new Keeper<Tensor>(Tensor.Ones(2, 3).WithGradient("w")), "a tensor of shape [2, 3] in 'kept'", "kept = Parameter(\"kept\", …);", "Detach()");
        AssertTeaches(new Keeper<Tensor[]>([Tensor.Ones(2).WithGradient()]), "a tensor of shape [2] in 'kept'", "Parameter($\"kept{number}\", tensor)");
    }

    [Fact]
    public void What_a_field_holds_may_hold_more()
    {
        AssertTeaches(new Keeper<(string, Linear)>(("name", new Linear(3, 8))), "keeps a Linear in 'kept'", "Child($\"kept{number}\", layer)");
        AssertTeaches(new Keeper<Tuple<int, Tensor>>(new(1, Tensor.Ones(2).WithGradient())), "a tensor of shape [2] in 'kept'");
        AssertTeaches(new Keeper<List<(Linear, LayerNorm)>>([(new Linear(3, 8), new LayerNorm(8))]), "keeps a Linear in 'kept'");
        AssertTeaches(new Keeper<Linear[][]>([[], [new Linear(3, 8)]]), "keeps a Linear in 'kept'");
        AssertTeaches(new Keeper<Linear[,]>(new[,] { { new Linear(3, 8) } }), "keeps a Linear in 'kept'");
        AssertTeaches(new Keeper<Dictionary<int, List<Tensor>>>(new() { [7] = [Tensor.Ones(3).WithGradient()] }), "a tensor of shape [3] in 'kept'");
    }

    [Fact]
    public void What_does_not_learn_by_itself_may_be_kept()
    {
        Tensor frozen = Tensor.Ones(2).WithGradient();
        Tensor computed = frozen.Exp();
        frozen.RequiresGradient = false;
        Embedding other = new(5, 2);
        Assert.All(
            [Tensor.Ones(2), computed, computed.Detach(), frozen, other.Weight],
            tensor => Assert.Equal(3, new Keeper<Tensor>(tensor).ParameterCount));
        Assert.Equal(3, new Keeper<string[]>(["name"]).ParameterCount);
        Assert.Equal(3, new Keeper<float[]>([1, 2]).ParameterCount);
        Assert.Equal(3, new Keeper<List<(string, int)>>([("name", 1)]).ParameterCount);
        Assert.Equal(3, new Keeper<int[][]>([[1], null!]).ParameterCount);
        Assert.Equal(3, new Keeper<Tensor[]>([computed]).ParameterCount);
        Assert.Equal(3, new Keeper<IReadOnlyList<Layer>>([]).ParameterCount);
        Assert.Equal(11, new Registering().ParameterCount);
    }

    [Fact]
    public void It_is_an_error_each_time()
    {
        Keeper<Linear> model = new(new Linear(3, 8));
        Assert.Throws<InvalidOperationException>(() => model.Parameters);
        Assert.Throws<InvalidOperationException>(() => model.Parameters);
        Assert.Throws<InvalidOperationException>(() => model.State());
    }

    [Fact]
    public void A_mode_or_a_freeze_that_would_miss_a_part_changes_nothing()
    {
        Linear first = new(2, 3);
        Sequential model = new(first, new Keeper<Layer[]>([new Dropout()]));
        Assert.Throws<InvalidOperationException>(model.Evaluate);
        Assert.True(model.IsTraining);
        Assert.True(first.IsTraining);
        Assert.Throws<InvalidOperationException>(model.Freeze);
        Assert.True(first.Weight.RequiresGradient);
    }

    [Fact]
    public void A_part_of_a_child_and_an_outer_module_may_be_kept_too()
    {
        Outer model = new();
        Assert.Equal(["body.0.weight", "body.0.bias", "body.1.weight", "body.1.bias", "inner.bias"], model.Parameters.Select(parameter => parameter.Name));
    }

    [Fact]
    public void A_module_inside_itself_is_refused()
    {
        string message = Assert.Throws<ArgumentException>(() => new Outer(isInsideItself: true)).Message;
        Assert.Contains("Inner: 'outer' cannot be a Outer that holds this module", message, StringComparison.Ordinal);
        Assert.Contains("keep it in a field and register nothing", message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_buffer_that_could_not_be_loaded_is_refused()
    {
        Tensor mask = 2f * Tensor.Ones(3).WithGradient();
        string message = Assert.Throws<GradientException>(() => new Holder(mask)).Message;
        Assert.Contains("Holder: 'mask' cannot be a buffer, since it is the recorded result of Multiply", message, StringComparison.Ordinal);
        Holder model = new(mask.Detach());
        model.LoadState(new Dictionary<string, float[]> { ["mask"] = [1f, 2f, 3f] });
        Assert.Equal([1f, 2f, 3f], model.State()["mask"]);
    }

    private static void AssertTeaches(Module model, params string[] parts)
    {
        string message = Assert.Throws<InvalidOperationException>(() => model.ParameterCount).Message;
        Assert.StartsWith("Keeper`1 keeps a ", message, StringComparison.Ordinal);
        Assert.All(parts, part => Assert.Contains(part, message, StringComparison.Ordinal));
    }

    /// <summary>A registered head of three parameters, and something else.</summary>
    private sealed class Keeper<T> : Layer
    {
        private readonly Linear head;
        private readonly T kept;

        public Keeper(T kept)
        {
            head = Child("head", new Linear(2, 1));
            this.kept = kept;
        }

        public override string ToString() => $"Keeper of {kept}";

        protected override Tensor Compute(Tensor input) => head.Forward(input);
    }

    /// <summary>A module that keeps a layer of its body, and with a part that knows it.</summary>
    private sealed class Outer : Module
    {
        private readonly Sequential body;
        private readonly Layer last;
        private readonly Inner inner;

        public Outer(bool isInsideItself = false)
        {
            body = Child("body", new Sequential(new Linear(2, 2), new Linear(2, 1)));
            last = body[1];
            inner = Child("inner", new Inner(this));
            if (isInsideItself)
            {
                inner.Register();
            }
        }

        public override string ToString() => $"Outer of {last} and {inner}";
    }

    private sealed class Inner : Module
    {
        private readonly Outer outer;

        public Inner(Outer outer)
        {
            this.outer = outer;
            Parameter("bias", Tensor.Zeros(1));
        }

        public void Register() => Child("outer", outer);

        public override string ToString() => "Inner";
    }

    /// <summary>Three linear layers and a weight, in an array and a list, all registered.</summary>
    private sealed class Registering : Module
    {
        private readonly Linear[] layers = [new(1, 1), new(1, 1), new(2, 1)];
        private readonly List<Tensor> weights = [Tensor.Ones(4)];

        public Registering()
        {
            foreach (Linear layer in layers)
            {
                Child($"layer{Children.Count}", layer);
            }

            Parameter("weight", weights[0]);
        }
    }

    private sealed class Holder : Layer
    {
        public Holder(Tensor mask) => Buffer("mask", mask);

        protected override Tensor Compute(Tensor input) => input;
    }
}
