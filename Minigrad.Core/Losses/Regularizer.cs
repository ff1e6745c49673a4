namespace Minigrad.Losses;

/// <summary>Penalties on parameters, to be added to a loss.</summary>
public static class Regularizer
{
    /// <summary>λ · Σ |w| over all parameters: pulls them to exactly 0.</summary>
    /// <param name="parameters">The parameters, at least one.</param>
    /// <param name="strength">λ, not negative.</param>
    /// <returns>The penalty, <c>[]</c>.</returns>
    /// <exception cref="ArgumentOutOfRangeException">λ is negative or NaN.</exception>
    /// <exception cref="ArgumentException">There are no parameters, or one is null.</exception>
    public static Tensor L1(IEnumerable<Tensor> parameters, float strength) =>
        Penalty(parameters, strength, parameter => parameter.Abs().Sum());

    /// <summary>
    /// λ · Σ w² over all parameters. Its gradient is 2λw: with plain SGD it equals a weight decay of 2λ, with adaptive
    /// optimizers it does not (Loshchilov and Hutter, 2017, arXiv:1711.05101).
    /// </summary>
    /// <param name="parameters">The parameters, at least one.</param>
    /// <param name="strength">λ, not negative.</param>
    /// <returns>The penalty, <c>[]</c>.</returns>
    /// <exception cref="ArgumentOutOfRangeException">λ is negative or NaN.</exception>
    /// <exception cref="ArgumentException">There are no parameters, or one is null.</exception>
    public static Tensor L2(IEnumerable<Tensor> parameters, float strength) =>
        Penalty(parameters, strength, parameter => parameter.Square().Sum());

    private static Tensor Penalty(IEnumerable<Tensor> parameters, float strength, Func<Tensor, Tensor> term)
    {
        ArgumentNullException.ThrowIfNull(parameters);
        if (!(strength >= 0))
        {
            throw new ArgumentOutOfRangeException(nameof(strength), strength, "A penalty's strength must not be negative.");
        }

        Tensor? sum = null;
        foreach (Tensor parameter in parameters)
        {
            if (parameter is null)
            {
                throw new ArgumentException("A penalty was asked for on a parameter that is null; pass model.Parameters.", nameof(parameters));
            }

            sum = sum is null ? term(parameter) : sum + term(parameter);
        }

        return sum is null
            ? throw new ArgumentException("A penalty was asked for on no parameters; pass model.Parameters.", nameof(parameters))
            : strength * sum;
    }
}
