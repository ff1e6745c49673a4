using System.Text.Json;
using Minigrad.Optimizers;

namespace Minigrad.Tests.Optimizers;

/// <summary>Schedules as closed forms against the recursions that PyTorch steps through, what drives them, and what they refuse.</summary>
public sealed class ScheduleTests
{
    private const int Length = 60;

    [Fact]
    public void Values_at_single_steps_are_exact()
    {
        Assert.Equal([2, 2], Values(Schedule.Constant(2), 0, 1000));
        Assert.Equal([8, 8, 4, 4, 2], Values(Schedule.Steps(8, 2, 0.5), 0, 1, 2, 3, 4));
        Assert.Equal([8, 4, 4, 1, 1], Values(Schedule.MultiStep(8, [1, 3, 3], 0.5), 0, 1, 2, 3, 100));
        Assert.Equal([8, 4, 0.5], Values(Schedule.Exponential(8, 0.5), 0, 1, 4));
        Assert.Equal([6, 4, 2, 4, 6], Values(Schedule.Cosine(6, 8, 2), 0, 4, 8, 12, 16));
        Assert.Equal([6, 4, 6, 4, 6], Values(Schedule.CosineWarmRestarts(6, 2, 2, minimum: 2), 0, 1, 2, 4, 6));
        Assert.Equal([2, 3, 4, 4], Values(Schedule.Linear(4, 0.5, 1, 2), 0, 1, 2, 50));
        Assert.Equal([16, 9, 1, 0, 0], Values(Schedule.Polynomial(16, 4, 2), 0, 1, 3, 4, 50));
        Assert.Equal([0.5, 1, 0.5, 0.25], Values(Schedule.InverseSquareRoot(1, 2), 0, 1, 7, 31));
        Assert.Equal([0, 1, 2, 3, 3], Values(Schedule.Warmup(3, Schedule.Constant(3)), 0, 1, 2, 3, 4));
        Assert.Equal([4, 2], Values(Schedule.Exponential(8, 0.5).Scaled(0.5), 0, 1));
    }

    [Fact]
    public void Closed_forms_agree_with_the_recursions()
    {
        AgreesWithRecursion(Schedule.Steps(0.1, 7, 0.3), (rate, step) => step % 7 == 0 ? rate * 0.3 : rate);
        AgreesWithRecursion(Schedule.MultiStep(0.1, [3, 20, 21], 0.3), (rate, step) => step is 3 or 20 or 21 ? rate * 0.3 : rate);
        AgreesWithRecursion(Schedule.Exponential(0.1, 0.93), (rate, _) => rate * 0.93);
        AgreesWithRecursion(
            Schedule.Linear(0.1, 0.2, 0.9, 11),
            (rate, step) => step > 11 ? rate : rate * (1 + ((0.9 - 0.2) / ((11 * 0.2) + ((step - 1) * (0.9 - 0.2))))));
        AgreesWithRecursion(
            Schedule.Polynomial(0.1, 19, 1.7),
            (rate, step) => step > 19 ? rate : rate * Math.Pow((1 - (step / 19.0)) / (1 - ((step - 1) / 19.0)), 1.7));
        AgreesWithRecursion(
            Schedule.Cosine(0.1, 13, 0.01),
            (rate, step) => (step - 1 - 13) % 26 == 0
                ? rate + ((0.1 - 0.01) * (1 - Math.Cos(Math.PI / 13)) / 2)
                : ((1 + Math.Cos(Math.PI * step / 13)) / (1 + Math.Cos(Math.PI * (step - 1) / 13)) * (rate - 0.01)) + 0.01);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(5, 1)]
    [InlineData(1, 2)]
    [InlineData(4, 3)]
    public void Warm_restarts_agree_with_counting_within_each_wave(int firstLength, int lengthFactor)
    {
        Schedule schedule = Schedule.CosineWarmRestarts(0.1, firstLength, lengthFactor, 0.02);
        (int within, int length) = (0, firstLength);
        for (int step = 0; step < 200; step++)
        {
            Assert.Equal(0.02 + ((0.1 - 0.02) * Math.Pow(Math.Cos(Math.PI * within / length / 2), 2)), schedule.At(step), 1e-15);
            if (++within == length)
            {
                (within, length) = (0, length * lengthFactor);
            }
        }

        Assert.InRange(schedule.At(int.MaxValue), 0.02, 0.1);
    }

