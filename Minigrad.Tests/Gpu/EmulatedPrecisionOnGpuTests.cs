using Minigrad.Backends;
using Minigrad.Backends.Cpu;
using Minigrad.Layers;
using Minigrad.Losses;
using Minigrad.Operations;
using Minigrad.Tests.Operations;

namespace Minigrad.Tests.Gpu;

/// <summary>Emulated half precision on a device: the same numbers as on the CPU.</summary>
public sealed class EmulatedPrecisionOnGpuTests(GpuFixture fixture) : IClassFixture<GpuFixture>
{
    [Fact]
    public void A_device_rounds_to_the_bits_of_the_CPU()
    {
        AssertSame(default(RoundToHalf), RoundingTests.AllHalvesAndMidpoints);
        AssertSame(default(RoundToBFloat16), RoundingTests.AllBFloatsAndMidpoints);
    }

    /// <summary>Sums differ in their last bits of float32, which moves a rounded number to its neighbour now and then.</summary>
    [Theory]
    [InlineData(Precision.Half, 1f / 512)]
    [InlineData(Precision.BFloat16, 1f / 64)]
    public void A_network_and_its_gradients_are_the_CPUs_but_for_a_neighbour_now_and_then(Precision precision, float tolerance)
    {
        float[][] onCpu = Gradients(CpuBackend.Instance, precision);
        float[][] onGpu = Gradients(fixture.Backend, precision);
        foreach ((float[] expected, float[] actual) in onCpu.Zip(onGpu))
        {
            float largest = expected.Max(MathF.Abs);
            Assert.All(expected.Zip(actual), pair => Assert.Equal(pair.First, pair.Second, tolerance * largest));
        }
    }

    private static float[][] Gradients(Backend backend, Precision precision)
    {
        Generator generator = new(3);
        Linear input = new(4, 6, generator: generator);
        LayerNorm norm = new(6);
        Lstm network = new(6, 5, new RecurrentOptions { Generator = generator });
        Linear head = new(5, 3, generator: generator);
        Module[] modules = [input, norm, network, head];
        foreach (Module module in modules)
        {
            module.To(backend);
        }

        Tensor x = Tensor.Normal([2, 4, 4], generator: generator).To(backend);
        Tensor output;
        using (new EmulatedPrecision(precision))
        {
            output = head.Forward(network.Forward(norm.Forward(input.Forward(x).Tanh()))).Reshape(-1, 3);
        }

        Loss.CrossEntropy(output, (int[])[0, 1, 2, 0, 1, 2, 0, 1]).Backward();
        return [output.ToArray(), .. modules.SelectMany(module => module.Parameters).Select(parameter => parameter.Gradient!.ToArray())];
    }

    private void AssertSame<TRounding>(TRounding rounding, float[] values)
        where TRounding : unmanaged, IRounding
    {
        Storage y = fixture.Backend.Allocate(values.Length);
        fixture.Backend.Map(rounding, GpuFixture.Upload(fixture.Backend, values), y);
        uint[] expected = Array.ConvertAll(Tensor.Of(values).To(CpuBackend.Instance).Map(rounding).ToArray(), BitsOf);
        Assert.Equal(expected, Array.ConvertAll(GpuFixture.Download(y), BitsOf));
    }

    private static uint BitsOf(float x) => float.IsNaN(x) ? uint.MaxValue : BitConverter.SingleToUInt32Bits(x);
}
