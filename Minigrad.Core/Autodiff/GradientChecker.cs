namespace Minigrad.Autodiff;

/// <summary>
/// Holds the gradients of a function against differences of its values. The outputs are projected on a fixed random
/// direction, so that one number is differentiated; the sum is taken in double precision.
/// </summary>
/// <remarks>
/// <para>Values are float32, so the step is a few thousandths: smaller steps drown in rounding (at 1e-6 a difference quotient
/// is wrong by a tenth), larger ones in curvature. From 1,024 on the step grows with the number. Inputs of up to
/// <see cref="ElementLimit"/> elements are checked element by element, larger ones along random directions, two evaluations each.</para>
/// <para>What rounding may do to a difference quotient is no error of the gradient, so a gradient that is wrong by less passes: one
/// off by <see cref="Tolerance"/> · scale + noise (<see cref="GradientReport.WorstError"/>), with
/// noise = 3 · 2⁻²³ · √(Σ (wᵢ · yᵢ)² + Σ (wᵢ · largest |x| · dyᵢ/dx)²) / 2h over all outputs yᵢ, where w, from 0.5 to 1.5, is the
/// direction that they are projected on and h = 0.004 the step. So give outputs, not a sum of many: beside the sum of 500 squares of
/// about 1, of which each has a slope of 2, 3 · 2⁻²³ · 500 / 0.008 = 0.02 is one percent of a gradient; beside the squares
/// themselves, as outputs of their own, less than a tenth of that.</para>
/// </remarks>
public static class GradientChecker
{
    /// <summary>Up to how many elements of an input are each checked.</summary>
    public const int ElementLimit = 512;

    /// <summary>By what part a gradient may differ from the differences: 2 ‰ of itself, or of a tenth of the largest.</summary>
    public const double Tolerance = 2e-3;

    private const int Directions = 8;
    private const float Step = 4e-3f;

    /// <summary>Up to twice this power of two a number is moved by the step; a larger one by more, at least 64 units in its last place.</summary>
    private const int LastOrdinaryExponent = 9;

    /// <summary>At a kink, how far beyond one side's slope a gradient may lie, as a part of what the sides differ by: curvature moves them.</summary>
    private const double KinkMargin = 0.01;

    /// <summary>Checks the gradients of a function with respect to all its inputs.</summary>
    /// <param name="function">
    /// From inputs to an output of any shape; called many times, it must always compute the same. It may take gradients itself, with
    /// <c>createGraph: true</c>: so second order is checked.
    /// </param>
    /// <param name="inputs">Where to check; smooth points, not kinks as relu's at 0. They are not changed.</param>
    /// <returns>What was found; read <see cref="GradientReport.Passed"/> or call <see cref="GradientReport.ThrowIfFailed"/>.</returns>
    /// <exception cref="GradientException">
    /// The output does not depend on any input through operations that have gradients, is null, or has another shape when the
    /// function is called again.
    /// </exception>
    /// <exception cref="ArgumentException">An input is null.</exception>
    public static GradientReport Check(Func<IReadOnlyList<Tensor>, Tensor> function, params IReadOnlyList<Tensor> inputs)
    {
        ArgumentNullException.ThrowIfNull(function);
        ArgumentNullException.ThrowIfNull(inputs);
        for (int i = 0; i < inputs.Count; i++)
        {
            if (inputs[i] is null)
            {
                throw new ArgumentException($"GradientChecker: input {i} of {inputs.Count} is null. Give a tensor for each input, or leave it out.", nameof(inputs));
            }
        }

        Tensor[] variables = [.. inputs.Select((input, i) => input.Detach().Clone().WithGradient(input.Name ?? $"input {i}"))];
        Tensor output = function(variables) ?? throw NoOutput();
        if (!output.RequiresGradient)
        {
            throw new GradientException(
                $"GradientChecker: the function's result of shape {output.Shape} does not depend on its inputs through anything that has a gradient. Comparisons, Detach, ToArray and NoGrad cut the way back, as does an input that the function does not use.");
        }

        Generator generator = new Generator(0).For(nameof(GradientChecker));
        Tensor projection = Tensor.Uniform(output.Shape, 0.5f, 1.5f, generator).To(output.Backend);
        Tensor[] gradients = Tensor.Gradients(output, variables, projection);
        double[] weights = [.. projection.ToArray().Select(weight => (double)weight)];

        GradientReport report = new();
        for (int i = 0; i < variables.Length; i++)
        {
            float[] gradient = gradients[i].ToArray();
            int comparedBefore = report.Compared;
            Evaluator evaluator = new(function, variables, i, weights, output.Shape);
            double largest = gradient.Length == 0 ? 0 : gradient.Max(value => Math.Abs((double)value));
            if (gradient.Length <= ElementLimit)
            {
                CheckElements(report, variables[i], gradient, largest, evaluator);
            }
            else
            {
                CheckDirections(report, variables[i], gradient, evaluator, generator);
            }

            if (gradient.Length > 0 && report.Compared == comparedBefore)
            {
                report.LeaveUncompared(variables[i]);
            }
        }

        return report;
    }

