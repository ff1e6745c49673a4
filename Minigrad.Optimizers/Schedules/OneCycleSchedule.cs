namespace Minigrad.Optimizers.Schedules;

/// <summary>Half a wave up to the maximum, then one down to the end, or two by way of the start.</summary>
internal sealed class OneCycleSchedule : Schedule
{
    private readonly int length;

    /// <summary>When each phase begins, and the last ends; as in PyTorch the times between may lie between two steps.</summary>
    private readonly double[] times;

    /// <summary>The value at each of these times.</summary>
    private readonly double[] values;

    /// <summary>A schedule.</summary>
    /// <param name="maximum">The value at the top.</param>
    /// <param name="length">How many steps the training takes.</param>
    /// <param name="riseShare">Which part of them is the rise.</param>
    /// <param name="startDivisor">The start is the maximum divided by this.</param>
    /// <param name="endDivisor">The end is the start divided by this.</param>
    /// <param name="threePhases">Whether the way down leads by the start.</param>
    public OneCycleSchedule(double maximum, int length, double riseShare, double startDivisor, double endDivisor, bool threePhases)
    {
        double top = CheckFinite(maximum, nameof(maximum), nameof(OneCycle));
        double start = top / CheckPositive(startDivisor, nameof(startDivisor), nameof(OneCycle));
        double end = start / CheckPositive(endDivisor, nameof(endDivisor), nameof(OneCycle));
        this.length = CheckLength(length, nameof(length), nameof(OneCycle));
        double rise = (riseShare * length) - 1;
        (times, values) = threePhases
            ? (new[] { 0, rise, 2 * rise, length - 1 }, new[] { start, top, start, end })
            : (new[] { 0, rise, length - 1 }, new[] { start, top, end });
        for (int phase = 1; phase < times.Length; phase++)
        {
            if (!(times[phase] > times[phase - 1]))
            {
                throw new ArgumentOutOfRangeException(
                    nameof(riseShare), riseShare, $"Schedule.OneCycle: a rise of {riseShare} of {length} steps leaves no time for phase {phase} of {times.Length - 1}. "
                    + $"It must be more than 1 / length and less than {(threePhases ? "half of the training" : "all of it")}; the default is 0.3.");
            }
        }
    }

    /// <inheritdoc/>
    protected override double ValueAt(int step)
    {
        if (step > length)
        {
            throw new ArgumentOutOfRangeException(
                nameof(step), step, $"Schedule.OneCycle was made for {length} steps and has no value after {step}. Give it the length of the whole training, "
                + "or join it with a schedule for the rest: Schedule.Joined((cycle, length), (Schedule.Constant(rate), 1)).");
        }

        int phase = 1;
        while (phase < times.Length - 1 && step > times[phase])
        {
            phase++;
        }

        double position = (step - times[phase - 1]) / (times[phase] - times[phase - 1]);
        return CosineSchedule.HalfWave(values[phase - 1], values[phase], position);
    }
}
