using Minigrad.Backends;
using Minigrad.Optimizers.Rules;

namespace Minigrad.Optimizers;

/// <summary>Adam (Kingma and Ba, 2014, arXiv:1412.6980): running means of the gradient and its square, corrected for their bias; ε is added outside the root after the correction, as in PyTorch. (Keras adds it before, "epsilon hat".)</summary>
public class Adam : Optimizer
{
    /// <summary>An optimizer of parameters.</summary>
    /// <param name="parameters">The parameters, as model.Parameters.</param>
    /// <param name="learningRate">The learning rate η.</param>
    /// <param name="beta1">β₁, the rate of the running mean of gradients.</param>
    /// <param name="beta2">β₂, the rate of the running mean of squares.</param>
    /// <param name="epsilon">ε, added outside the root, after the correction of bias.</param>
    /// <param name="weightDecay">The weight decay λ, added to the gradient as λ · p.</param>
    /// <param name="amsGrad">Whether to divide by the largest mean square so far (Reddi, Kale and Kumar, 2018, arXiv:1904.09237).</param>
    /// <exception cref="ArgumentException">There is no parameter, or one is null, is given twice, asks for no gradient or is the result of an operation.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A constant is out of its range.</exception>
    public Adam(
        IEnumerable<Tensor> parameters,
        double learningRate = 1e-3,
        double beta1 = 0.9,
        double beta2 = 0.999,
        double epsilon = 1e-8,
        double weightDecay = 0,
        bool amsGrad = false)
        : this([new ParameterGroup(parameters)], learningRate, beta1, beta2, epsilon, weightDecay, amsGrad)
    {
    }

    /// <summary>An optimizer of groups of parameters.</summary>
    /// <param name="groups">The groups.</param>
    /// <param name="learningRate">The learning rate η.</param>
    /// <param name="beta1">β₁, the rate of the running mean of gradients.</param>
    /// <param name="beta2">β₂, the rate of the running mean of squares.</param>
    /// <param name="epsilon">ε, added outside the root, after the correction of bias.</param>
    /// <param name="weightDecay">The weight decay λ, added to the gradient as λ · p.</param>
    /// <param name="amsGrad">Whether to divide by the largest mean square so far (Reddi, Kale and Kumar, 2018, arXiv:1904.09237).</param>
    /// <exception cref="ArgumentException">There is no parameter, a group or a parameter is null, or a parameter is given twice, asks for no gradient or is the result of an operation.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A constant is out of its range.</exception>
    public Adam(
        IEnumerable<ParameterGroup> groups,
        double learningRate = 1e-3,
        double beta1 = 0.9,
        double beta2 = 0.999,
        double epsilon = 1e-8,
        double weightDecay = 0,
        bool amsGrad = false)
        : base(groups, learningRate)
    {
        Beta1 = CheckRate(beta1, nameof(beta1));
        Beta2 = CheckRate(beta2, nameof(beta2));
        Epsilon = CheckNotNegative(epsilon, nameof(epsilon));
        WeightDecay = weightDecay;
        AmsGrad = amsGrad;
    }

    /// <summary>β₁, the rate of the running mean of gradients. A schedule may set it; the bias is corrected as if it had been so from the start, as in PyTorch.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is not from 0 up to, not including, 1.</exception>
    public double Beta1
    {
        get;
        set => field = CheckRate(value, nameof(Beta1));
    }

    /// <summary>β₂, the rate of the running mean of squares.</summary>
    public double Beta2 { get; }

    /// <summary>ε, added outside the root, after the correction of bias.</summary>
    public double Epsilon { get; }

    /// <summary>Whether to divide by the largest mean square so far (Reddi, Kale and Kumar, 2018, arXiv:1904.09237).</summary>
    public bool AmsGrad { get; }

    /// <inheritdoc/>
    protected override int StateCount => AmsGrad ? 3 : 2;

    /// <inheritdoc/>
    protected override bool HasSecondMoment => true;

    /// <inheritdoc/>
    protected override void Update(UpdateStep step, ReadOnlySpan<UpdateTarget> targets)
    {
        BiasCorrection correction = new(step.LearningRate, Beta1, Beta2);
        Moments moments = Moments.Of(Beta1, Beta2);
        if (AmsGrad)
        {
            step.ApplyWithSecondMoment<AmsGradStep, AmsGradRule>(new AmsGradStep(correction, moments, Epsilon), targets);
        }
        else
        {
            step.ApplyWithSecondMoment<AdamStep, AdamRule>(new AdamStep(correction, moments, Epsilon), targets);
        }
    }
}