    private static GradientException NoOutput() => new(
        "GradientChecker: the function gave null, and there is nothing to differentiate. Return the tensor that it computes from its inputs.");

    /// <summary>By what power of two the step is larger for a number, so that it is moved at all.</summary>
    private static float Stretch(float value) => MathF.ScaleB(1f, Math.Max(LastOrdinaryExponent, MathF.ILogB(value)) - LastOrdinaryExponent);

    private static void CheckElements(
        GradientReport report, Tensor variable, float[] gradient, double largest, Evaluator evaluator)
    {
        float[] values = variable.ToArray();
        for (int element = 0; element < gradient.Length; element++)
        {
            float[] direction = new float[gradient.Length];
            direction[element] = 1f;
            (double difference, double noise, bool isKink) = evaluator.Slope(direction, Step * Stretch(values[element]), gradient[element]);
            double scale = Math.Max(Math.Abs(difference), 0.1 * largest);
            if (isKink && GradientReport.Error(gradient[element], difference, scale, noise) > Tolerance)
            {
                report.Skip();
            }
            else
            {
                report.Add(variable, element, gradient[element], difference, scale, noise);
            }
        }
    }

    private static void CheckDirections(
        GradientReport report, Tensor variable, float[] gradient, Evaluator evaluator, Generator generator)
    {
        float[] values = variable.ToArray();
        float[] stretches = Array.ConvertAll(values, Stretch);
        float longest = stretches.Max();
        float[] parts = Array.ConvertAll(stretches, stretch => stretch / longest);
        double magnitude = Math.Sqrt(gradient.Zip(parts, (value, part) => (double)value * part).Sum(value => value * value));
        for (int trial = 0; trial < Directions; trial++)
        {
            // Half of the directions follow the gradient's signs: nothing cancels, so a wrong factor shows at once.
            float[] direction = Tensor.Uniform([gradient.Length], 0.5f, 1.5f, generator).ToArray();
            float step = (float)(Step / direction.Max(value => (double)value)) * longest;
            double expected = 0;
            for (int element = 0; element < direction.Length; element++)
            {
                bool isNegative = trial % 2 == 0 ? gradient[element] < 0 : generator.Next() < 0.5f;
                direction[element] *= isNegative ? -parts[element] : parts[element];

                // As far as float32 can move it, or a large number's rounding would be held against all others.
                direction[element] = (values[element] + (step * direction[element]) - values[element]) / step;
                expected += (double)gradient[element] * direction[element];
            }

            (double difference, double noise, _) = evaluator.Slope(direction, step, expected);
            report.Add(variable, null, expected, difference, Math.Max(Math.Abs(difference), magnitude), noise);
        }
    }

