using Minigrad.Backends;
using Minigrad.Optimizers.Rules;

namespace Minigrad.Optimizers;

/// <summary>Gradient descent, with momentum in the form b ← μ · b + (1 − dampening) · g, p ← p − η · b; the first b is g, as in PyTorch. (Others fold η into b, or dampen by 1 − μ.)</summary>
public sealed class Sgd : Optimizer
{
    private readonly bool hasMomentum;

    /// <summary>An optimizer of parameters.</summary>
    /// <param name="parameters">The parameters, as model.Parameters.</param>
    /// <param name="learningRate">The learning rate η.</param>
    /// <param name="momentum">μ; 0 for none.</param>
    /// <param name="dampening">How much less of a gradient enters the momentum, from the second step on.</param>
    /// <param name="weightDecay">The weight decay λ, added to the gradient as λ · p.</param>
    /// <param name="nesterov">Whether to look ahead along the momentum; needs momentum and no dampening.</param>
    /// <exception cref="ArgumentException">There is no parameter, or one is null, is given twice, asks for no gradient or is the result of an operation; or Nesterov momentum is asked for without momentum or with dampening.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A constant is out of its range.</exception>
    public Sgd(
        IEnumerable<Tensor> parameters,
        double learningRate = 1e-3,
        double momentum = 0,
        double dampening = 0,
        double weightDecay = 0,
        bool nesterov = false)
        : this([new ParameterGroup(parameters)], learningRate, momentum, dampening, weightDecay, nesterov)
    {
    }

    /// <summary>An optimizer of groups of parameters.</summary>
    /// <param name="groups">The groups.</param>
    /// <param name="learningRate">The learning rate η.</param>
    /// <param name="momentum">μ; 0 for none.</param>
    /// <param name="dampening">How much less of a gradient enters the momentum, from the second step on.</param>
    /// <param name="weightDecay">The weight decay λ, added to the gradient as λ · p.</param>
    /// <param name="nesterov">Whether to look ahead along the momentum; needs momentum and no dampening.</param>
    /// <exception cref="ArgumentException">There is no parameter, a group or a parameter is null, or a parameter is given twice, asks for no gradient or is the result of an operation; or Nesterov momentum is asked for without momentum or with dampening.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A constant is out of its range.</exception>
    public Sgd(
        IEnumerable<ParameterGroup> groups,
        double learningRate = 1e-3,
        double momentum = 0,
        double dampening = 0,
        double weightDecay = 0,
        bool nesterov = false)
        : base(groups, learningRate)
    {
        hasMomentum = momentum != 0;
        Momentum = CheckNotNegative(momentum, nameof(momentum));
        Dampening = double.IsFinite(dampening) ? dampening : throw new ArgumentOutOfRangeException(
            nameof(dampening), dampening, $"Sgd: dampening is how much less of a gradient enters the momentum and must be finite, but it is {dampening}.");
        WeightDecay = weightDecay;
        Nesterov = nesterov;
        if (nesterov && (momentum == 0 || dampening != 0))
        {
            throw new ArgumentException(
                $"Sgd: Nesterov momentum looks ahead along the momentum, so it needs momentum and no dampening, but momentum is {momentum} and dampening {dampening}.", nameof(nesterov));
        }
    }

    /// <summary>μ; 0 for none. A schedule may set it, also to 0, if the optimizer was created with momentum.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is negative or not finite.</exception>
    /// <exception cref="InvalidOperationException">The optimizer was created without momentum, and so remembers none.</exception>
    public double Momentum
    {
        get;
        set => field = hasMomentum || value == 0
            ? CheckNotNegative(value, nameof(Momentum))
            : throw new InvalidOperationException(
                $"Sgd.Momentum was set to {value}, but this optimizer was created without momentum and remembers none. Create it with the momentum it starts from; set that to 0 for a time if need be.");
    }

    /// <summary>How much less of a gradient enters the momentum, from the second step on.</summary>
    public double Dampening { get; }

    /// <summary>Whether to look ahead along the momentum; needs momentum and no dampening.</summary>
    public bool Nesterov { get; }

    /// <inheritdoc/>
    protected override int StateCount => hasMomentum ? 1 : 0;

    /// <inheritdoc/>
    protected override void Update(UpdateStep step, ReadOnlySpan<UpdateTarget> targets)
    {
        float learningRate = (float)step.LearningRate;
        if (!hasMomentum)
        {
            step.Apply(new SgdRule(learningRate), targets);
        }
        else if (Nesterov)
        {
            step.Apply(new NesterovRule(learningRate, (float)Momentum), targets);
        }
        else
        {
            step.Apply<MomentumStep, MomentumRule>(new MomentumStep(step.LearningRate, Momentum, Dampening), targets);
        }
    }
}
