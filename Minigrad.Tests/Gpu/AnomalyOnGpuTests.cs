using Minigrad.Layers;
using Minigrad.Losses;

namespace Minigrad.Tests.Gpu;

/// <summary>A trace on the GPU backend says what it says on the CPU.</summary>
public sealed class AnomalyOnGpuTests(GpuFixture fixture) : IClassFixture<GpuFixture>
{
    private static readonly Dictionary<string, Func<Func<Tensor, Tensor>, Tensor>> Cases = new()
    {
        ["a logarithm of a negative number"] = place => (place(Tensor.Of([1f, -2f])).WithGradient().Log() * 2f).Sum(),
        ["0 / 0"] = place => (place(Tensor.Of([1f, 0f])).WithGradient() / place(Tensor.Of([1f, 0f]))).Sum(),
        ["an exponential that overflows"] = place => place(Tensor.Of([1f, 100f])).WithGradient().Exp().Sum(),
        ["an embedding of NaN"] = place => place(Tensor.Of([1f, float.NaN], 2, 1)).WithGradient("weight").Embedding(new[] { 0, 1 }).Sum(),
        ["an infinite slope"] = place => place(Tensor.Of([1f, 0f])).WithGradient("x").Sqrt().Sum(),
        ["zero times infinity in backward"] = place => place(Tensor.Zeros(2)).WithGradient("x").Square().Sum().Sqrt(),
        ["a masked infinity"] = Masked,
        ["a linear layer that overflows"] = place =>
            place(Tensor.Full([2, 2], 2e38f)).WithGradient("x").Linear(place(Tensor.Ones(3, 2)), place(Tensor.Zeros(3))).Sum(),
        ["a cross-entropy of infinite logits"] = place =>
            Loss.CrossEntropy(place(Tensor.Of([1f, 100f], 1, 2)).WithGradient().Exp(), (Indices)new[] { 0 }),
        ["a sum of gradients that overflows"] = Overflowing,
        ["a recurrent layer that explodes"] = Exploding,
        ["a result too large for half precision"] = place => Halved(() => place(Tensor.Of([1f, 700f])).WithGradient("x") * 100f).Sum(),
        ["an operand too large for half precision"] = place => Halved(() => place(Tensor.Of([1f, 70_000f])).WithGradient("x").Softmax()).Sum(),
        ["a gradient too large for half precision"] = place =>
            (Halved(() => place(Tensor.Ones(2)).WithGradient("x") * 0.5f) * place(Tensor.Of([1f, 131_072f]))).Sum(),
    };

    public static TheoryData<string> Programs => [.. Cases.Keys];

    [Theory]
    [MemberData(nameof(Programs))]
    public void The_report_is_that_of_the_CPU(string program)
    {
        AnomalyReport expected = Anomaly.Find(() => Cases[program](tensor => tensor))!;
        AnomalyReport report = Anomaly.Find(() => Cases[program](tensor => tensor.To(fixture.Backend)))!;
        Assert.Equal(expected.ToString(), report.ToString());
    }

    private static Tensor Halved(Func<Tensor> compute)
    {
        using EmulatedPrecision scope = new(Precision.Half);
        return compute();
    }

    private static Tensor Masked(Func<Tensor, Tensor> place)
    {
        Tensor x = place(Tensor.Of([1f, 0f])).WithGradient("x");
        return Tensor.Where(x.Detach(), 1f / x, place(Tensor.Zeros(1))).Sum();
    }

    private static Tensor Overflowing(Func<Tensor, Tensor> place)
    {
        Tensor x = place(Tensor.Zeros(1)).WithGradient("x");
        return ((x * 3e38f) + (x * 3e38f)).Sum();
    }

    private static Tensor Exploding(Func<Tensor, Tensor> place)
    {
        Rnn rnn = new(1, 1, new RecurrentOptions { HasBias = false }, Activation.Relu);
        using (new NoGrad())
        {
            rnn.Parameters[0].Fill(1f);
            rnn.Parameters[1].Fill(1e10f);
        }

        rnn.To(place(Tensor.Zeros(1)).Backend);
        return rnn.Forward(place(Tensor.Ones(1, 8, 1))).Sum();
    }
}
