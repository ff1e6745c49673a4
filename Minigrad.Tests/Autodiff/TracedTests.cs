using System.Reflection;
using Minigrad.Autodiff;
using Minigrad.Operations;

namespace Minigrad.Tests.Autodiff;

/// <summary>Every formula evaluated over whole tensors: the same values and gradients as the fused loop gives.</summary>
public sealed class TracedTests
{
    private static readonly Type[] Structs = [.. typeof(IUnaryOp).Assembly.GetTypes()
        .Where(type => type is { IsPublic: true, IsValueType: true, IsGenericTypeDefinition: false })];

    public static TheoryData<string> Unary => [.. Structs.Where(type => typeof(IUnaryOp).IsAssignableFrom(type)).Select(type => type.Name)];

    public static TheoryData<string> Binary => [.. Structs.Where(type => typeof(IBinaryOp).IsAssignableFrom(type)).Select(type => type.Name)];

    [Theory]
    [MemberData(nameof(Unary))]
    public void Unary_formula(string name) => Run(nameof(CheckUnary), name);

    [Theory]
    [MemberData(nameof(Binary))]
    public void Binary_formula(string name) => Run(nameof(CheckBinary), name);

    [Fact]
    public void Constants_stay_constants()
    {
        Tensor like = Tensor.Zeros(2);
        Traced two = 2f;
        Assert.Equal([5f, 5f], ((two * two) + 1f).ToTensor(like).ToArray());
        Assert.Equal([3f, 3f], Traced.Less(two, 1f, 7f, 3f).ToTensor(like).ToArray());
        Assert.Equal([4f, 4f], Traced.IfNaN(float.NaN, 4f, 5f).ToTensor(like).ToArray());
        Assert.Equal([float.E, float.E], Traced.Exp(1f).ToTensor(like).ToArray().Select(value => MathF.Round(value, 5)), (a, b) => MathF.Abs(a - b) < 1e-5f);
    }

    private static void Run(string check, string name)
    {
        Type type = Structs.Single(candidate => candidate.Name == name);
        MethodInfo method = typeof(TracedTests).GetMethod(check, BindingFlags.NonPublic | BindingFlags.Static)!.MakeGenericMethod(type);
        ConstructorInfo? constructor = type.GetConstructors().FirstOrDefault();
        object op = constructor is null
            ? Activator.CreateInstance(type)!
            : constructor.Invoke([.. constructor.GetParameters().Select((parameter, i) => (object)(0.5f + i))]);
        method.Invoke(null, [op]);
    }

    private static void CheckUnary<TOp>(TOp op)
        where TOp : unmanaged, IUnaryOp
    {
        Tensor x = Tensor.Of([0.3f, 0.9f, 1.7f]).WithGradient();
        Compare(x.Map(op), op.Forward(new Traced(x)).ToTensor(x), x);
    }

    private static void CheckBinary<TOp>(TOp op)
        where TOp : unmanaged, IBinaryOp
    {
        Tensor x = Tensor.Of([0.3f, 0.9f, 0.7f]).WithGradient();
        Tensor y = Tensor.Of([0.8f, 0.2f, 0.4f]).WithGradient();
        Compare(Tensor.Map(x, y, op), op.Forward(new Traced(x), new Traced(y)).ToTensor(x), x, y);
    }

    private static void Compare(Tensor fused, Tensor traced, params Tensor[] variables)
    {
        Close(fused, traced);
        if (traced.RequiresGradient)
        {
            Tensor[] expected = Tensor.Gradients(fused.Sum(), variables);
            Tensor[] actual = Tensor.Gradients(traced.Sum(), variables);
            Assert.All(expected.Zip(actual), pair => Close(pair.First, pair.Second));
        }
    }

    private static void Close(Tensor expected, Tensor actual) => Assert.All(
        expected.ToArray().Zip(actual.ToArray()),
        pair => Assert.Equal(pair.First, pair.Second, 3e-5f * (1f + MathF.Abs(pair.First))));
}
