#:project ../Minigrad.Core
// Your own activation in three lines: dotnet run examples/02-your-own-activation.cs
using Minigrad;
using Minigrad.Autodiff;
using Minigrad.Numerics;
using Minigrad.Operations;

Tensor x = Tensor.Linspace(-3f, 3f, 7).WithGradient("x");
Tensor y = x.Map(new Mish());
y.Sum().Backward();

Console.WriteLine($"x         = {x.Detach()}");
Console.WriteLine($"mish(x)   = {y.Detach()}");
Console.WriteLine($"mish'(x)  = {x.Gradient}");

// Nobody wrote that derivative. The checker compares it with differences of the function itself.
Console.WriteLine(GradientChecker.Check(inputs => inputs[0].Map(new Mish()), x));

/// <summary>x · tanh(ln(1 + eˣ)) (Misra, 2019, arXiv:1908.08681).</summary>
public readonly struct Mish : IUnaryOp
{
    public T Forward<T>(T x) where T : struct, IReal<T> => x * T.Tanh(T.Softplus(x));
}
