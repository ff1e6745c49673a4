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
        Result[] expected = Run(CpuBackend.Instance, right);
        Assert.Empty(Outside(expected, expected));

        // Sums that end one number early, a number that is read at its neighbour's place, and an ε that is a tenth larger.
        float[] shorter = [.. right.Gradient[..^1], 0f];
        Assert.Equal(["gradient of x", "gradient of weight", "gradient of bias"], Outside(expected, Run(CpuBackend.Instance, right with { Gradient = shorter })));
        float[] misread = [.. right.X[..^1], right.X[^2]];
        Assert.Equal(["gradient of x", "gradient of weight", "y", "statistics"], Outside(expected, Run(CpuBackend.Instance, right with { X = misread })));
        NormalizationShape wider = shape with { Epsilon = 1.1e-3f };
        Assert.Contains("y", Outside(expected, Run(CpuBackend.Instance, right with { Shape = wider })));
    }

    [Fact]
    public void The_bits_are_the_same_each_time()
    {
        NormalizationShape shape = new(3, 5, 200) { IsWeightPerGroup = true, IsCentred = true, Epsilon = 1e-3f };
        NormalizationCase item = new(shape, 31, 3);
        Assert.Equal(Run(fixture.Backend, item).Select(result => result.Values), Run(fixture.Backend, item).Select(result => result.Values));
    }

    private static Result[] Run(Backend backend, NormalizationCase item)
    {
        NormalizationShape shape = item.Shape;
        Storage? On(float[]? numbers) => numbers is null ? null : GpuFixture.Upload(backend, numbers);
        Storage? Room(bool isAskedFor, int count) => isAskedFor ? backend.Allocate(count) : null;
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
        NormalizationBounds bounds = new(item);
        (string Name, Storage? Values, Func<double[]> Bounds)[] results =
        [
            ("gradient of x", ofInput, bounds.OfInputGradient),
            ("gradient of weight", ofWeight, bounds.OfWeightGradient),
            ("gradient of bias", ofBias, bounds.OfBiasGradient),
            ("y", y, bounds.OfOutput),
            ("statistics", shape.GroupLength == 0 ? null : found, bounds.OfStatistics),
        ];
        return [.. results.Where(result => result.Values is not null).Select(result => new Result(result.Name, GpuFixture.Download(result.Values!), result.Bounds()))];
    }

    /// <summary>The results of which an element is farther from what is expected than the bounds that belong to that.</summary>
    private static string[] Outside(Result[] expected, Result[] found) =>
        [.. expected.Zip(found).Where(pair => pair.First.FarthestFrom(pair.Second).Excess > 0).Select(pair => pair.First.Name)];

    private void AssertSame(NormalizationShape shape, int flags, int seed)
    {
        NormalizationCase item = new(shape, flags, seed);
        foreach ((Result expected, Result found) in Run(CpuBackend.Instance, item).Zip(Run(fixture.Backend, item)))
        {
            (int place, double excess) = expected.FarthestFrom(found);
            Assert.True(
                excess <= 0,
                $"{expected.Name}, element {place}: {(place < 0 ? 0 : found.Values[place]):R} on the device and {(place < 0 ? 0 : expected.Values[place]):R} on the CPU, {excess:g3} more than {(place < 0 ? 0 : expected.Bounds[place]):g3} apart.");
        }
    }

    /// <summary>What one loop has made, and how far from it another backend's may be.</summary>
    private sealed record Result(string Name, float[] Values, double[] Bounds)
    {
        /// <summary>The element that is farthest outside its bound, and by how much; −1 if there is none.</summary>
        public (int Place, double Excess) FarthestFrom(Result other)
        {
            Assert.Equal(Values.Length, other.Values.Length);
            Assert.Equal(Values.Length, Bounds.Length);
            (int Place, double Excess) farthest = (-1, double.NegativeInfinity);
            for (int i = 0; i < Values.Length; i++)
            {
                double difference = Math.Abs((double)Values[i] - other.Values[i]);
                double excess = double.IsNaN(difference) ? double.PositiveInfinity : difference - Bounds[i];
                farthest = excess > farthest.Excess ? (i, excess) : farthest;
            }

            return farthest;
        }
    }
}
