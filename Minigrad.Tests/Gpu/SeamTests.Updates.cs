using Minigrad.Backends;
using Minigrad.Numerics;
using Minigrad.Operations;

namespace Minigrad.Tests.Gpu;

/// <content>Updates of parameters.</content>
public sealed partial class SeamTests
{
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
                                : scale with { UnitFactors = GpuFixture.Upload(backend, unitFactors), UnitLength = 3, UnitCount = 3 };
                            Update(backend, states, shown, own, gradient, y);
                        },
                        1e-6f);
                }
            }
        }

        Check(GradientScale.One, null);
        Check(new GradientScale(1e-30f, 1e-20f, float.NegativeInfinity, float.PositiveInfinity), null);
        Check(new GradientScale(2f, 0.5f, -1.5f, 1.5f), null);
        Check(new GradientScale(2f, 1f, -3f, 3f), [1f, 1f, 0.5f, 0.25f, 1e-3f, 1f]);
    }

    /// <summary>Columns are units of which neighbours are different ones: more of them than one piece of the loop, and fewer.</summary>
    [Theory]
    [InlineData(3, 2)]
    [InlineData(3, 700)]
    [InlineData(300, 3)]
    public void Update_applies_factors_of_columns(int rows, int columns)
    {
        float[] gradient = Numbers(rows * columns, 9);
        float[] factors = Numbers(2 * columns, 11);
        foreach (int shown in (int[])[0, 1, 2])
        {
            Same(
                gradient.Length,
                (backend, y) =>
                {
                    GradientScale scale = new(2f, 0.5f, -0.4f, 0.7f)
                    {
                        UnitFactors = GpuFixture.Upload(backend, factors),
                        UnitLength = 1,
                        UnitCount = columns,
                    };
                    Update(backend, states: 2, shown, scale, gradient, y);
                },
                1e-6f);
        }

        Storage parameter = Minigrad.Backends.Cpu.CpuBackend.Instance.Allocate(gradient.Length);
        parameter.Backend.Fill(parameter, 0f);
        GradientScale each = new(1f, 1f, float.NegativeInfinity, float.PositiveInfinity)
        {
            UnitFactors = GpuFixture.Upload(parameter.Backend, factors),
            UnitLength = 1,
            UnitCount = columns,
        };
        parameter.Backend.Update(new DescentRule(1f), [new UpdateTarget(parameter, GpuFixture.Upload(parameter.Backend, gradient), each, [])], []);
        Assert.Equal(
            gradient.Select((g, i) => -(g * factors[2 * (i % columns)] * factors[(2 * (i % columns)) + 1])), GpuFixture.Download(parameter));
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
            ],
            []);
        Assert.Equal([0.5f, 1.5f], GpuFixture.Download(first));
        Assert.Equal([4f], GpuFixture.Download(second));
    }

    /// <summary>An element is outside a bound only as it is after scaling; NaN is not, and neither is what fills up the last vector.</summary>
    [Fact]
    public void An_update_says_of_which_gradients_an_element_has_passed_a_bound()
    {
        const float No = float.PositiveInfinity;
        (float[] Gradient, GradientScale Scale, int UnitLength, bool Expected)[] cases =
        [
            ([1f, -2f, 3f], GradientScale.One, 0, false),
            ([1f, -2f, 3f], new(1f, 1f, -3f, 3f), 0, false),
            ([1f, -2f, 3f], new(1f, 1f, -3f, 2.9999998f), 0, true),
            ([1f, -2f, 3f], new(1f, 1f, -1.9999999f, No), 0, true),
            ([1f, -2f, 3f], new(0.5f, 0.5f, -0.5f, 0.75f), 0, false),
            ([1f, -2f, 3f], new(0.5f, 0.5f, -0.5f, 0.7f), 0, true),
            ([0.1f], new(1f, 1f, -0.5f, 0.5f), 0, false),
            ([float.NaN, 0f], new(1f, 1f, -0.5f, 0.5f), 0, false),
            ([float.NaN, No], new(1f, 1f, -0.5f, 0.5f), 0, true),
            ([], new(1f, 1f, -0.5f, 0.5f), 0, false),
            ([0f, -0f], new(1f, 1f, 0f, 1f), 0, false),
            ([1f, 1f, 4f, 4f], new(1f, 1f, -1f, 1f), 2, false),
            ([1f, 1f, 4f, 4.0000005f], new(1f, 1f, -1f, 1f), 2, true),
            ([1f, 4f, 1f, 4f], new(1f, 1f, -1f, 1f), 1, false),
            ([1f, 4f, 1.0000001f, 4f], new(1f, 1f, -1f, 1f), 1, true),
            ([.. new float[40_000], 2f, .. new float[70_000]], new(1f, 1f, -1f, 1f), 0, true),
            (new float[110_000], new(1f, 1f, -1f, 1f), 0, false),
        ];
        foreach (Backend backend in (Backend[])[Minigrad.Backends.Cpu.CpuBackend.Instance, Gpu])
        {
            UpdateTarget[] targets = [.. cases.Select(item => new UpdateTarget(
                GpuFixture.Upload(backend, item.Gradient),
                GpuFixture.Upload(backend, item.Gradient),
                item.UnitLength == 0 ? item.Scale : item.Scale with { UnitFactors = GpuFixture.Upload(backend, 1f, 1f, 0.25f, 1f), UnitLength = item.UnitLength, UnitCount = 2 },
                []))];
            bool[] clamped = new bool[cases.Length];
            backend.Update(new DescentRule(0f), targets, clamped);
            Assert.Equal(cases.Select(item => item.Expected), clamped);

            // Nothing is taken back, and where nobody asks nothing is said.
            backend.Update(new DescentRule(0f), targets.Reverse().ToArray(), clamped);
            Assert.Equal(cases.Zip(cases.Reverse(), (item, other) => item.Expected || other.Expected), clamped);
            backend.Update(new DescentRule(0f), targets, []);

            foreach (UpdateTarget target in targets)
            {
                float[] before = GpuFixture.Download(target.Gradient);
                Storage copy = backend.Allocate(before.Length);
                bool found = backend.WriteScaled(target.Gradient, target.Scale, copy);
                Assert.Equal(before, GpuFixture.Download(target.Gradient));
                Assert.Equal(found, backend.WriteScaled(target.Gradient, target.Scale, target.Gradient));
                Assert.Equal(GpuFixture.Download(copy), GpuFixture.Download(target.Gradient));
                Assert.Equal(cases[Array.IndexOf(targets, target)].Expected, found);
                float[] written = GpuFixture.Download(copy);
                for (int i = 0; i < written.Length; i++)
                {
                    int unit = target.Scale.UnitFactors is null ? 0 : i / target.Scale.UnitLength % 2;
                    float expected = before[i] * (target.Scale.First * (unit == 1 ? 0.25f : 1f)) * target.Scale.Second;
                    Assert.Equal(float.IsNaN(expected) ? expected : Math.Clamp(expected, target.Scale.Low, target.Scale.High), written[i]);
                }
            }
        }
    }

    [Fact]
    public void Updates_are_measured_with_scale_bound_and_unit_factors_and_nothing_changes()
    {
        foreach (int length in (int[])[0, 1, 9, 600, 40_000])
        {
            float[] gradient = Numbers(length, 7);
            void Check<TRule>(TRule rule, GradientScale scale, int unitLength)
                where TRule : unmanaged, IMeasuredRule<TRule>
            {
                double[] found = [.. new[] { Minigrad.Backends.Cpu.CpuBackend.Instance, (Backend)Gpu }.Select(backend =>
                {
                    Storage[] all = [Numbers(backend, length, 1), Numbers(backend, length, 2)];
                    GradientScale own = unitLength == 0
                        ? scale
                        : scale with { UnitFactors = GpuFixture.Upload(backend, Numbers(2 * ((length / unitLength) + 1), 3)), UnitLength = unitLength, UnitCount = (length / unitLength) + 1 };
                    double[] norms = [double.NaN, double.NaN];
                    UpdateTarget target = new(all[0], GpuFixture.Upload(backend, gradient), own, all[1..]);
                    backend.MeasureUpdates(rule, [target, target], norms);
                    Assert.Equal(Numbers(length, 1), GpuFixture.Download(all[0]));
                    Assert.Equal(Numbers(length, 2), GpuFixture.Download(all[1]));
                    Assert.Equal(norms[0], norms[1]);
                    return norms[0];
                })];
                Assert.Equal(found[0], found[1], 1e-6 * found[0]);
                Assert.Equal(length == 0, found[0] == 0);
            }

            Check(default(LargestRule), GradientScale.One, 0);
            Check(default(SquaresRule), GradientScale.One, 0);
            Check(default(SquaresRule), new GradientScale(1e-30f, 1e20f, float.NegativeInfinity, float.PositiveInfinity), 0);
            Check(default(LargestRule), new GradientScale(2f, 0.5f, -0.3f, 0.2f), 3);
            Check(default(SquaresRule), new GradientScale(2f, 0.5f, -0.1f, 0.3f), 7);
            Check(default(SquaresRule), new GradientScale(2f, 0.5f, -0.1f, 0.3f), 1);
        }
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
                backend.Update(new DescentRule(0.5f), [target], []);
                break;
            case 1:
                backend.Update(new OneStateRule(0.5f), [target], []);
                break;
            case 2:
                backend.Update(new TwoStateRule(0.5f), [target], []);
                break;
            default:
                backend.Update(new ThreeStateRule(0.5f), [target], []);
                break;
        }
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

    /// <summary>Measures p + g · s in L2.</summary>
    public readonly struct SquaresRule : IMeasuredRule<SquaresRule>
    {
        public static double Order => 2.0;

        public int StateCount => 1;

        public T Measure<T>(T parameter, T gradient, T first, T second, T third)
            where T : struct, IReal<T> => parameter + (gradient * first);

        public double Size<TMath>(double norm, double count)
            where TMath : struct, IStepMath => norm;

        public double Factor(double size, double threshold) => 1.0;

        public SquaresRule Shortened(double coefficient) => this;

        public void Update<T>(ref T parameter, T gradient, ref T first, ref T second, ref T third)
            where T : struct, IReal<T> => parameter -= gradient;
    }

    /// <summary>Measures the same, of which the largest counts.</summary>
    public readonly struct LargestRule : IMeasuredRule<LargestRule>
    {
        public static double Order => double.PositiveInfinity;

        public int StateCount => 1;

        public T Measure<T>(T parameter, T gradient, T first, T second, T third)
            where T : struct, IReal<T> => default(SquaresRule).Measure(parameter, gradient, first, second, third);

        public double Size<TMath>(double norm, double count)
            where TMath : struct, IStepMath => norm;

        public double Factor(double size, double threshold) => 1.0;

        public LargestRule Shortened(double coefficient) => this;

        public void Update<T>(ref T parameter, T gradient, ref T first, ref T second, ref T third)
            where T : struct, IReal<T> => parameter -= gradient;
    }
}
