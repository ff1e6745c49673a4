using CsCheck;
using Minigrad.Backends;
using Minigrad.Backends.Cpu;
using Minigrad.Tests.Backends;

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
    public void Values_and_gradients_are_those_of_the_CPU()
    {
        // A weight that 1,500 products of both signs add up to a thousandth of their magnitudes for.
        AssertSame(new NormalizationShape(5, 1, 300) { IsWeightPerGroup = true, IsCentred = true, Epsilon = 1e-3f }, 31, 3);
        Gen.Select(Shapes, Gen.Int[0, 31], Gen.Int[0, 1000]).Sample(AssertSame, iter: 40, threads: 1);
    }

    /// <summary>Where most roundings are allowed for, a loop that is wrong at one number is still seen in each result that reads it.</summary>
    [Theory]
    [InlineData(9, 1, 300, true)]
    [InlineData(1, 9, 300, false)]
    [InlineData(9, 9, 1, true)]
    public void A_fault_at_one_number_is_outside_the_bounds(int outer, int groups, int inner, bool isWeightPerGroup)
    {
        NormalizationShape shape = new(outer, groups, inner) { IsWeightPerGroup = isWeightPerGroup, IsCentred = true, Epsilon = 1e-3f };
        NormalizationCase right = new(shape, 31, 3);
        NormalizationResults<float> expected = Run(CpuBackend.Instance, right);
        string[] Outside(NormalizationCase faulty) => [.. Bounds(right).Outside(expected, Run(CpuBackend.Instance, faulty)).Select(result => result.Name)];
        Assert.Empty(Outside(right));

        // Sums that end one number early, a number that is read at its neighbour's place, and an ε that is a tenth larger.
        Assert.Equal(["gradient of x", "gradient of weight", "gradient of bias"], Outside(right with { Gradient = [.. right.Gradient[..^1], 0f] }));
        Assert.Equal(["mean", "variance", "y", "gradient of x", "gradient of weight"], Outside(right with { X = [.. right.X[..^1], right.X[^2]] }));
        Assert.Contains("y", Outside(right with { Shape = shape with { Epsilon = 1.1e-3f } }));
    }

    [Fact]
    public void The_bits_are_the_same_each_time()
    {
        NormalizationShape shape = new(3, 5, 200) { IsWeightPerGroup = true, IsCentred = true, Epsilon = 1e-3f };
        NormalizationCase item = new(shape, 31, 3);
        Assert.Equal(Run(fixture.Backend, item).All, Run(fixture.Backend, item).All);
    }

    private static NormalizationBounds Bounds(NormalizationCase item) =>
        new(item, item.Statistics(), NormalizationDepths.OnCpu(item.Shape), NormalizationDepths.OnDevice(item.Shape));

    private static NormalizationResults<float> Run(Backend backend, NormalizationCase item)
    {
        NormalizationShape shape = item.Shape;
        Storage? On(float[]? numbers) => numbers is null ? null : GpuFixture.Upload(backend, numbers);
        Storage? Room(bool isAskedFor, int count) => isAskedFor ? backend.Allocate(count) : null;
        static float[]? Off(Storage? numbers) => numbers is null ? null : GpuFixture.Download(numbers);
        (Storage x, Storage gradient, Storage? weight) = (On(item.X)!, On(item.Gradient)!, On(item.Weight));
        Storage found = backend.Allocate(2 * shape.Groups);
        backend.GroupStatistics(shape, x, found);

        // What follows from the statistics is compared for the same ones; how far they may be apart is a matter of its own.
        Storage statistics = On(item.Statistics())!;
        Storage y = backend.Allocate(item.X.Length);
        backend.Normalize(shape, x, statistics, weight, On(item.Bias), y);
        Storage? ofInput = Room(item.AsksForInput, item.X.Length);
        Storage? ofWeight = Room(item.AsksForWeight, shape.WeightCount);
        Storage? ofBias = Room(item.AsksForBias, shape.WeightCount);
        backend.NormalizeBackward(shape, x, statistics, weight, gradient, ofInput, ofWeight, ofBias);
        return new(Off(found)!, Off(y)!, Off(ofInput), Off(ofWeight), Off(ofBias));
    }

    private void AssertSame(NormalizationShape shape, int flags, int seed)
    {
        NormalizationCase item = new(shape, flags, seed);
        Assert.Empty(Bounds(item).Outside(Run(CpuBackend.Instance, item), Run(fixture.Backend, item)));
    }
}