    /// <summary>Evaluates the projected function along a line through one of its inputs.</summary>
    /// <remarks>Recording stays on, so that a function may itself take gradients: that is how second order is checked.</remarks>
    private sealed class Evaluator(
        Func<IReadOnlyList<Tensor>, Tensor> function, Tensor[] variables, int input, double[] weights, Shape shape)
    {
        private readonly float[] point = variables[input].ToArray();
        private readonly float[] centre = Outputs(function, variables, shape);

        /// <summary>
        /// The slope along a direction; about how far rounding to float32 moves it, which is no error of the gradient; and
        /// whether the point is a kink that the gradient lies inside of.
        /// </summary>
        public (double Slope, double Noise, bool IsKink) Slope(float[] direction, float step, double gradient)
        {
            (float[] above, double upward) = At(direction, step);
            (float[] below, double downward) = At(direction, -step);
            double slope = Difference(above, below) / (upward - downward);
            double right = Difference(above, centre) / upward;
            double left = Difference(below, centre) / downward;
            double made = upward - downward;
            double noise = Math.Sqrt(Rounding(centre) + InnerRounding(above, below, made)) / made;
            double gap = Math.Abs(right - left);
            double margin = (KinkMargin * gap) + noise;
            bool isKink = gap > 0.1 * Math.Max(Math.Abs(right), Math.Abs(left))
                && gradient >= Math.Min(left, right) - margin && gradient <= Math.Max(left, right) + margin;
            return (slope, noise, isKink);
        }

        private double Difference(float[] a, float[] b)
        {
            double sum = 0;
            for (int i = 0; i < a.Length; i++)
            {
                sum += weights[i] * ((double)a[i] - b[i]);
            }

            return sum;
        }

        /// <summary>
        /// Three units in the last place of each output, squared and added like independent errors. Outputs that did not
        /// move count too: what did not move by less than a unit would have moved in exact arithmetic.
        /// </summary>
        private double Rounding(float[] outputs)
        {
            double sum = 0;
            for (int i = 0; i < outputs.Length; i++)
            {
                double unit = Math.ScaleB(3 * weights[i] * outputs[i], -23);
                sum += unit * unit;
            }

            return sum;
        }

        /// <summary>
        /// The same for numbers of the inputs' size inside the function, as a mean that is subtracted: what they are rounded by
        /// reaches the outputs by the outputs' slopes, which may be large where those of the projection cancel.
        /// </summary>
        private double InnerRounding(float[] above, float[] below, double made)
        {
            double unit = Math.ScaleB(3 * point.Max(value => Math.Abs((double)value)), -23);
            double sum = 0;
            for (int i = 0; i < above.Length; i++)
            {
                double moved = weights[i] * ((double)above[i] - below[i]) / made * unit;
                sum += moved * moved;
            }

            return sum;
        }

        /// <summary>The outputs a step away, and the step that was really made, after rounding the inputs.</summary>
        private (float[] Outputs, double Step) At(float[] direction, float step)
        {
            float[] moved = new float[point.Length];
            double made = 0;
            double wanted = 0;
            for (int element = 0; element < moved.Length; element++)
            {
                moved[element] = point[element] + (step * direction[element]);
                made += ((double)moved[element] - point[element]) * direction[element];
                wanted += (double)step * direction[element] * direction[element];
            }

            Tensor[] inputs = [.. variables];
            inputs[input] = Tensor.Of(moved, variables[input].Shape).To(variables[input].Backend).WithGradient(variables[input].Name);
            return (Outputs(function, inputs, shape), step * (made / wanted));
        }

        private static float[] Outputs(Func<IReadOnlyList<Tensor>, Tensor> function, Tensor[] inputs, Shape shape)
        {
            Tensor output = function(inputs) ?? throw NoOutput();
            return output.Shape.Equals(shape) ? output.ToArray() : throw new GradientException(
                $"GradientChecker: the function's result had shape {shape} at first and has {output.Shape} now, so the two cannot be compared. The shape must not depend on the inputs' values, nor on how often the function was called.");
        }
    }
}
