using CsCheck;
using Minigrad.Backends;
using Minigrad.Backends.Cpu;
using Minigrad.Gpu;
using Minigrad.Numerics;
using Minigrad.Operations;
using Minigrad.Tests.Backends;

namespace Minigrad.Tests.Gpu;

/// <summary>Holds every method of the GPU backend against the CPU backend.</summary>
public sealed class SeamTests(GpuFixture fixture) : IClassFixture<GpuFixture>
{
    private const int Cases = 30;

    private static readonly float[] Awkward =
    [
        0f, -0f, 1f, -1f, 0.3f, -100f, 100f, 1e4f, -1e4f, 1e-40f, float.MaxValue, float.Epsilon,
        float.PositiveInfinity, float.NegativeInfinity, float.NaN,
    ];

    private static readonly Gen<AxisLayout> Layouts =
        Gen.Select(Gen.Int[0, 3], Gen.OneOfConst(0, 1, 2, 5, 64, 65, 130), Gen.Int[0, 3])
            .Select((outer, axis, inner) => new AxisLayout(outer, axis, inner));

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
            backend.Combine(default(Choose), new Operand(y), new Operand(y), new Operand(y), y);
        },
        1e-6f);

    [Fact]
    public void Reduce() => Layouts.Sample(
        layout =>
        {
            int outputs = layout.Outer * layout.Inner;
            Same(outputs, (backend, y) => backend.Reduce(default(Sum), Numbers(backend, layout.Length, 1), layout, y), 1e-5f);
            Same(outputs, (backend, y) => backend.Reduce(default(Largest), Numbers(backend, layout.Length, 2), layout, y));
            Same(outputs, (backend, y) => backend.Reduce(default(SumOfSquares), Numbers(backend, layout.Length, 3), layout, y), 1e-5f);
        },
        iter: Cases,
        threads: 1);

    [Fact]
    public void Reduce_a_long_axis_in_three_levels()
    {
        AxisLayout layout = new(2, 2500, 1);
        Same(2, (backend, y) => backend.Reduce(default(SumOfAbsolutes), Numbers(backend, 5000, 1), layout, y), 1e-5f);
        float[] values = Numbers(5000, 2);
        values[2499] = float.NaN;
        Same(2, (backend, y) => backend.Reduce(default(Largest), GpuFixture.Upload(backend, values), layout, y));
    }

    [Fact]
    public void ArgMax() => Layouts.Where(layout => layout.Axis > 0).Sample(
        layout =>
        {
            foreach (float sign in (float[])[1f, -1f])
            {
                // Coarse numbers have ties, of which the first counts.
                float[] values = Array.ConvertAll(Numbers(layout.Length, 4), MathF.Round);
                if (values.Length > 2)
                {
                    values[^2] = float.NaN;
                    values[1] = float.NegativeInfinity;
                }

                int[] expected = new int[layout.Outer * layout.Inner];
                int[] found = new int[expected.Length];
                CpuBackend.Instance.ArgMax(GpuFixture.Upload(CpuBackend.Instance, values), layout, sign, expected);
                Gpu.ArgMax(GpuFixture.Upload(Gpu, values), layout, sign, found);
                Assert.Equal(expected, found);
            }
        },
        iter: Cases,
        threads: 1);

    [Fact]
    public void CumulativeSum() => Layouts.Sample(
        layout =>
        {
            foreach (bool reverse in (bool[])[false, true])
            {
                Same(
                    layout.Length,
                    (backend, y) => backend.CumulativeSum(Numbers(backend, layout.Length, 1), layout, reverse, y));
            }
        },
        iter: Cases,
        threads: 1);

    [Fact]
    public void MatrixProduct() =>
        Gen.Select(Gen.Int[0, 9], Gen.Int[0, 9], Gen.Int[0, 17], Gen.Int[0, 3], Gen.Int[0, 63]).Sample(
            (rows, columns, depth, batch, flags) =>
            {
                MatrixProductShape shape = new(rows, columns, depth)
                {
                    Batch = batch,
                    TransposeLeft = (flags & 1) != 0,
                    TransposeRight = (flags & 2) != 0,
                    SharedLeft = (flags & 4) != 0,
                    SharedRight = (flags & 8) != 0,
                };
                int left = rows * depth * (shape.SharedLeft ? 1 : batch);
                int right = depth * columns * (shape.SharedRight ? 1 : batch);
                Same(
                    batch * rows * columns,
                    (backend, y) =>
                    {
                        Storage? bias = (flags & 16) != 0 ? Numbers(backend, columns, 3) : null;
                        Part a = Numbers(backend, left, 1);
                        Part b = Numbers(backend, right, 2);
                        if ((flags & 32) != 0)
                        {
                            backend.MatrixProduct(shape, a, b, y, bias, default(HyperbolicTangent));
                        }
                        else
                        {
                            backend.MatrixProduct(shape, a, b, y, bias, default(Identity));
                        }
                    },
                    1e-4f);
            },
            iter: 2 * Cases,
            threads: 1);

    [Fact]
    public void MatrixProduct_of_parts() => Same(
        20,
        (backend, y) =>
        {
            backend.Fill(y, -1f);
            MatrixProductShape shape = new(3, 4, 5) { TransposeRight = true };
            backend.MatrixProduct(
                shape, new Part(Numbers(backend, 30, 1), 7), new Part(Numbers(backend, 40, 2), 11), new Part(y, 6));
        },
        1e-4f);

    [Theory]
    [InlineData(1, 1)]
    [InlineData(3, 5)]
    [InlineData(2, 17)]
    [InlineData(0, 4)]
    public void Cell(int rows, int width)
    {
        void Check<TCell>(TCell cell)
            where TCell : unmanaged, IRecurrentCell
        {
            foreach (Func<CellOperands, Part> output in (Func<CellOperands, Part>[])
                [
                    operands => operands.Forward.Hidden, operands => operands.Forward.State, operands => operands.Forward.Saved,
                    operands => operands.Backward.DirectGradientBefore, operands => operands.Backward.StateGradientBefore,
                    operands => operands.Backward.InputGradient, operands => operands.Backward.RecurrentGradient,
                ])
            {
                int length = output(new CellOperands(CpuBackend.Instance, rows, width, cell.GateCount, cell.SavedCount)).Storage.Length;
                Same(
                    length,
                    (backend, y) =>
                    {
                        CellOperands operands = new(backend, rows, width, cell.GateCount, cell.SavedCount);
                        backend.Cell(cell, operands.Forward);
                        backend.CellBackward(cell, operands.Backward);
                        StridedLayout layout = new(0, [1]);
                        backend.Copy(output(operands).Storage, layout, y, layout, [length]);
                    },
                    1e-5f);
            }
        }

        Check(default(LstmCell));
        Check(default(GruCell));
        Check(default(ElmanCell<HyperbolicTangent>));
        Check(default(ElmanCell<Rectifier>));
    }

    [Theory]
    [InlineData(0, 3)]
    [InlineData(3, 0)]
    [InlineData(1, 1)]
    [InlineData(5, 7)]
    [InlineData(3, 130)]
    public void Softmax(int rows, int columns)
    {
        int length = rows * columns;
        foreach (bool logarithm in (bool[])[false, true])
        {
            float[] x = Array.ConvertAll(Numbers(length, 1), value => 40f * value);
            if (length > 6)
            {
                (x[0], x[1], x[columns + 2]) = (float.NegativeInfinity, 1e4f, float.MaxValue);
            }

            Same(length, (backend, y) => backend.Softmax(GpuFixture.Upload(backend, x), rows, columns, logarithm, y), 2e-6f);
            Same(
                length,
                (backend, y) =>
                {
                    backend.Upload(x, y);
                    backend.Softmax(y, rows, columns, logarithm, y);
                },
                2e-6f);
        }
    }

    [Theory]
    [InlineData(0, 3)]
    [InlineData(3, 0)]
    [InlineData(1, 1)]
    [InlineData(5, 7)]
    [InlineData(3, 130)]
    public void SoftmaxBackward(int rows, int columns)
    {
        int length = rows * columns;
        foreach (bool logarithm in (bool[])[false, true])
        {
            Same(
                length,
                (backend, result) =>
                {
                    Storage y = backend.Allocate(length);
                    backend.Softmax(Numbers(backend, length, 1), rows, columns, logarithm, y);
                    backend.SoftmaxBackward(y, Numbers(backend, length, 2), rows, columns, logarithm, result);
                },
                1e-5f);
        }
    }

    [Theory]
    [InlineData(0, 3)]
    [InlineData(1, 1)]
    [InlineData(5, 7)]
    [InlineData(3, 130)]
    public void CrossEntropy(int rows, int columns)
    {
        int[] labels = [.. Enumerable.Range(0, rows).Select(row => row % 4 == 2 ? -1 : row % columns)];
        foreach (bool hasWeights in (bool[])[false, true])
        {
            foreach (float smoothing in (float[])[0f, 0.3f])
            {
                void Run(Backend backend, Storage losses, Storage slope)
                {
                    Storage x = GpuFixture.Upload(backend, Array.ConvertAll(Numbers(rows * columns, 1), value => 40f * value));
                    float[] weights = Array.ConvertAll(Numbers(columns, 2), MathF.Abs);
                    ClassTargets targets = new(
                        new RowNumbers(labels),
                        1 - smoothing,
                        smoothing / columns,
                        hasWeights ? GpuFixture.Upload(backend, weights) : null,
                        hasWeights ? weights.Sum() : columns);
                    Storage normalizers = backend.Allocate(2 * rows);
                    backend.CrossEntropy(x, targets, columns, normalizers, losses);
                    backend.CrossEntropyBackward(x, normalizers, targets, columns, Numbers(backend, rows, 3), 2f, slope);
                }

                Same(rows, (backend, losses) => Run(backend, losses, backend.Allocate(rows * columns)), 1e-5f);
                Same(rows * columns, (backend, slope) => Run(backend, backend.Allocate(rows), slope), 1e-5f);
            }
        }
    }

    [Fact]
    public void Copy_transposes_slices_reverses_and_repeats()
    {
        void Check(int[] dimensions, StridedLayout source, StridedLayout target) => Same(
            60,
            (backend, y) =>
            {
                backend.Fill(y, -7f);
                backend.Copy(Numbers(backend, 60, 1), source, y, target, dimensions);
            });

        Check([3, 4, 5], new(0, [20, 5, 1]), StridedLayout.RowMajor([3, 4, 5]));
        Check([5, 3, 4], new(0, [1, 20, 5]), StridedLayout.RowMajor([5, 3, 4]));
        Check([4, 5], new(19, [-5, -1]), new(3, [5, 1]));
        Check([6, 7], new(2, [0, 1]), new(1, [1, 6]));
        Check([], new(5, []), new(7, []));
        Check([1, 1], new(5, [3, 3]), new(7, [9, 9]));
        Check([3, 0], new(0, [1, 1]), new(0, [1, 1]));
    }

    [Theory]
    [InlineData(8)]
    [InlineData(10)]
    public void Copy_of_any_rank(int rank)
    {
        int[] dimensions = new int[rank];
        Array.Fill(dimensions, 2);
        int[] reversed = new int[rank];
        for (int axis = 0; axis < rank; axis++)
        {
            reversed[axis] = 1 << axis;
        }

        int length = 1 << rank;
        Same(
            length,
            (backend, y) => backend.Copy(
                Numbers(backend, length, 1), new(0, reversed), y, StridedLayout.RowMajor(dimensions), dimensions));
    }

    [Theory]
    [InlineData(0, 3)]
    [InlineData(4, 0)]
    [InlineData(1, 1)]
    [InlineData(9, 5)]
    public void Gather_and_scatter_add(int count, int width)
    {
        int[] rows = new int[count];
        for (int r = 0; r < count; r++)
        {
            rows[r] = r * r % 4;
        }

        RowNumbers numbers = new(rows);
        Same(count * width, (backend, y) => backend.Gather(Numbers(backend, 4 * width, 1), numbers, width, y));
        Same(
            4 * width,
            (backend, y) =>
            {
                backend.Fill(y, 1f);
                backend.ScatterAdd(Numbers(backend, count * width, 1), numbers, width, y);
            },
            1e-5f);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(double.PositiveInfinity)]
    [InlineData(3)]
    [InlineData(8)]
    [InlineData(0.5)]
    [InlineData(1.7)]
    public void Norms(double order)
    {
        void Check(float[] values, int units)
        {
            double[] expected = new double[units];
            double[] norms = new double[units];
            CpuBackend.Instance.Norms(GpuFixture.Upload(CpuBackend.Instance, values), order, expected);
            Gpu.Norms(GpuFixture.Upload(Gpu, values), order, norms);
            for (int unit = 0; unit < units; unit++)
            {
                bool isSame = expected[unit].Equals(norms[unit])
                    || Math.Abs(expected[unit] - norms[unit]) <= 1e-12 * Math.Abs(expected[unit]);
                Assert.True(isSame, $"p = {order}: {norms[unit]:R} instead of {expected[unit]:R}");
                ReadOnlySpan<float> elements = values.AsSpan(unit * (values.Length / units), values.Length / units);
                bool isFinite = true;
                foreach (float element in elements)
                {
                    isFinite &= float.IsFinite(element);
                }

                Assert.Equal(isFinite, double.IsFinite(norms[unit]));
            }
        }

        Check([], 1);
        Check([], 3);
        Check([0f, 0f], 1);
        Check([-2f], 1);
        Check(Numbers(63, 1), 9);
        Check(Numbers(300, 2), 2);
        Check(Numbers(2500, 3), 1);
        Check([float.MaxValue, -float.MaxValue, float.MaxValue], 1);
        Check([float.Epsilon, float.Epsilon, 0f], 1);
        Check([float.MaxValue, float.Epsilon, 1f], 1);
        Check([1f, float.NaN, float.PositiveInfinity, 1f, float.NegativeInfinity, 2f, 3f, 4f], 4);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(double.PositiveInfinity)]
    [InlineData(3)]
    public void Norms_of_several_buffers_are_the_norm_of_each_alone(double order)
    {
        int[] lengths = [0, 1, 7, 100, 8192, 8193, 30_000, 0, 5];
        foreach (Backend backend in (Backend[])[CpuBackend.Instance, Gpu])
        {
            Storage[] buffers = [.. lengths.Select((length, i) => Numbers(backend, length, (ulong)i + 1))];
            double[] norms = new double[buffers.Length];
            backend.Norms(buffers, order, norms);
            for (int i = 0; i < buffers.Length; i++)
            {
                double[] alone = new double[1];
                backend.Norms(buffers[i], order, alone);
                Assert.Equal(BitConverter.DoubleToInt64Bits(alone[0]), BitConverter.DoubleToInt64Bits(norms[i]));
            }

            backend.Norms([], order, []);
        }
    }

    [Fact]
    public void Update_applies_scale_bound_and_unit_factors()
    {
        float[] gradient = [1f, -2f, 1e30f, float.NaN, float.PositiveInfinity, 0f, -1e-30f, 4f, 0.25f];
        void Check(GradientScale scale, float[]? unitFactors)
        {
            foreach (int states in (int[])[0, 1, 2, 3])
            {
                for (int shown = 0; shown <= states; shown++)
                {
                    Same(
                        gradient.Length,
                        (backend, y) =>
                        {
                            GradientScale own = unitFactors is null
                                ? scale
                                : scale with { UnitFactors = GpuFixture.Upload(backend, unitFactors), UnitLength = 3 };
                            Update(backend, states, shown, own, gradient, y);
                        },
                        1e-6f);
                }
            }
        }

        Check(GradientScale.One, null);
        Check(new GradientScale(1e-30f, 1e-20f, float.PositiveInfinity), null);
        Check(new GradientScale(2f, 0.5f, 1.5f), null);
        Check(new GradientScale(2f, 1f, 3f), [1f, 1f, 0.5f, 0.25f, 1e-3f, 1f]);
    }

    [Fact]
    public void Update_of_several_and_of_empty_parameters()
    {
        Storage empty = Gpu.Allocate(0);
        Storage first = GpuFixture.Upload(Gpu, 1f, 2f);
        Storage second = GpuFixture.Upload(Gpu, 3f);
        Gpu.Update(
            new DescentRule(0.5f),
            [
                new UpdateTarget(empty, Gpu.Allocate(0), GradientScale.One, []),
                new UpdateTarget(first, GpuFixture.Upload(Gpu, 1f, 1f), GradientScale.One, []),
                new UpdateTarget(second, GpuFixture.Upload(Gpu, -2f), GradientScale.One, []),
            ]);
        Assert.Equal([0.5f, 1.5f], GpuFixture.Download(first));
        Assert.Equal([4f], GpuFixture.Download(second));
    }

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

    /// <summary>Runs an update and shows the parameter (0) or one of the states (1 to 3).</summary>
    private static void Update(Backend backend, int states, int shown, GradientScale scale, float[] gradient, Storage y)
    {
        int length = gradient.Length;
        Storage[] all = [Numbers(backend, length, 1), Numbers(backend, length, 2), Numbers(backend, length, 3), Numbers(backend, length, 4)];
        all[shown] = y;
        backend.Upload(Numbers(length, 5), y);
        UpdateTarget target = new(all[0], GpuFixture.Upload(backend, gradient), scale, all[1..(states + 1)]);
        switch (states)
        {
            case 0:
                backend.Update(new DescentRule(0.5f), [target]);
                break;
            case 1:
                backend.Update(new OneStateRule(0.5f), [target]);
                break;
            case 2:
                backend.Update(new TwoStateRule(0.5f), [target]);
                break;
            default:
                backend.Update(new ThreeStateRule(0.5f), [target]);
                break;
        }
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

    /// <summary>p ← p − c · g.</summary>
    public readonly struct DescentRule(float rate) : IUpdateRule
    {
        private readonly float rate = rate;

        public int StateCount => 0;

        public void Update<T>(ref T parameter, T gradient, ref T first, ref T second, ref T third)
            where T : struct, IReal<T> => parameter -= rate * gradient;
    }

    /// <summary>Momentum.</summary>
    public readonly struct OneStateRule(float rate) : IUpdateRule
    {
        private readonly float rate = rate;

        public int StateCount => 1;

        public void Update<T>(ref T parameter, T gradient, ref T first, ref T second, ref T third)
            where T : struct, IReal<T>
        {
            first = (0.9f * first) + gradient;
            parameter -= rate * first;
        }
    }

    /// <summary>Like Adam.</summary>
    public readonly struct TwoStateRule(float rate) : IUpdateRule
    {
        private readonly float rate = rate;

        public int StateCount => 2;

        public void Update<T>(ref T parameter, T gradient, ref T first, ref T second, ref T third)
            where T : struct, IReal<T>
        {
            first = (0.9 * first) + (0.1 * gradient);
            second = T.Abs((0.999 * second) + (0.001 * (gradient * gradient)));
            parameter -= rate * first / (T.Sqrt(second) + 1e-8f);
        }
    }

    /// <summary>Like AMSGrad.</summary>
    public readonly struct ThreeStateRule(float rate) : IUpdateRule
    {
        private readonly float rate = rate;

        public int StateCount => 3;

        public void Update<T>(ref T parameter, T gradient, ref T first, ref T second, ref T third)
            where T : struct, IReal<T>
        {
            new TwoStateRule(rate).Update(ref parameter, gradient, ref first, ref second, ref third);
            third = T.Max(third, second);
            parameter -= rate * third;
        }
    }
}
