using CsCheck;
using Minigrad.Data;

namespace Minigrad.Tests.Data;

/// <summary>Windows of a series and the values that follow them.</summary>
public sealed class TimeSeriesTests
{
    [Fact]
    public void Windows_of_single_values_and_of_features_are_followed_by_their_targets()
    {
        (Tensor inputs, Tensor targets) = TimeSeries.Windows([0, 1, 2, 3, 4, 5, 6], length: 3, horizon: 2, stride: 2);
        Assert.Equal([2, 3, 1], inputs.Shape);
        Assert.Equal([2, 2, 1], targets.Shape);
        Assert.Equal([0f, 1, 2, 2, 3, 4], inputs.ToArray());
        Assert.Equal([3f, 4, 5, 6], targets.ToArray());

        (inputs, targets) = TimeSeries.Windows(Tensor.Arange(8).Reshape(4, 2), length: 2);
        Assert.Equal([2, 2, 2], inputs.Shape);
        Assert.Equal([0f, 1, 2, 3, 2, 3, 4, 5], inputs.ToArray());
        Assert.Equal([4f, 5, 6, 7], targets.ToArray());
    }

    [Fact]
    public void Every_window_that_fits_is_there() =>
        Gen.Select(Gen.Int[1, 60], Gen.Int[1, 20], Gen.Int[1, 10], Gen.Int[1, 5]).Sample((time, length, horizon, stride) =>
        {
            float[] series = [.. Enumerable.Range(0, time).Select(step => (float)step)];
            int[] starts = [.. Enumerable.Range(0, time).Where(start => start % stride == 0 && start + length + horizon <= time)];
            if (starts.Length == 0)
            {
                Assert.Throws<ShapeException>(() => TimeSeries.Windows(series, length, horizon, stride));
                return;
            }

            (Tensor inputs, Tensor targets) = TimeSeries.Windows(series, length, horizon, stride);
            Assert.Equal(starts.SelectMany(start => series[start..(start + length)]), inputs.ToArray());
            Assert.Equal(starts.SelectMany(start => series[(start + length)..(start + length + horizon)]), targets.ToArray());
        });

    [Fact]
    public void A_series_that_does_not_suffice_is_refused()
    {
        string message = Assert.Throws<ShapeException>(() => TimeSeries.Windows(new float[4], length: 3, horizon: 2)).Message;
        Assert.Contains("need 5 steps", message, StringComparison.Ordinal);
        Assert.Contains("has 4", message, StringComparison.Ordinal);
        Assert.Throws<ShapeException>(() => TimeSeries.Windows(new float[4], int.MaxValue, int.MaxValue));
        message = Assert.Throws<ShapeException>(() => TimeSeries.Windows(new float[100000], 50000)).Message;
        Assert.Contains("50,000 windows of 50,000 steps with 1 features each are more than", message, StringComparison.Ordinal);
        Assert.Contains("larger stride", message, StringComparison.Ordinal);
        Assert.Contains("[2, 2, 2]", Assert.Throws<ShapeException>(() => TimeSeries.Windows(Tensor.Zeros(2, 2, 2), 1)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => TimeSeries.Windows(new float[4], 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => TimeSeries.Windows(new float[4], 1, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => TimeSeries.Windows(new float[4], 1, 1, 0));
    }
}