    [Fact]
    public void A_cycle_rises_to_its_maximum_and_falls_to_its_end()
    {
        Schedule cycle = Schedule.OneCycle(0.5, 30);
        double[] values = [.. Enumerable.Range(0, 30).Select(cycle.At)];
        Assert.Equal(0.02, values[0], 1e-15);
        Assert.Equal(0.5, values[8], 1e-15);
        Assert.Equal(2e-6, values[29], 1e-15);
        Assert.Equal((0.02 + 0.5) / 2, values[4], 1e-15);
        Assert.All(Enumerable.Range(0, 8), step => Assert.True(values[step] < values[step + 1]));
        Assert.All(Enumerable.Range(8, 21), step => Assert.True(values[step] > values[step + 1]));
        Assert.InRange(cycle.At(30), 2e-6, values[28]);
    }

    [Fact]
    public void A_cycle_of_three_phases_falls_as_it_rose_and_then_on()
    {
        Schedule cycle = Schedule.OneCycle(0.5, 30, threePhases: true);
        Assert.All(Enumerable.Range(0, 9), step => Assert.Equal(cycle.At(8 - step), cycle.At(8 + step), 1e-15));
        Assert.Equal(2e-6, cycle.At(29), 1e-15);
        Assert.All(Enumerable.Range(16, 13), step => Assert.True(cycle.At(step) > cycle.At(step + 1)));
    }

    [Fact]
    public void A_cycle_with_the_start_above_its_top_goes_the_other_way()
    {
        Schedule rate = Schedule.OneCycle(0.5, 30, endDivisor: 1);
        Schedule momentum = Schedule.OneCycle(0.85, 30, startDivisor: 0.85 / 0.95, endDivisor: 1);
        for (int step = 0; step < 30; step++)
        {
            Assert.Equal(0.95 - (0.1 * (rate.At(step) - 0.02) / 0.48), momentum.At(step), 1e-14);
        }
    }

    [Fact]
    public void The_inverse_root_is_the_transformers_formula()
    {
        Schedule schedule = Schedule.InverseSquareRoot(Math.Pow(512.0 * 4000, -0.5), 4000);
        foreach (int number in new[] { 1, 2, 3999, 4000, 4001, 100_000 })
        {
            double expected = Math.Pow(512, -0.5) * Math.Min(Math.Pow(number, -0.5), number * Math.Pow(4000, -1.5));
            Assert.Equal(expected, schedule.At(number - 1), 1e-15);
        }
    }

    [Fact]
    public void Warm_up_meets_the_schedule_that_follows_and_starts_it_at_its_step_0()
    {
        Schedule then = Schedule.Cosine(0.4, 50, 0.1);
        Schedule schedule = Schedule.Warmup(10, then, startFactor: 0.25);
        Assert.Equal(0.1, schedule.At(0), 1e-15);
        for (int step = 0; step < 10; step++)
        {
            Assert.Equal(0.03, schedule.At(step + 1) - schedule.At(step), 1e-15);
        }

        Assert.All(Enumerable.Range(0, 100), step => Assert.Equal(then.At(step), schedule.At(10 + step)));
    }

    [Fact]
    public void Joined_pieces_each_start_from_their_own_step_0_and_the_last_goes_on()
    {
        Schedule rise = Schedule.Linear(1, 0, 1, 4);
        Schedule fall = Schedule.Exponential(1, 0.5);
        Schedule schedule = Schedule.Joined((rise, 4), (Schedule.Constant(1), 2), (fall, 3));
        Assert.Equal([0, 0.25, 0.5, 0.75, 1, 1, 1, 0.5, 0.25, 0.125, 0.0625], Values(schedule, [.. Enumerable.Range(0, 11)]));
    }

