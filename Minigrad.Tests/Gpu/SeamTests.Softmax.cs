using CsCheck;
using Minigrad.Backends;
using Minigrad.Gpu;

namespace Minigrad.Tests.Gpu;

/// <content>Softmax and cross-entropy.</content>
public sealed partial class SeamTests
{
    /// <summary>Outer, axis and inner: rows, columns, and none.</summary>
    public static TheoryData<int, int, int> SoftmaxLayouts => new()
    {
        { 0, 3, 1 }, { 3, 0, 1 }, { 1, 1, 1 }, { 5, 7, 1 }, { 3, 130, 1 }, { 2, 3, 5 }, { 1, 130, 3 }, { 4, 1, 20 },
    };

    [Theory]
    [MemberData(nameof(SoftmaxLayouts))]
    public void Softmax(int outer, int axis, int inner)
    {
        AxisLayout layout = new(outer, axis, inner);
        int length = layout.Length;
        foreach (bool logarithm in (bool[])[false, true])
        {
            float[] x = Array.ConvertAll(Numbers(length, 1), value => 40f * value);
            if (length > 6)
            {
                (x[0], x[1], x[^5]) = (float.NegativeInfinity, 1e4f, float.MaxValue);
            }

            Same(length, (backend, y) => backend.Softmax(GpuFixture.Upload(backend, x), layout, logarithm, y), 2e-6f);
            Same(
                length,
                (backend, y) =>
                {
                    backend.Upload(x, y);
                    backend.Softmax(y, layout, logarithm, y);
                },
                2e-6f);
        }
    }

    /// <summary>
    /// On OpenCL so many lines that groups of the usual size are more threads than a launch can have, and numbers so far apart that
    /// a thread's place times the distance is more than 32 bits hold. An emulated device would take minutes.
    /// </summary>
    [Fact]
    public void Softmax_of_very_many_lines()
    {
        int lines = fixture.Backend.Device.Kind is GpuDeviceKind.OpenClGpu or GpuDeviceKind.OpenClOther ? 70_000_000 : 700;
        float[] numbers = new float[2 * lines];
        for (int line = 0; line < lines; line++)
        {
            (numbers[line], numbers[lines + line]) = (line % 5, line % 3);
        }

        AxisLayout layout = new(1, 2, lines);
        Storage y = GpuFixture.Upload(fixture.Backend, numbers);
        Storage slopes = GpuFixture.Upload(fixture.Backend, numbers);
        double[] expected = [.. Enumerable.Range(0, 15).Select(line => 1 / (1 + Math.Exp((line % 3) - (line % 5))))];
        fixture.Backend.Softmax(y, layout, logarithm: false, y);
        fixture.Backend.Download(y, numbers);
        Check(numbers, line => expected[line % 15], line => 1 - expected[line % 15]);
        fixture.Backend.SoftmaxBackward(y, slopes, layout, logarithm: false, slopes);
        fixture.Backend.Download(slopes, numbers);
        double Slope(int line) => expected[line % 15] * (1 - expected[line % 15]) * ((line % 5) - (line % 3));
        Check(numbers, Slope, line => -Slope(line));

        void Check(float[] found, Func<int, double> first, Func<int, double> second)
        {
            for (int line = 0; line < lines; line++)
            {
                if (!(Math.Abs(found[line] - first(line)) < 1e-6 && Math.Abs(found[lines + line] - second(line)) < 1e-6))
                {
                    Assert.Fail($"Line {line} has {found[line]} and {found[lines + line]} in place of {first(line)} and {second(line)}.");
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(SoftmaxLayouts))]
    public void SoftmaxBackward(int outer, int axis, int inner)
    {
        AxisLayout layout = new(outer, axis, inner);
        int length = layout.Length;
        foreach (bool logarithm in (bool[])[false, true])
        {
            Same(
                length,
                (backend, result) =>
                {
                    Storage y = backend.Allocate(length);
                    backend.Softmax(Numbers(backend, length, 1), layout, logarithm, y);
                    backend.SoftmaxBackward(y, Numbers(backend, length, 2), layout, logarithm, result);
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
}
