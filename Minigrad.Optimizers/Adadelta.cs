using Minigrad.Backends;
using Minigrad.Optimizers.Rules;

namespace Minigrad.Optimizers;

/// <summary>Adadelta (Zeiler, 2012, arXiv:1212.5701): steps as large as recent steps, divided by recent gradients; ε inside both roots.</summary>
public class Adadelta : Optimizer
{
    /// <summary>An optimizer of parameters.</summary>
    /// <param name="parameters">The parameters, as model.Parameters.</param>
    /// <param name="learningRate">The learning rate η.</param>
    /// <param name="rho">ρ, the rate of both running means.</param>
    /// <param name="epsilon">ε, added inside the roots.</param>
    /// <param name="weightDecay">The weight decay λ, added to the gradient as λ · p.</param>
    /// <exception cref="ArgumentException">There is no parameter, or one is null, is given twice, asks for no gradient or is the result of an operation.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A constant is out of its range.</exception>
    public Adadelta(
        IEnumerable<Tensor> parameters,
        double learningRate = 1,
        double rho = 0.9,
        double epsilon = 1e-6,
        double weightDecay = 0)
        : this([new ParameterGroup(parameters)], learningRate, rho, epsilon, weightDecay)
    {
    }

    /// <summary>An optimizer of groups of parameters.</summary>
    /// <param name="groups">The groups.</param>
    /// <param name="learningRate">The learning rate η.</param>
    /// <param name="rho">ρ, the rate of both running means.</param>
    /// <param name="epsilon">ε, added inside the roots.</param>
    /// <param name="weightDecay">The weight decay λ, added to the gradient as λ · p.</param>
    /// <exception cref="ArgumentException">There is no parameter, a group or a parameter is null, or a parameter is given twice, asks for no gradient or is the result of an operation.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A constant is out of its range.</exception>
    public Adadelta(
        IEnumerable<ParameterGroup> groups,
        double learningRate = 1,
        double rho = 0.9,
        double epsilon = 1e-6,
        double weightDecay = 0)
        : base(groups, learningRate)
    {
        Rho = CheckRate(rho, nameof(rho));
        Epsilon = CheckNotNegative(epsilon, nameof(epsilon));
        WeightDecay = weightDecay;
    }

    /// <summary>ρ, the rate of both running means.</summary>
    public double Rho { get; }

    /// <summary>ε, added inside the roots.</summary>
    public double Epsilon { get; }

    /// <inheritdoc/>
    protected override int StateCount => 2;

    /// <inheritdoc/>
    protected override bool HasSecondMoment => true;

    /// <inheritdoc/>
    protected override void Update(UpdateStep step, ReadOnlySpan<UpdateTarget> targets)
    {
        step.ApplyWithSecondMoment(new AdadeltaRule((float)step.LearningRate, (float)Rho, (float)(1 - Rho), (float)Epsilon), targets);
    }
}
