using Minigrad.Layers;

namespace Minigrad.Optimizers;

/// <summary>
/// Finds a learning rate by trying: trains with a rate that grows from step to step until the loss diverges, and puts
/// everything back (the range test of Smith, 2015, arXiv:1506.01186).
/// </summary>
/// <example>
/// <code>
/// LearningRateCurve curve = LearningRateFinder.Run(model, optimizer, () => Loss.CrossEntropy(model.Forward(x), y));
/// curve.ToChart().Save("rates.svg");
/// optimizer.LearningRate = curve.Suggestion ?? 1e-3;
/// </code>
/// </example>
public static class LearningRateFinder
{
    /// <summary>Fewer steps than this make no curve whose slope means anything.</summary>
    private const int FewestSteps = 10;

    /// <summary>
    /// Makes steps i = 0 … n − 1 with the rates r₀ · (r₁ / r₀)^(i / (n − 1)). The loss is smoothed by a running mean of about
    /// n / 10 steps, corrected for its bias; the run ends when that exceeds a multiple of the least so far, or the loss or a
    /// gradient is not finite.
    /// </summary>
    /// <remarks>
    /// The model (parameters, buffers, gradients, and which parts behave as in training) and the optimizer (state, learning
    /// rate, groups) are afterwards as they were, to the bit, also when an exception leaves this. Random numbers that the
    /// loss draws stay drawn: to go back, set the generator's <see cref="Generator.Position"/>.
    /// A model that is not in training is trained for the time; groups with a learning rate of their own are tried at the
    /// same rate as all.
    /// </remarks>
    /// <param name="model">The model.</param>
    /// <param name="optimizer">The optimizer of its parameters.</param>
    /// <param name="loss">The loss of one batch, a single number; called once each step, with any loss scale left out.</param>
    /// <param name="minimum">r₀, the first rate.</param>
    /// <param name="maximum">r₁, the last rate.</param>
    /// <param name="steps">n, how many steps at most.</param>
    /// <param name="divergence">How many times the least smoothed loss counts as divergence; for losses below 0 the same rise is meant.</param>
    /// <returns>The curve.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The rates are not positive and growing, there are fewer than 10 steps, or the divergence is not above 1.</exception>
    /// <exception cref="ShapeException">The loss is not a single number.</exception>
    /// <exception cref="ArgumentException">The loss is null.</exception>
    public static LearningRateCurve Run(
        Module model,
        Optimizer optimizer,
        Func<Tensor> loss,
        double minimum = 1e-7,
        double maximum = 10,
        int steps = 100,
        double divergence = 4)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(optimizer);
        ArgumentNullException.ThrowIfNull(loss);
        Check(minimum > 0 && double.IsFinite(minimum), minimum, nameof(minimum), "be positive and finite: the rate grows from it by a factor");
        Check(maximum > minimum && double.IsFinite(maximum), maximum, nameof(maximum), $"be finite and above the minimum, {minimum}");
        Check(steps >= FewestSteps, steps, nameof(steps), $"be at least {FewestSteps}: a slope is read from a smoothed curve");
        Check(divergence > 1, divergence, nameof(divergence), "be above 1: it is how many times the least loss counts as divergence");
        TrainingSnapshot snapshot = new(model, optimizer);
        (NonFinitePolicy policy, int skips) = (optimizer.NonFinite, optimizer.MaximumConsecutiveSkips);
        try
        {
            // A step that would be skipped ends the run. That leaves overflows of a dynamic scale, which end by themselves.
            optimizer.NonFinite = policy == NonFinitePolicy.SkipStep ? NonFinitePolicy.Throw : policy;
            optimizer.MaximumConsecutiveSkips = int.MaxValue;
            if (!model.IsTraining)
            {
                model.Train();
            }

            foreach (ParameterGroup group in optimizer.Groups)
            {
                group.LearningRate = null;
            }

            Schedule rates = Schedule.Exponential(minimum, Math.Pow(maximum / minimum, 1.0 / (steps - 1)));
            return new LearningRateCurve(Sweep(snapshot, optimizer, loss, rates, steps, divergence), steps / 10);
        }
        finally
        {
            (optimizer.NonFinite, optimizer.MaximumConsecutiveSkips) = (policy, skips);
            snapshot.Restore();
        }
    }

    private static List<LearningRatePoint> Sweep(
        TrainingSnapshot snapshot, Optimizer optimizer, Func<Tensor> loss, Schedule rates, int steps, double divergence)
    {
        List<LearningRatePoint> points = [];
        double kept = 1 - (10.0 / steps);
        double mean = 0;
        double best = double.PositiveInfinity;
        for (int step = 0; step < steps; step++)
        {
            optimizer.LearningRate = rates.At(step);
            snapshot.ZeroGradients();
            Tensor value = loss() ?? throw new ArgumentException(
                "LearningRateFinder.Run: the loss gave null, and there is nothing to go down from. Return the loss of one batch: () => Loss.MeanSquare(model.Forward(x), target).", nameof(loss));
            if (value.Length != 1)
            {
                throw new ShapeException(
                    $"LearningRateFinder.Run follows one number, but the loss has shape {value.Shape}, {value.Length} elements. Give what Backward begins from: loss.Mean() or loss.Sum().");
            }

            double number = value.Item();
            if (!double.IsFinite(number))
            {
                break;
            }

            mean = (kept * mean) + ((1 - kept) * number);
            double smoothed = mean / (1 - Math.Pow(kept, step + 1));
            points.Add(new LearningRatePoint(optimizer.LearningRate, number, smoothed));
            best = Math.Min(best, smoothed);
            if (smoothed - best > (divergence - 1) * Math.Abs(best) || !TryStep(optimizer, value))
            {
                break;
            }
        }

        return points;
    }

    /// <summary>A step, or none if a gradient is not usable.</summary>
    private static bool TryStep(Optimizer optimizer, Tensor loss)
    {
        // The step divides by this: one batch stands for all that are accumulated.
        optimizer.Scale(loss).Backward(Tensor.Full(loss.Shape, optimizer.AccumulationCount).To(loss.Backend));
        try
        {
            StepReport report = optimizer.Step();
            optimizer.Check();
            return !(report.HasOverflowed && report.LossScale <= 1);
        }
        catch (NonFiniteGradientException)
        {
            return false;
        }
    }

    private static void Check(bool holds, double value, string name, string rule)
    {
        if (!holds)
        {
            throw new ArgumentOutOfRangeException(name, value, $"LearningRateFinder: {name} must {rule}, but it is {value}.");
        }
    }
}
