using Minigrad.Backends;
using Minigrad.Optimizers.Rules;

namespace Minigrad.Optimizers;

/// <summary>RMSProp (Tieleman and Hinton, 2012): g divided by the root of the running mean of g², which starts at 0; ε outside the root, as in PyTorch. (Keras and optax add it inside; autograd starts the mean at 1.)</summary>
public sealed class RmsProp : Optimizer
{
    private readonly bool hasMomentum;

    /// <summary>An optimizer of parameters.</summary>
    /// <param name="parameters">The parameters, as model.Parameters.</param>
    /// <param name="learningRate">The learning rate η.</param>
    /// <param name="alpha">α, the rate of the running mean.</param>
    /// <param name="epsilon">ε, added outside the root.</param>
    /// <param name="weightDecay">The weight decay λ, added to the gradient as λ · p.</param>
    /// <param name="momentum">μ; 0 for none.</param>
    /// <param name="centered">Whether to divide by the standard deviation, the mean taken out (Graves, 2013, arXiv:1308.0850).</param>
    /// <exception cref="ArgumentException">There is no parameter, or one is null, is given twice, asks for no gradient or is the result of an operation.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A constant is out of its range.</exception>
    public RmsProp(
        IEnumerable<Tensor> parameters,
        double learningRate = 1e-2,
        double alpha = 0.99,
        double epsilon = 1e-8,
        double weightDecay = 0,
        double momentum = 0,
        bool centered = false)
        : this([new ParameterGroup(parameters)], learningRate, alpha, epsilon, weightDecay, momentum, centered)
    {
    }

    /// <summary>An optimizer of groups of parameters.</summary>
    /// <param name="groups">The groups.</param>
    /// <param name="learningRate">The learning rate η.</param>
    /// <param name="alpha">α, the rate of the running mean.</param>
    /// <param name="epsilon">ε, added outside the root.</param>
    /// <param name="weightDecay">The weight decay λ, added to the gradient as λ · p.</param>
    /// <param name="momentum">μ; 0 for none.</param>
    /// <param name="centered">Whether to divide by the standard deviation, the mean taken out (Graves, 2013, arXiv:1308.0850).</param>
    /// <exception cref="ArgumentException">There is no parameter, a group or a parameter is null, or a parameter is given twice, asks for no gradient or is the result of an operation.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A constant is out of its range.</exception>
    public RmsProp(
        IEnumerable<ParameterGroup> groups,
        double learningRate = 1e-2,
        double alpha = 0.99,
        double epsilon = 1e-8,
        double weightDecay = 0,
        double momentum = 0,
        bool centered = false)
        : base(groups, learningRate)
    {
        Alpha = CheckRate(alpha, nameof(alpha));
        Epsilon = CheckNotNegative(epsilon, nameof(epsilon));
        WeightDecay = weightDecay;
        hasMomentum = momentum != 0;
        Momentum = CheckNotNegative(momentum, nameof(momentum));
        Centered = centered;
    }

    /// <summary>α, the rate of the running mean.</summary>
    public double Alpha { get; }

    /// <summary>ε, added outside the root.</summary>
    public double Epsilon { get; }

    /// <summary>μ; 0 for none. A schedule may set it, also to 0, if the optimizer was created with momentum.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is negative or not finite.</exception>
    /// <exception cref="InvalidOperationException">The optimizer was created without momentum, and so remembers none.</exception>
    public double Momentum
    {
        get;
        set => field = hasMomentum || value == 0
            ? CheckNotNegative(value, nameof(Momentum))
            : throw new InvalidOperationException(
                $"RmsProp.Momentum was set to {value}, but this optimizer was created without momentum and remembers none. Create it with the momentum it starts from; set that to 0 for a time if need be.");
    }

    /// <summary>Whether to divide by the standard deviation, the mean taken out (Graves, 2013, arXiv:1308.0850).</summary>
    public bool Centered { get; }

    /// <inheritdoc/>
    protected override int StateCount => 1 + (Centered ? 1 : 0) + (hasMomentum ? 1 : 0);

    /// <inheritdoc/>
    protected override bool HasSecondMoment => true;

    /// <inheritdoc/>
    protected override void Update(UpdateStep step, ReadOnlySpan<UpdateTarget> targets)
    {
        float learningRate = (float)step.LearningRate;
        MeanSquare meanSquare = new((float)Alpha, (float)(1 - Alpha), (float)Epsilon);
        switch (Centered, hasMomentum)
        {
            case (false, false):
                step.ApplyWithSecondMoment(new RmsPropRule(learningRate, meanSquare), targets);
                break;
            case (false, true):
                step.ApplyWithSecondMoment(new RmsPropMomentumRule(learningRate, meanSquare, (float)Momentum), targets);
                break;
            case (true, false):
                step.ApplyWithSecondMoment(new CenteredRmsPropRule(learningRate, meanSquare), targets);
                break;
            case (true, true):
                step.ApplyWithSecondMoment(new CenteredRmsPropMomentumRule(learningRate, meanSquare, (float)Momentum), targets);
                break;
        }
    }
}
