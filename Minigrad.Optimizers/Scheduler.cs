namespace Minigrad.Optimizers;

/// <summary>
/// Drives a number by a <see cref="Schedule"/>: sets the first value at once, and the next with every <see cref="Step"/>.
/// </summary>
/// <example>
/// <code>
/// Scheduler rate = new(Schedule.OneCycle(0.1, length), value => optimizer.LearningRate = value);
/// Scheduler clip = new(Schedule.Linear(1, 10, 1, length: 500), value => optimizer.Clip = [Clip.GlobalNorm(value)]);
/// // In each step, after optimizer.Step():
/// rate.Step();
/// clip.Step();
/// </code>
/// </example>
public sealed class Scheduler
{
    private readonly Action<double> apply;
    private int stepCount;

    /// <summary>A scheduler; it sets the value of step 0.</summary>
    /// <param name="schedule">The value as a function of the steps made.</param>
    /// <param name="apply">Sets the number, as <c>value => optimizer.LearningRate = value</c>.</param>
    public Scheduler(Schedule schedule, Action<double> apply)
    {
        ArgumentNullException.ThrowIfNull(schedule);
        ArgumentNullException.ThrowIfNull(apply);
        Schedule = schedule;
        this.apply = apply;
        StepCount = 0;
    }

    /// <summary>The value as a function of the steps made.</summary>
    public Schedule Schedule { get; }

    /// <summary>The value that was set last.</summary>
    public double Value { get; private set; }

    /// <summary>How many steps were made. It is all there is to save; setting it sets the value of that step, which is how a run is resumed.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is negative, or beyond the end of a schedule that has one.</exception>
    public int StepCount
    {
        get => stepCount;
        set
        {
            double next = Schedule.At(value);
            apply(next);
            (stepCount, Value) = (value, next);
        }
    }

    /// <summary>Counts a step and sets the value that comes after it. Call it after the optimizer's step.</summary>
    /// <returns>The value.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The schedule has an end, and it was passed.</exception>
    public double Step()
    {
        StepCount++;
        return Value;
    }
}
