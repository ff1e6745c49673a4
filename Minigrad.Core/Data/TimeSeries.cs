namespace Minigrad.Data;

/// <summary>Series of values over time, made into rows to learn from.</summary>
public static class TimeSeries
{
    /// <summary>Windows of a series, each with the values that follow it, to learn to forecast.</summary>
    /// <param name="series">The values in the order of time, <c>[time]</c> or <c>[time, features]</c>.</param>
    /// <param name="length">The steps of a window.</param>
    /// <param name="horizon">How many steps after it are its target.</param>
    /// <param name="stride">The steps from the beginning of one window to that of the next.</param>
    /// <returns>Inputs <c>[windows, length, features]</c> and targets <c>[windows, horizon, features]</c>; a series
    /// <c>[time]</c> has one feature.</returns>
    /// <exception cref="ShapeException">The series has another shape, is too short for one window and its target, or gives more numbers than a tensor holds.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The length, the horizon or the stride is less than 1.</exception>
    public static PairedData Windows(Tensor series, int length, int horizon = 1, int stride = 1)
    {
        ArgumentNullException.ThrowIfNull(series);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(length);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(horizon);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(stride);
        if (series.Rank is 0 or > 2)
        {
            throw new ShapeException($"Windows: the series has shape {series.Shape}; it must be [time] or [time, features].");
        }

        long spare = series.Shape[0] - (long)length - horizon;
        if (spare < 0)
        {
            throw new ShapeException(
                $"Windows: a window of {length} steps and a target of {horizon} need {(long)length + horizon} steps, but the series of shape {series.Shape} has {series.Shape[0]}. Use a shorter window or horizon, or a longer series.");
        }

        int count = (int)(spare / stride) + 1;
        int features = series.Rank == 1 ? 1 : series.Shape[1];
        int longest = Math.Max(length, horizon);
        if ((double)count * longest * Math.Max(1, features) > Array.MaxLength)
        {
            throw new ShapeException(
                $"Windows: {count:N0} windows of {longest:N0} steps with {features:N0} features each are more than the {Array.MaxLength:N0} elements that one array can hold. Use a larger stride, a shorter window or horizon, or a part of the series at a time.");
        }

        return new PairedData(Cut(0, length), Cut(length, horizon));

        Tensor Cut(int offset, int steps)
        {
            int[] places = new int[count * steps];
            for (int i = 0; i < places.Length; i++)
            {
                places[i] = (i / steps * stride) + offset + (i % steps);
            }

            return series.IndexSelect(0, places).Reshape(count, steps, features);
        }
    }

    /// <summary>Windows of a series of single values, as of a tensor <c>[time]</c>.</summary>
    /// <param name="series">The values in the order of time.</param>
    /// <param name="length">The steps of a window.</param>
    /// <param name="horizon">How many steps after it are its target.</param>
    /// <param name="stride">The steps from the beginning of one window to that of the next.</param>
    /// <returns>Inputs <c>[windows, length, 1]</c> and targets <c>[windows, horizon, 1]</c>.</returns>
    /// <exception cref="ShapeException">The series is too short for one window and its target, or gives more numbers than a tensor holds.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The length, the horizon or the stride is less than 1.</exception>
    public static PairedData Windows(float[] series, int length, int horizon = 1, int stride = 1)
    {
        ArgumentNullException.ThrowIfNull(series);
        return Windows(Tensor.Of(series.AsSpan()), length, horizon, stride);
    }
}