    [Fact]
    public void A_scheduler_drives_rate_momentum_and_clipping()
    {
        Tensor w = Tensor.Of([0f]).WithGradient("w");
        Sgd optimizer = new([w], 7, momentum: 0.5);
        Scheduler rate = new(Schedule.Exponential(1, 0.5), value => optimizer.LearningRate = value);
        Scheduler momentum = new(Schedule.Steps(0.5, 1, 0.5), value => optimizer.Momentum = value);
        Scheduler clip = new(Schedule.Linear(4, 0.5, 1, 2), value => optimizer.Clip = [Clip.GlobalNorm(value)]);
        double buffer = 0;
        double expected = 0;
        for (int step = 0; step < 4; step++)
        {
            double threshold = Math.Min(2 + step, 4);
            buffer = (Math.Pow(0.5, step + 1) * buffer) + threshold;
            expected -= Math.Pow(0.5, step) * buffer;
            Assert.Equal(step, rate.StepCount);
            Assert.Equal(optimizer.LearningRate, rate.Value);
            w.Gradient = Tensor.Of([1024f]);
            optimizer.Step();
            Assert.Equal((float)expected, w.Item());
            Assert.Equal(rate.Schedule.At(step + 1), rate.Step());
            momentum.Step();
            clip.Step();
        }
    }

    [Fact]
    public void A_scheduler_resumed_by_its_count_gives_the_same_numbers()
    {
        Schedule schedule = Schedule.Warmup(5, Schedule.CosineWarmRestarts(0.1, 7, 2));
        List<double> straight = [];
        Scheduler first = new(schedule, straight.Add);
        for (int step = 0; step < 40; step++)
        {
            first.Step();
        }

        List<double> resumed = [];
        Scheduler second = new(schedule, resumed.Add) { StepCount = 23 };
        Assert.Equal(straight[23], second.Value);
        while (second.StepCount < 40)
        {
            second.Step();
        }

        Assert.Equal(straight[23..], resumed[1..]);
    }

    [Fact]
    public void A_value_that_is_refused_leaves_the_scheduler_where_it_was()
    {
        Sgd optimizer = new([Tensor.Of([0f]).WithGradient("w")], 1);
        Scheduler scheduler = new(Schedule.Linear(1, 1, -1, 2), value => optimizer.LearningRate = value);
        scheduler.Step();
        Assert.Throws<ArgumentOutOfRangeException>(() => scheduler.Step());
        Assert.Equal(1, scheduler.StepCount);
        Assert.Equal(0, scheduler.Value);
        Teaches(() => scheduler.StepCount = -1, "0 before the first", "-1");
    }

    [Fact]
    public void Momentum_can_be_set_where_it_is_remembered()
    {
        foreach (bool nesterov in new[] { false, true })
        {
            Tensor w = Tensor.Of([0f]).WithGradient("w");
            Sgd optimizer = new([w], 1, momentum: 0.5, nesterov: nesterov);
            double buffer = 0;
            double expected = 0;
            foreach (double momentum in new[] { 0.5, 0, 0.25 })
            {
                optimizer.Momentum = momentum;
                buffer = (momentum * buffer) + 2;
                expected -= nesterov ? 2 + (momentum * buffer) : buffer;
                w.Gradient = Tensor.Of([2f]);
                optimizer.Step();
                Assert.Equal((float)expected, w.Item());
                optimizer.Restore(optimizer.State());
            }

            Assert.Throws<ArgumentOutOfRangeException>(() => optimizer.Momentum = double.NaN);
        }
    }

    [Fact]
    public void Momentum_that_is_not_remembered_and_rates_that_are_none_are_refused()
    {
        Tensor w = Tensor.Of([0f]).WithGradient("w");
        Sgd plain = new([w], 1) { Momentum = 0 };
        Teaches<InvalidOperationException>(() => plain.Momentum = 0.9, "created without momentum", "0.9");
        Teaches<InvalidOperationException>(() => new RmsProp([w]).Momentum = 0.9, "RmsProp", "created without momentum");
        Teaches(() => new RmsProp([w], momentum: 0.5).Momentum = -1, "Momentum", "-1");
        Teaches(() => new Adam([w]).Beta1 = 1, "Beta1", "less than 1");
    }

