using System.Text;
using Minigrad.Backends;

namespace Minigrad.Optimizers.Clipping;

/// <summary>Finds gradients that no step can be made with, says which, and carries the policy out.</summary>
internal static class NonFiniteGradients
{
    /// <summary>
    /// The square of a larger float32 overflows, and with it the moments of most optimizers. What is held against it is the norm,
    /// which no element exceeds: that is known without another look at the elements.
    /// </summary>
    public const double LargestUsable = 1.8e19;

    /// <summary>Measures all gradients and deals with those that are not finite.</summary>
    /// <returns>Whether the step goes on.</returns>
    public static bool Handle(GradientSet set, NonFinitePolicy policy, int? step)
    {
        set.Measure();
        bool isFinite = true;
        foreach (PendingGradient gradient in set.Gradients)
        {
            isFinite &= double.IsFinite(gradient.NormInMemory);
        }

        return isFinite || Handle(set, policy, step, gradient => !double.IsFinite(gradient.NormInMemory), double.PositiveInfinity);
    }

    /// <summary>Deals with gradients that are finite, but after clipping still so large that an update would overflow.</summary>
    /// <returns>Whether the step goes on.</returns>
    public static bool HandleTooLarge(GradientSet set, NonFinitePolicy policy, int? step)
    {
        bool isUsable = true;
        foreach (PendingGradient gradient in set.Gradients)
        {
            isUsable &= !(gradient.LargestPossible > LargestUsable);
        }

        return isUsable || Handle(set, policy, step, gradient => gradient.LargestPossible > LargestUsable, LargestUsable);
    }

    private static bool Handle(
        GradientSet set, NonFinitePolicy policy, int? step, Func<PendingGradient, bool> isBad, double limit)
    {
        switch (policy)
        {
            case NonFinitePolicy.Throw:
                throw new NonFiniteGradientException(Describe(set, step, isBad, limit));
            case NonFinitePolicy.SkipStep:
                return false;
            case NonFinitePolicy.ZeroBadValues:
                foreach (PendingGradient gradient in set.Gradients)
                {
                    if (isBad(gradient))
                    {
                        ZeroBadValues(gradient, limit);
                    }
                }

                return true;
            case NonFinitePolicy.Propagate:
                return true;
            default:
                throw new ArgumentOutOfRangeException(nameof(policy), policy, "There is no such policy for non-finite gradients.");
        }
    }

    private static void ZeroBadValues(PendingGradient gradient, double limit)
    {
        Storage values = gradient.Take();
        values.Backend.Map(new Operations.KeepBelow((float)limit), values, values);
        values.MarkChanged();
        gradient.Measure();
    }

    private static string Describe(GradientSet set, int? step, Func<PendingGradient, bool> isBad, double limit)
    {
        int count = 0;
        PendingGradient? first = null;
        List<string> names = [];
        for (int i = 0; i < set.Gradients.Length; i++)
        {
            if (isBad(set.Gradients[i]))
            {
                names.Add(set.Gradients[i].Name);
                count++;
                first ??= set.Gradients[i];
            }
        }

        BadElements elements = Find(first!.Gradient, double.IsInfinity(limit) ? 1 : first.Coefficient, limit);
        return Describe(step, limit, names, count, first.Gradient.Shape, elements, first.Norm);
    }

    /// <summary>Names every bad parameter, the first bad element of the first one, and how many there are.</summary>
    /// <param name="step">The number of the step, or null outside one.</param>
    /// <param name="limit">From which magnitude on an element is bad.</param>
    /// <param name="names">The names of bad parameters, at least of the first six.</param>
    /// <param name="count">How many parameters are bad.</param>
    /// <param name="shape">The shape of the first.</param>
    /// <param name="elements">Its bad elements.</param>
    /// <param name="norm">Its norm.</param>
    public static string Describe(
        int? step, double limit, IReadOnlyList<string> names, int count, Shape shape, BadElements elements, double norm)
    {
        StringBuilder text = new(double.IsInfinity(limit)
            ? "A gradient is not finite"
            : $"A gradient is finite but its norm is above {limit:0.0e+0}, where squares overflow float32 and the optimizer's state with it");
        text.Append(step is null ? ": " : $" at step {step}: ");
        if (elements.Place >= 0)
        {
            text.Append($"'{names[0]}' has {elements.Value} at {PlaceText(elements.Place, shape)}, and {elements.Count} bad of {shape.Size} elements in all");
        }
        else
        {
            text.Append($"'{names[0]}' has a norm of {norm:0.###e+0}");
        }

        int others = count - 1;
        text.Append(others > 0 ? $"; {others} more: {string.Join(", ", names.Skip(1).Take(5).Select(name => $"'{name}'"))}{(others > 5 ? ", …" : string.Empty)}. " : ". ");
        return text.Append(
            "No parameter was changed. A lower learning rate or Clip = [Clip.GlobalNorm(1)] often prevents it; "
            + "NonFinite = NonFinitePolicy.SkipStep passes over such steps. If it happens at the first step, look for a division by 0, a logarithm of 0, or bad data: forward and backward inside `using (Anomaly.Trace())` name the operation and the line where it began.").ToString();
    }

    /// <summary>Looks through a gradient for elements that are NaN or not below a limit.</summary>
    /// <param name="gradient">The gradient.</param>
    /// <param name="coefficient">What each element is multiplied by.</param>
    /// <param name="limit">The limit.</param>
    public static BadElements Find(Tensor gradient, double coefficient, double limit)
    {
        float[] values = gradient.ToArray();
        int place = Array.FindIndex(values, value => IsBad(coefficient * value, limit));
        return place < 0
            ? new BadElements(-1, 0, 0)
            : new BadElements(place, values[place], values.Count(value => IsBad(coefficient * value, limit)));
    }

    /// <summary>The parameter's name, or its number.</summary>
    public static string NameOf(Tensor parameter, int number) => parameter.Name ?? $"parameter {number}";

    private static bool IsBad(double value, double limit) => !(Math.Abs(value) < limit);

    private static string PlaceText(int place, Shape shape)
    {
        int[] index = new int[shape.Rank];
        for (int axis = shape.Rank - 1; axis >= 0; axis--)
        {
            index[axis] = place % shape[axis];
            place /= shape[axis];
        }

        return $"[{string.Join(", ", index)}]";
    }
}
