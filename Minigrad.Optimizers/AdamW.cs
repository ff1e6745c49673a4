namespace Minigrad.Optimizers;

/// <summary>
/// Adam with decoupled weight decay (Loshchilov and Hutter, 2017, arXiv:1711.05101): p shrinks by η · λ · p apart from the
/// gradient, so that the decay is not divided by the size of the gradients.
/// </summary>
public sealed class AdamW : Adam
{
    /// <summary>An optimizer of parameters.</summary>
    /// <param name="parameters">The parameters, as model.Parameters.</param>
    /// <param name="learningRate">The learning rate η.</param>
    /// <param name="beta1">β₁, the rate of the running mean of gradients.</param>
    /// <param name="beta2">β₂, the rate of the running mean of squares.</param>
    /// <param name="epsilon">ε, added outside the root, after the correction of bias.</param>
    /// <param name="weightDecay">The decoupled weight decay λ.</param>
    /// <param name="amsGrad">Whether to divide by the largest mean square so far.</param>
    /// <exception cref="ArgumentException">There is no parameter, or one is null, is given twice, asks for no gradient or is the result of an operation.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A constant is out of its range.</exception>
    public AdamW(
        IEnumerable<Tensor> parameters,
        double learningRate = 1e-3,
        double beta1 = 0.9,
        double beta2 = 0.999,
        double epsilon = 1e-8,
        double weightDecay = 1e-2,
        bool amsGrad = false)
        : base(parameters, learningRate, beta1, beta2, epsilon, weightDecay, amsGrad)
    {
    }

    /// <summary>An optimizer of groups of parameters.</summary>
    /// <param name="groups">The groups.</param>
    /// <param name="learningRate">The learning rate η.</param>
    /// <param name="beta1">β₁, the rate of the running mean of gradients.</param>
    /// <param name="beta2">β₂, the rate of the running mean of squares.</param>
    /// <param name="epsilon">ε, added outside the root, after the correction of bias.</param>
    /// <param name="weightDecay">The decoupled weight decay λ.</param>
    /// <param name="amsGrad">Whether to divide by the largest mean square so far.</param>
    /// <exception cref="ArgumentException">There is no parameter, a group or a parameter is null, or a parameter is given twice, asks for no gradient or is the result of an operation.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A constant is out of its range.</exception>
    public AdamW(
        IEnumerable<ParameterGroup> groups,
        double learningRate = 1e-3,
        double beta1 = 0.9,
        double beta2 = 0.999,
        double epsilon = 1e-8,
        double weightDecay = 1e-2,
        bool amsGrad = false)
        : base(groups, learningRate, beta1, beta2, epsilon, weightDecay, amsGrad)
    {
    }

    /// <inheritdoc/>
    protected override bool HasDecoupledDecay => true;
}
