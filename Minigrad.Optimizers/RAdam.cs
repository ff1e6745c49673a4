using Minigrad.Backends;
using Minigrad.Optimizers.Rules;

namespace Minigrad.Optimizers;

/// <summary>Rectified Adam (Liu et al., 2019, arXiv:1908.03265): plain momentum while the mean square is too uncertain to divide by, then Adam with a factor for its uncertainty.</summary>
public sealed class RAdam : Optimizer
{
    /// <summary>An optimizer of parameters.</summary>
    /// <param name="parameters">The parameters, as model.Parameters.</param>
    /// <param name="learningRate">The learning rate η.</param>
    /// <param name="beta1">β₁, the rate of the running mean of gradients.</param>
    /// <param name="beta2">β₂, the rate of the running mean of squares.</param>
    /// <param name="epsilon">ε, added outside the root.</param>
    /// <param name="weightDecay">The weight decay λ, added to the gradient as λ · p.</param>
    /// <exception cref="ArgumentException">There is no parameter, or one is null, is given twice, asks for no gradient or is the result of an operation.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A constant is out of its range.</exception>
    public RAdam(
        IEnumerable<Tensor> parameters,
        double learningRate = 1e-3,
        double beta1 = 0.9,
        double beta2 = 0.999,
        double epsilon = 1e-8,
        double weightDecay = 0)
        : this([new ParameterGroup(parameters)], learningRate, beta1, beta2, epsilon, weightDecay)
    {
    }

    /// <summary>An optimizer of groups of parameters.</summary>
    /// <param name="groups">The groups.</param>
    /// <param name="learningRate">The learning rate η.</param>
    /// <param name="beta1">β₁, the rate of the running mean of gradients.</param>
    /// <param name="beta2">β₂, the rate of the running mean of squares.</param>
    /// <param name="epsilon">ε, added outside the root.</param>
    /// <param name="weightDecay">The weight decay λ, added to the gradient as λ · p.</param>
    /// <exception cref="ArgumentException">There is no parameter, a group or a parameter is null, or a parameter is given twice, asks for no gradient or is the result of an operation.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A constant is out of its range.</exception>
    public RAdam(
        IEnumerable<ParameterGroup> groups,
        double learningRate = 1e-3,
        double beta1 = 0.9,
        double beta2 = 0.999,
        double epsilon = 1e-8,
        double weightDecay = 0)
        : base(groups, learningRate)
    {
        Beta1 = CheckRate(beta1, nameof(beta1));
        Beta2 = CheckRate(beta2, nameof(beta2));
        Epsilon = CheckNotNegative(epsilon, nameof(epsilon));
        WeightDecay = weightDecay;
    }

    /// <summary>β₁, the rate of the running mean of gradients.</summary>
    public double Beta1 { get; }

    /// <summary>β₂, the rate of the running mean of squares.</summary>
    public double Beta2 { get; }

    /// <summary>ε, added outside the root.</summary>
    public double Epsilon { get; }

    /// <inheritdoc/>
    protected override int StateCount => 2;

    /// <inheritdoc/>
    protected override bool HasSecondMoment => true;

    /// <inheritdoc/>
    protected override void Update(UpdateStep step, ReadOnlySpan<UpdateTarget> targets)
    {
        BiasCorrection correction = new(step.LearningRate, Beta1, Beta2);
        step.ApplyWithSecondMoment<RAdamStep, RAdamRule>(new RAdamStep(correction, Moments.Of(Beta1, Beta2), Beta2, Epsilon), targets);
    }
}
