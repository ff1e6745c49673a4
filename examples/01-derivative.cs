#:project ../Minigrad.Core
// A derivative, without a formula for it: dotnet run examples/01-derivative.cs
using Minigrad;

// A tensor that asks for a gradient remembers what is computed from it.
Tensor x = Tensor.Of([-2f, 0.5f, 3f]).WithGradient("x");
Tensor y = x.Square() * 3f + x.Sin();

// Backward needs one number to start from: the sum's gradient is the gradient of each element.
y.Sum().Backward();

Console.WriteLine($"x       = {x.Detach()}");
Console.WriteLine($"y       = {y.Detach()}");
Console.WriteLine($"dy/dx   = {x.Gradient}");
Console.WriteLine($"by hand = {6f * x.Detach() + x.Detach().Cos()}");

// Gradients are tensors too, so they can be differentiated again.
Tensor z = x * x * x;
Tensor first = Tensor.Gradients(z.Sum(), [x], createGraph: true)[0];
Tensor second = Tensor.Gradients(first.Sum(), [x])[0];
Console.WriteLine($"(x³)''  = {second}");
