using CsCheck;
using Minigrad.Backends;
using Minigrad.Backends.Cpu;

namespace Minigrad.Tests.Gpu;

/// <summary>Normalisation on the device held against the CPU's, which is held against plain loops.</summary>
public sealed class NormalizationOnGpuTests(GpuFixture fixture) : IClassFixture<GpuFixture>
{
    private static readonly Gen<NormalizationShape> Shapes =
        from outer in Gen.Int[1, 9]
        from groups in Gen.Int[0, 9]
        from inner in Gen.OneOf(Gen.Int[0, 9], Gen.OneOfConst(70, 300))
        from flags in Gen.Int[0, 3]
        select new NormalizationShape((flags & 1) != 0 ? outer : 1, groups, inner)
        {
            IsWeightPerGroup = (flags & 1) != 0,
            IsCentred = (flags & 2) != 0,
            Epsilon = 1e-3f,
        };

    [Fact]
    public void Values_and_gradients_are_those_of_the_CPU() => Gen.Select(Shapes, Gen.Int[0, 31]).Sample(
        (shape, flags) =>
        {
            float[][] expected = Run(CpuBackend.Instance, shape, flags);
            float[][] found = Run(fixture.Backend, shape, flags);
            foreach ((float[] first, float[] second) in expected.Zip(found))
            {
                float largest = first.Length == 0 ? 0f : first.Max(MathF.Abs);
                Assert.All(first.Zip(second), pair => Assert.Equal(pair.First, pair.Second, 2e-5f * (1f + largest)));
            }
        },
        iter: 40,
        threads: 1);

    [Fact]
    public void The_bits_are_the_same_each_time()
    {
        NormalizationShape shape = new(3, 5, 200) { IsWeightPerGroup = true, IsCentred = true, Epsilon = 1e-3f };
        Assert.Equal(Run(fixture.Backend, shape, 31), Run(fixture.Backend, shape, 31));
    }

    private static float[][] Run(Backend backend, NormalizationShape shape, int flags)
    {
        int length = shape.GroupLength * shape.Groups;
        Generator generator = new(3);
        Storage Numbers(int count) => GpuFixture.Upload(backend, (Tensor.Normal([count], generator: generator) + 1f).ToArray());
        Storage x = Numbers(length);
        Storage gradient = Numbers(length);
        Storage? weight = (flags & 1) != 0 ? Numbers(shape.WeightCount) : null;
        Storage? bias = (flags & 2) != 0 ? Numbers(shape.WeightCount) : null;
        Storage statistics = backend.Allocate(2 * shape.Groups);
        Storage y = backend.Allocate(length);
        Storage?[] gradients =
        [
            (flags & 4) != 0 ? backend.Allocate(length) : null,
            (flags & 8) != 0 ? backend.Allocate(shape.WeightCount) : null,
            (flags & 16) != 0 ? backend.Allocate(shape.WeightCount) : null,
        ];
        backend.GroupStatistics(shape, x, statistics);
        backend.Normalize(shape, x, statistics, weight, bias, y);
        backend.NormalizeBackward(shape, x, statistics, weight, gradient, gradients[0], gradients[1], gradients[2]);
        IEnumerable<Storage> results = gradients.OfType<Storage>().Append(y);
        return [.. (shape.GroupLength == 0 ? results : results.Append(statistics)).Select(GpuFixture.Download)];
    }
}