    [Fact]
    public void RmsProps_momentum_and_Adams_first_rate_take_effect_at_the_next_step()
    {
        // After a step with g = 1: a momentum of 0 forgets the buffer, and Adam's mean with β₁ = 0 is the gradient itself.
        Tensor w = Tensor.Of([0f]).WithGradient("w");
        RmsProp rmsProp = new([w], 1, alpha: 0.75, epsilon: 0, momentum: 0.5);
        StepWith(rmsProp, w, 1);
        Assert.Equal(-2, w.Item(), 1e-6f);
        rmsProp.Momentum = 0;
        StepWith(rmsProp, w, 1);
        Assert.Equal(-2 - (1 / Math.Sqrt(1 - (0.75 * 0.75))), w.Item(), 1e-6f);

        Tensor v = Tensor.Of([0f]).WithGradient("v");
        Adam adam = new([v], 1, beta1: 0.5, beta2: 0.75, epsilon: 0);
        StepWith(adam, v, 1);
        Assert.Equal(-1, v.Item(), 1e-6f);
        adam.Beta1 = 0;
        StepWith(adam, v, -3);
        Assert.Equal(-1 + (3 / Math.Sqrt(((0.75 * 0.25) + (0.25 * 9)) / (1 - (0.75 * 0.75)))), v.Item(), 1e-6f);
    }

    [Fact]
    public void A_plateau_reduces_after_its_patience_and_then_cools_down()
    {
        ReduceOnPlateau plateau = new(8, factor: 0.5, patience: 2, cooldown: 2, minimum: 1.5);
        double[] values = [.. Enumerable.Repeat(1.0, 19).Select(plateau.Observe)];
        Assert.Equal([8, 8, 8, 4, 4, 4, 4, 4, 2, 2, 2, 2, 2, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5], values);
        Assert.Equal(1.5, plateau.Value);
    }

    [Fact]
    public void A_reduction_by_next_to_nothing_is_not_made()
    {
        Assert.Equal([1, 0.5, 0.25, 0.125, 0.125, 0.125], OnPlateau(0.1));
        Assert.Equal([1, 0.5, 0.25, 0.25, 0.25, 0.25], OnPlateau(0.125));

        static double[] OnPlateau(double leastChange)
        {
            ReduceOnPlateau plateau = new(1, factor: 0.5, patience: 0, leastChange: leastChange);
            return [.. Enumerable.Repeat(1.0, 6).Select(plateau.Observe)];
        }
    }

    [Fact]
    public void Only_an_improvement_beyond_the_threshold_counts_whatever_the_sign()
    {
        AssertImproves(false, 1, 0.9998, true);
        AssertImproves(false, 1, 0.99995, false);
        AssertImproves(false, -1, -1.0002, true);
        AssertImproves(false, -1, -0.99995, false);
        AssertImproves(true, 1, 1.0002, true);
        AssertImproves(true, -1, -0.9998, true);
        AssertImproves(true, -1, -1.00005, false);
        AssertImproves(false, 1, double.NaN, false);
        AssertImproves(false, double.NaN, 1e300, true);
        AssertImproves(true, double.NaN, -1e300, true);
        AssertImproves(false, 0, double.NegativeInfinity, true);
        AssertImproves(false, double.NegativeInfinity, double.NegativeInfinity, false);
    }

    [Fact]
    public void A_plateau_restored_from_JSON_goes_on_as_if_never_stopped()
    {
        double[] metrics = [.. Enumerable.Range(0, 60).Select(i => 2 + Math.Sin(i * 0.9) - (0.01 * i))];
        ReduceOnPlateau straight = new(1, factor: 0.7, patience: 2, cooldown: 3);
        ReduceOnPlateau stopped = new(1, factor: 0.7, patience: 2, cooldown: 3);
        foreach (double metric in metrics)
        {
            string json = JsonSerializer.Serialize(stopped.State());
            stopped = new ReduceOnPlateau(1, factor: 0.7, patience: 2, cooldown: 3);
            stopped.Restore(JsonSerializer.Deserialize<PlateauState>(json)!);
            Assert.Equal(straight.Observe(metric), stopped.Observe(metric));
            Assert.Equal(straight.State(), stopped.State());
        }

        Assert.InRange(straight.Value, 0.01, 0.9);
    }

