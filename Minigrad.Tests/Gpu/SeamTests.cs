using CsCheck;
using Minigrad.Backends;
using Minigrad.Backends.Cpu;
using Minigrad.Gpu;
using Minigrad.Numerics;
using Minigrad.Operations;

namespace Minigrad.Tests.Gpu;

/// <summary>Holds every method of the GPU backend against the CPU backend.</summary>
public sealed partial class SeamTests(GpuFixture fixture) : IClassFixture<GpuFixture>
{
    private const int Cases = 30;

    private static readonly float[] Awkward =
    [
        0f, -0f, 1f, -1f, 0.3f, -100f, 100f, 1e4f, -1e4f, 1e-40f, float.MaxValue, float.Epsilon,
        float.PositiveInfinity, float.NegativeInfinity, float.NaN,
    ];

    private GpuBackend Gpu => fixture.Backend;

    public static TheoryData<int> Lengths => [0, 1, 7, 16, 17, 300];

    [Theory]
    [MemberData(nameof(Lengths))]
    public void Upload_and_download_are_inverse(int length)
    {
        float[] values = Numbers(length, 1);
        Assert.Equal(values, GpuFixture.Download(GpuFixture.Upload(Gpu, values)));
    }

    [Theory]
    [MemberData(nameof(Lengths))]
    public void Fill(int length) => Same(length, (backend, y) => backend.Fill(y, 1.5f));

    [Theory]
    [MemberData(nameof(Lengths))]
    public void Fill_at_random(int length)
    {
        Randomness source = new(ulong.MaxValue - 5, 7, ulong.MaxValue - 2);
        Same(length, (backend, y) => backend.Fill(new UniformDistribution(-1f, 3f), source, y));
        Same(length, (backend, y) => backend.Fill(new BernoulliDistribution(0.3f, 2f), source, y));
        Same(length, (backend, y) => backend.Fill(new NormalDistribution(1f, 2f), source, y), 1e-5f);
    }

    [Theory]
    [MemberData(nameof(Lengths))]
    public void Map(int length)
    {
        Same(length, (backend, y) => backend.Map(default(Square), Numbers(backend, length, 1), y));
        Same(length, (backend, y) => backend.Map(new WithSecond<Subtract>(default, 3f), Numbers(backend, length, 1), y));
    }

    [Fact]
    public void Map_at_awkward_values()
    {
        void Check<TOp>(TOp op)
            where TOp : unmanaged, IUnaryOp =>
            Same(Awkward.Length, (backend, y) => backend.Map(op, GpuFixture.Upload(backend, Awkward), y), 2e-6f);

        Check(default(HyperbolicTangent));
        Check(default(Exponential));
        Check(default(Logarithm));
        Check(default(LogisticSigmoid));
        Check(default(SigmoidLinear));
        Check(default(Rectifier));
        Check(default(SquareRoot));
        Check(default(Sign));
        Check(default(Absolute));
        Check(new KeepBelow(3f));
        Check(new ClampBetween(-1f, 1f));
        Check(new Slope<HyperbolicTangent>(default));
        Check(new Slope<Slope<SigmoidLinear>>(new(default)));
    }

    [Fact]
    public void Zip_at_awkward_values()
    {
        void Check<TOp>(TOp op)
            where TOp : unmanaged, IBinaryOp =>
            Same(
                Awkward.Length * Awkward.Length,
                (backend, y) => backend.Zip(
                    op,
                    new Operand(GpuFixture.Upload(backend, Awkward), Awkward.Length, Awkward.Length),
                    new Operand(GpuFixture.Upload(backend, Awkward), Awkward.Length, 1),
                    y),
                2e-6f);

        Check(default(Maximum));
        Check(default(Minimum));
        Check(default(IsLess));
        Check(default(IsEqual));
        Check(default(Divide));
        Check(default(DivideOrZero));
        Check(new UnaryBackward<SquareRoot>(default));
        Check(new FirstSlope<Maximum>(default));
    }

    [Fact]
    public void Zip_broadcasts() =>
        Gen.Select(Gen.Int[0, 4], Gen.Int[0, 5], Gen.Int[0, 6]).Sample(
            (outer, middle, inner) =>
            {
                int length = outer * middle * inner;
                void Check(int aLength, int aRepeat, int bLength, int bRepeat) => Same(
                    length,
                    (backend, y) => backend.Zip(
                        default(Subtract),
                        new Operand(Numbers(backend, Math.Max(1, aLength), 1), Math.Max(1, aLength), Math.Max(1, aRepeat)),
                        new Operand(Numbers(backend, Math.Max(1, bLength), 2), Math.Max(1, bLength), Math.Max(1, bRepeat)),
                        y));

                Check(length, 1, length, 1);
                Check(length, 1, 1, 1);
                Check(inner, 1, outer * middle, inner);
                Check(middle, inner, length, 1);
            },
            iter: Cases,
            threads: 1);

    [Theory]
    [MemberData(nameof(Lengths))]
    public void Combine(int length) => Same(
        length,
        (backend, y) => backend.Combine(
            new FirstBackward<Multiply>(default),
            new Operand(Numbers(backend, length, 1)),
            new Operand(Numbers(backend, 1, 2), 1, 1),
            new Operand(Numbers(backend, length, 3)),
            y));

    [Fact]
    public void Elementwise_output_may_be_an_input() => Same(
        19,
        (backend, y) =>
        {
            backend.Fill(y, 0.5f);
            backend.Map(default(HyperbolicTangent), y, y);
            backend.Zip(default(Multiply), new Operand(y), new Operand(y), y);
            backend.Combine(default(Where), new Operand(y), new Operand(y), new Operand(y), y);
        },
        1e-6f);

    [Fact]
    public void Results_repeat_bit_by_bit()
    {
        Storage x = Numbers(Gpu, 3000, 1);
        Storage y = Gpu.Allocate(1);
        double[] norm = new double[1];
        HashSet<(float, double)> results = [];
        for (int repeat = 0; repeat < 5; repeat++)
        {
            Gpu.Reduce(default(Sum), x, new AxisLayout(1, 3000, 1), y);
            Gpu.Norms(x, 2, norm);
            results.Add((GpuFixture.Download(y)[0], norm[0]));
        }

        Assert.Single(results);
    }

    private static Storage Numbers(Backend backend, int length, ulong seed) => GpuFixture.Upload(backend, Numbers(length, seed));

    private static float[] Numbers(int length, ulong seed)
    {
        float[] values = new float[length];
        for (int i = 0; i < length; i++)
        {
            Philox.Uniform(seed, 0, (ulong)i, out float u, out float v);
            values[i] = (4f * u) - 2f + (0.01f * v);
        }

        return values;
    }

    /// <summary>Runs a method on both backends; the results agree relatively, or where they are small, absolutely.</summary>
    private void Same(int length, Action<Backend, Storage> run, float tolerance = 0f)
    {
        float[] expected = Run(CpuBackend.Instance, length, run);
        float[] found = Run(Gpu, length, run);
        for (int i = 0; i < length; i++)
        {
            bool isSame = expected[i].Equals(found[i])
                || expected[i] == found[i]
                || MathF.Abs(expected[i] - found[i]) <= Math.Max(tolerance, 1e-6f) * Math.Max(1f, MathF.Abs(expected[i]));
            Assert.True(isSame, $"element {i} of {length}: {found[i]:R} on {Gpu.Name}, {expected[i]:R} on the CPU");
        }
    }

    private static float[] Run(Backend backend, int length, Action<Backend, Storage> run)
    {
        Storage y = backend.Allocate(length);
        run(backend, y);
        return GpuFixture.Download(y);
    }
}
