using Minigrad.Backends;
using Minigrad.Optimizers.Rules;

namespace Minigrad.Optimizers;

/// <summary>Adagrad (Duchi, Hazan and Singer, 2011): g divided by the root of the sum of all g² so far; the sum starts at 0, as in PyTorch. (Keras starts it at 0.1.)</summary>
public sealed class Adagrad : Optimizer
{
    /// <summary>An optimizer of parameters.</summary>
    /// <param name="parameters">The parameters, as model.Parameters.</param>
    /// <param name="learningRate">The learning rate η.</param>
    /// <param name="learningRateDecay">δ: the learning rate of step t is η / (1 + (t − 1) · δ).</param>
    /// <param name="weightDecay">The weight decay λ, added to the gradient as λ · p.</param>
    /// <param name="initialAccumulator">What the sum starts at.</param>
    /// <param name="epsilon">ε, added outside the root.</param>
    /// <exception cref="ArgumentException">There is no parameter, or one is null, is given twice, asks for no gradient or is the result of an operation.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A constant is out of its range.</exception>
    public Adagrad(
        IEnumerable<Tensor> parameters,
        double learningRate = 1e-2,
        double learningRateDecay = 0,
        double weightDecay = 0,
        double initialAccumulator = 0,
        double epsilon = 1e-10)
        : this([new ParameterGroup(parameters)], learningRate, learningRateDecay, weightDecay, initialAccumulator, epsilon)
    {
    }

    /// <summary>An optimizer of groups of parameters.</summary>
    /// <param name="groups">The groups.</param>
    /// <param name="learningRate">The learning rate η.</param>
    /// <param name="learningRateDecay">δ: the learning rate of step t is η / (1 + (t − 1) · δ).</param>
    /// <param name="weightDecay">The weight decay λ, added to the gradient as λ · p.</param>
    /// <param name="initialAccumulator">What the sum starts at.</param>
    /// <param name="epsilon">ε, added outside the root.</param>
    /// <exception cref="ArgumentException">There is no parameter, a group or a parameter is null, or a parameter is given twice, asks for no gradient or is the result of an operation.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A constant is out of its range.</exception>
    public Adagrad(
        IEnumerable<ParameterGroup> groups,
        double learningRate = 1e-2,
        double learningRateDecay = 0,
        double weightDecay = 0,
        double initialAccumulator = 0,
        double epsilon = 1e-10)
        : base(groups, learningRate)
    {
        LearningRateDecay = CheckNotNegative(learningRateDecay, nameof(learningRateDecay));
        WeightDecay = weightDecay;
        InitialAccumulator = CheckNotNegative(initialAccumulator, nameof(initialAccumulator));
        Epsilon = CheckNotNegative(epsilon, nameof(epsilon));
    }

    /// <summary>δ: the learning rate of step t is η / (1 + (t − 1) · δ).</summary>
    public double LearningRateDecay { get; }

    /// <summary>What the sum starts at.</summary>
    public double InitialAccumulator { get; }

    /// <summary>ε, added outside the root.</summary>
    public double Epsilon { get; }

    /// <inheritdoc/>
    protected override float InitialState(int slot) => (float)InitialAccumulator;

    /// <inheritdoc/>
    protected override int StateCount => 1;

    /// <inheritdoc/>
    protected override void Update(UpdateStep step, ReadOnlySpan<UpdateTarget> targets)
    {
        step.Apply<AdagradStep, AdagradRule>(new AdagradStep(step.LearningRate, LearningRateDecay, Epsilon), targets);
    }
}