    [Fact]
    public void Schedules_say_what_is_wrong_with_their_arguments()
    {
        Schedule one = Schedule.Constant(1);
        Teaches(() => Schedule.Constant(double.NaN), "Constant", "value", "finite");
        Teaches(() => Schedule.Steps(double.PositiveInfinity, 1), "Steps", "initial");
        Teaches(() => Schedule.Steps(1, 0), "Steps", "size", "at least 1");
        Teaches(() => Schedule.Steps(1, 1, -0.1), "Steps", "factor", "-0.1");
        Teaches(() => Schedule.MultiStep(double.NaN, [1]), "MultiStep", "initial");
        Teaches(() => Schedule.MultiStep(1, [3, -2]), "MultiStep", "milestone", "-2");
        Teaches(() => Schedule.MultiStep(1, [3], double.NaN), "MultiStep", "factor");
        Teaches(() => Schedule.Exponential(double.NaN, 1), "Exponential", "initial");
        Teaches(() => Schedule.Exponential(1, double.PositiveInfinity), "Exponential", "factor");
        Teaches(() => Schedule.Cosine(double.NaN, 1), "Cosine", "initial");
        Teaches(() => Schedule.Cosine(1, -3), "Cosine", "length", "-3");
        Teaches(() => Schedule.Cosine(1, 3, double.NaN), "Cosine", "minimum");
        Teaches(() => Schedule.CosineWarmRestarts(double.NaN, 1), "CosineWarmRestarts", "initial");
        Teaches(() => Schedule.CosineWarmRestarts(1, 0), "CosineWarmRestarts", "firstLength");
        Teaches(() => Schedule.CosineWarmRestarts(1, 1, 0), "CosineWarmRestarts", "lengthFactor");
        Teaches(() => Schedule.CosineWarmRestarts(1, 1, 1, double.NaN), "CosineWarmRestarts", "minimum");
        Teaches(() => Schedule.Linear(double.NaN), "Linear", "initial");
        Teaches(() => Schedule.Linear(1, double.NaN), "Linear", "startFactor");
        Teaches(() => Schedule.Linear(1, 0, double.NaN), "Linear", "endFactor");
        Teaches(() => Schedule.Linear(1, 0, 1, 0), "Linear", "length");
        Teaches(() => Schedule.Polynomial(double.NaN), "Polynomial", "initial");
        Teaches(() => Schedule.Polynomial(1, 0), "Polynomial", "length");
        Teaches(() => Schedule.Polynomial(1, 5, 0), "Polynomial", "power", "positive");
        Teaches(() => Schedule.InverseSquareRoot(double.NaN, 1), "InverseSquareRoot", "peak");
        Teaches(() => Schedule.InverseSquareRoot(1, 0), "InverseSquareRoot", "warmupLength");
        Teaches(() => Schedule.Warmup(0, one), "Warmup", "length");
        Teaches(() => Schedule.Warmup(1, one, double.NaN), "startFactor", "finite");
        Teaches(() => Schedule.Joined((one, 0)), "Joined", "the length of a piece");
        Teaches<ArgumentException>(() => Schedule.Joined(), "Joined", "(schedule, length)");
        Teaches(() => one.Scaled(double.NaN), "Scaled", "factor");
        Teaches(() => one.At(-1), "0 before the first", "-1");
        Assert.Throws<ArgumentNullException>(() => Schedule.MultiStep(1, null!));
        Assert.Throws<ArgumentNullException>(() => Schedule.Warmup(1, null!));
        Assert.Throws<ArgumentNullException>(() => Schedule.Joined((null!, 1)));
        Assert.Throws<ArgumentNullException>(() => Schedule.Joined(null!));
        Assert.Throws<ArgumentNullException>(() => new Scheduler(null!, _ => { }));
        Assert.Throws<ArgumentNullException>(() => new Scheduler(one, null!));
    }

    [Fact]
    public void A_cycle_says_what_is_wrong_with_its_arguments_and_ends_with_an_error()
    {
        Teaches(() => Schedule.OneCycle(double.NaN, 10), "OneCycle", "maximum");
        Teaches(() => Schedule.OneCycle(1, 0), "OneCycle", "length");
        Teaches(() => Schedule.OneCycle(1, 10, startDivisor: 0), "OneCycle", "startDivisor");
        Teaches(() => Schedule.OneCycle(1, 10, endDivisor: -1), "OneCycle", "endDivisor");
        Teaches(() => Schedule.OneCycle(1, 3), "0.3 of 3 steps", "phase 1 of 2", "more than 1 / length");
        Teaches(() => Schedule.OneCycle(1, 10, 1), "phase 2 of 2", "less than all of it");
        Teaches(() => Schedule.OneCycle(1, 10, double.NaN), "phase 1 of 2");
        Teaches(() => Schedule.OneCycle(1, 10, 0.6, threePhases: true), "phase 3 of 3", "less than half of the training");
        Schedule cycle = Schedule.OneCycle(1, 10);
        Teaches(() => cycle.At(11), "made for 10 steps", "after 11", "Joined");
        Assert.Equal(0.5, Schedule.Joined((cycle, 10), (Schedule.Constant(0.5), 1)).At(1000));
    }

