namespace Minigrad.Tests.Autodiff;

/// <summary>Gradients of gradients, and passes inside of passes.</summary>
public sealed class SecondOrderTests
{
    [Fact]
    public void A_gradient_can_be_differentiated_again()
    {
        Tensor x = Tensor.Of([2f]).WithGradient("x");
        Tensor first = Tensor.Gradients((x * x * x).Sum(), [x], createGraph: true)[0];
        Assert.Equal([12f], first.ToArray());
        Assert.Equal([12f], Tensor.Gradients(first.Sum(), [x])[0].ToArray());
    }

    [Fact]
    public void A_third_derivative_says_that_it_is_not_supported()
    {
        Tensor x = Tensor.Of([2f]).WithGradient("x");
        Tensor first = Tensor.Gradients((x * x * x).Sum(), [x], createGraph: true)[0];
        GradientException error = Assert.Throws<GradientException>(
            () => Tensor.Gradients(first.Sum(), [x], createGraph: true));
        Assert.Contains("third derivative is not supported", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_gradient_penalty_trains_through_second_order()
    {
        Tensor w = Tensor.Of([0.5f, -0.25f]).WithGradient("w");
        Tensor x = Tensor.Of([1f, 2f]).WithGradient("x");
        Tensor slope = Tensor.Gradients((w * x).Tanh().Sum(), [x], createGraph: true)[0];
        slope.Square().Sum().Backward();

        // d/dx tanh(wx) = w · s with s = 1 − tanh²; its square's slope by w is 2ws · (s − 2w·x·tanh·s).
        for (int i = 0; i < 2; i++)
        {
            double wi = w.ToArray()[i];
            double xi = x.ToArray()[i];
            double t = Math.Tanh(wi * xi);
            double s = 1 - (t * t);
            double expected = 2 * wi * s * (s - (2 * wi * xi * t * s));
            Assert.Equal(expected, w.Gradient!.ToArray()[i], 1e-5);
        }
    }

    // Two steps of descent, differentiated through: no third derivative is taken, since each begins where the one before ended.
    [Fact]
    public void Steps_of_descent_can_be_differentiated_through()
    {
        Tensor F(Tensor z) => z.Square().Sum() + z.Sin().Sum();
        Tensor w = Tensor.Of([1f, 2f]).WithGradient();
        Tensor z = w;
        for (int step = 0; step < 3; step++)
        {
            z -= 0.1f * Tensor.Gradients(F(z), [z], createGraph: true)[0];
        }

        F(z).Backward();
        for (int i = 0; i < 2; i++)
        {
            double zi = i + 1.0;
            double slope = 1;
            for (int step = 0; step < 3; step++)
            {
                slope *= 1 - (0.1 * (2 - Math.Sin(zi)));
                zi -= 0.1 * ((2 * zi) + Math.Cos(zi));
            }

            Assert.Equal(slope * ((2 * zi) + Math.Cos(zi)), w.Gradient!.ToArray()[i], 1e-5);
        }
    }

    // An implicit layer: z = tanh(z / 2 + 2x) at its fixed point, whose backward solves for the gradient by a pass of its own.
    [Fact]
    public void A_pass_inside_another_leaves_its_gradients_alone()
    {
        Tensor x = Tensor.Of([0.5f]).WithGradient();
        Tensor encoded = x * 2f;
        Tensor start = Tensor.Of([0.3f]).WithGradient();
        Tensor inner = ((start * 0.5f) + encoded).Tanh();
        Tensor z = ((start.Detach() * 0.5f) + encoded).Tanh();
        Tensor solved = Tensor.Custom("implicit", [z], () => z, gradient =>
        {
            Tensor flow = gradient;
            for (int i = 0; i < 3; i++)
            {
                flow = gradient + Tensor.Gradients(inner, [start], flow, retainGraph: true)[0];
            }

            return [flow];
        });
        (solved * encoded).Sum().Backward();
        double value = Math.Tanh(0.15 + 1);
        double slope = 1 - (value * value);
        double turns = 1 + (0.5 * slope * (1 + (0.5 * slope * (1 + (0.5 * slope)))));
        Assert.Equal(2 * (value + (turns * slope)), x.Gradient!.Item(), 1e-5);
    }

    [Fact]
    public void A_pass_inside_another_through_what_both_need_is_refused()
    {
        Tensor x = Tensor.Of([0.5f]).WithGradient();
        Tensor shared = x.Exp();
        Tensor inner = shared.Sin().Sum();
        Tensor Custom(bool retain) => Tensor.Custom("c", [shared], () => shared * 2f, gradient =>
        {
            Tensor.Gradients(inner, [x], retainGraph: retain);
            return [gradient * 2f];
        });
        Assert.Contains(
            "reached Exponential, where the outer pass has gathered a gradient",
            Assert.Throws<GradientException>(() => (Custom(retain: true) * shared).Sum().Backward(retainGraph: true)).Message,
            StringComparison.Ordinal);
        Assert.Null(x.Gradient);
        Custom(retain: true).Sum().Backward(retainGraph: true);
        Assert.Equal(2f * MathF.Exp(0.5f), x.Gradient!.Item(), 1e-5f);

        // Whoever goes on without the inner pass has lost nothing by it.
        x.Gradient = null;
        Tensor caught = Tensor.Custom("c", [shared], () => shared * 2f, gradient =>
        {
            Assert.Throws<GradientException>(() => Tensor.Gradients(inner, [x], retainGraph: true));
            return [gradient * 2f];
        });
        (caught * shared).Sum().Backward(retainGraph: true);
        Assert.Equal(4f * MathF.Exp(0.5f) * MathF.Exp(0.5f), x.Gradient!.Item(), 1e-4f);
        x.Gradient = null;

        // What the inner pass has let go the outer one misses, and says so.
        Assert.Contains(
            "Exponential a second time", Assert.Throws<GradientException>(() => Custom(retain: false).Sum().Backward()).Message, StringComparison.Ordinal);
    }
}
