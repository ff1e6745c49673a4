using System.Numerics.Tensors;

namespace Minigrad.Benchmarks;

/// <summary>The same elementwise function from Minigrad and from System.Numerics.Tensors, on the same numbers.</summary>
internal sealed class Elementwise
{
    private readonly float[] x;
    private readonly float[] y;
    private readonly Tensor tensor;

    private Elementwise(float[] x)
    {
        this.x = x;
        y = new float[x.Length];
        tensor = Tensor.Of(x);
    }

    /// <summary>The names that both methods take.</summary>
    public static IReadOnlyList<string> Names { get; } = ["exp", "log", "tanh", "sigmoid"];

    /// <summary>Normally distributed numbers with a standard deviation of 2; their absolute values for a logarithm.</summary>
    public static Elementwise Of(string name, int length)
    {
        Random random = new(1);
        float[] x = new float[length];
        for (int i = 0; i < length; i++)
        {
            double radius = Math.Sqrt(-2 * Math.Log(1 - random.NextDouble()));
            double value = 2 * radius * Math.Cos(2 * Math.PI * random.NextDouble());
            x[i] = (float)(name == "log" ? Math.Abs(value) + 0.01 : value);
        }

        return new(x);
    }

    /// <summary>One tensor operation, as a user runs it: with its dispatch and the buffer of its result.</summary>
    public Tensor RunMinigrad(string name)
    {
        using NoGrad noGrad = new();
        return name switch
        {
            "exp" => tensor.Exp(),
            "log" => tensor.Log(),
            "tanh" => tensor.Tanh(),
            "sigmoid" => tensor.Sigmoid(),
            _ => throw new ArgumentException($"There is no benchmark of {name}.", nameof(name)),
        };
    }

    /// <summary>The same function of System.Numerics.Tensors into a buffer that is there already.</summary>
    public float[] RunTensorPrimitives(string name)
    {
        switch (name)
        {
            case "exp":
                TensorPrimitives.Exp<float>(x, y);
                break;
            case "log":
                TensorPrimitives.Log<float>(x, y);
                break;
            case "tanh":
                TensorPrimitives.Tanh<float>(x, y);
                break;
            case "sigmoid":
                TensorPrimitives.Sigmoid<float>(x, y);
                break;
            default:
                throw new ArgumentException($"There is no benchmark of {name}.", nameof(name));
        }

        return y;
    }
}