    [Fact]
    public void A_plateau_says_what_is_wrong_with_its_arguments()
    {
        Teaches(() => _ = new ReduceOnPlateau(0), "initial", "positive");
        Teaches(() => _ = new ReduceOnPlateau(1, factor: 1), "factor", "less than 1");
        Teaches(() => _ = new ReduceOnPlateau(1, patience: -1), "patience", "-1");
        Teaches(() => _ = new ReduceOnPlateau(1, threshold: double.NaN), "threshold", "finite");
        Teaches(() => _ = new ReduceOnPlateau(1, cooldown: -1), "cooldown", "-1");
        Teaches(() => _ = new ReduceOnPlateau(1, minimum: 2), "minimum", "from 0 to the initial value, 1");
        Teaches(() => _ = new ReduceOnPlateau(1, leastChange: -1), "leastChange", "-1");
        ReduceOnPlateau plateau = new(1, minimum: 0.1);
        foreach (PlateauState state in new PlateauState[] { new(0.05, 1, 0, 0), new(double.NaN, 1, 0, 0), new(1, double.NaN, 0, 0), new(1, 1, -1, 0), new(1, null, 0, -1) })
        {
            Teaches<ArgumentException>(() => plateau.Restore(state), "no state", "0.1");
        }

        ReduceOnPlateau patient = new(1, patience: 2, cooldown: 3);
        Teaches<ArgumentException>(() => patient.Restore(new PlateauState(1, 1, 3, 0)), "no state", "the patience, 2");
        Teaches<ArgumentException>(() => patient.Restore(new PlateauState(1, 1, int.MaxValue, 0)), "no state");
        Teaches<ArgumentException>(() => patient.Restore(new PlateauState(1, 1, 0, 4)), "no state", "the cooldown, 3");
        patient.Restore(new PlateauState(0.5, 1, 2, 3));
        Assert.Equal(new PlateauState(0.5, 1, 2, 3), patient.State());

        // Under other names a serializer finds nothing, and a rate of 0 would come of that.
        string json = JsonSerializer.Serialize(patient.State(), JsonSerializerOptions.Web);
        Teaches<JsonException>(() => JsonSerializer.Deserialize<PlateauState>(json), "Value");
        Assert.Equal(patient.State(), JsonSerializer.Deserialize<PlateauState>(json, JsonSerializerOptions.Web));
        Assert.Throws<ArgumentNullException>(() => plateau.Restore(null!));
        Assert.Equal(new PlateauState(1, null, 0, 0), plateau.State());
    }

    private static double[] Values(Schedule schedule, params int[] steps) =>
        [.. steps.Select(step => Math.Round(schedule.At(step), 14))];

    private static void AgreesWithRecursion(Schedule schedule, Func<double, int, double> next)
    {
        double value = schedule.At(0);
        for (int step = 1; step <= Length; step++)
        {
            value = next(value, step);
            Assert.Equal(value, schedule.At(step), 1e-13);
        }
    }

    private static void AssertImproves(bool maximize, double first, double second, bool improves)
    {
        ReduceOnPlateau plateau = new(1, maximize, patience: 1);
        plateau.Observe(first);
        PlateauState before = plateau.State();
        plateau.Observe(second);
        Assert.Equal(improves ? before with { Best = second, BadCount = 0 } : before with { BadCount = before.BadCount + 1 }, plateau.State());
    }

    private static void StepWith(Optimizer optimizer, Tensor parameter, float gradient)
    {
        parameter.Gradient = Tensor.Of([gradient]);
        optimizer.Step();
    }

    private static void Teaches(Action action, params string[] parts) => Teaches<ArgumentOutOfRangeException>(action, parts);

    private static void Teaches<TException>(Action action, params string[] parts)
        where TException : Exception
    {
        TException exception = Assert.Throws<TException>(action);
        Assert.All(parts, part => Assert.Contains(part, exception.Message, StringComparison.Ordinal));
    }
}
