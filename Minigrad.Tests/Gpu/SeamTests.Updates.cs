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
