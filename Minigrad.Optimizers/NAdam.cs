using Minigrad.Backends;
using Minigrad.Operations;
using Minigrad.Optimizers.Rules;

namespace Minigrad.Optimizers;

/// <summary>Adam with Nesterov momentum (Dozat, 2016), whose momentum μₜ = β₁ · (1 − ½ · 0.96^(t · ψ)) grows to β₁.</summary>
public class NAdam : Optimizer
{
    /// <summary>
    /// The products μ₁ · … · μₜ by t, which follow from t alone and so need not be saved: those of the numbers of updates that parameters
    /// have had, and at times a few more.
    /// </summary>
    private readonly Dictionary<int, double> products = new() { [0] = 1 };

    /// <summary>An optimizer of parameters.</summary>
    /// <param name="parameters">The parameters, as model.Parameters.</param>
    /// <param name="learningRate">The learning rate η.</param>
    /// <param name="beta1">β₁, the rate of the running mean of gradients.</param>
    /// <param name="beta2">β₂, the rate of the running mean of squares.</param>
    /// <param name="epsilon">ε, added outside the root.</param>
    /// <param name="weightDecay">The weight decay λ, added to the gradient as λ · p.</param>
    /// <param name="momentumDecay">ψ, how fast the momentum grows.</param>
    /// <exception cref="ArgumentException">There is no parameter, or one is null, is given twice, asks for no gradient or is the result of an operation.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A constant is out of its range.</exception>
    public NAdam(
        IEnumerable<Tensor> parameters,
        double learningRate = 2e-3,
        double beta1 = 0.9,
        double beta2 = 0.999,
        double epsilon = 1e-8,
        double weightDecay = 0,
        double momentumDecay = 4e-3)
        : this([new ParameterGroup(parameters)], learningRate, beta1, beta2, epsilon, weightDecay, momentumDecay)
    {
    }

    /// <summary>An optimizer of groups of parameters.</summary>
    /// <param name="groups">The groups.</param>
    /// <param name="learningRate">The learning rate η.</param>
    /// <param name="beta1">β₁, the rate of the running mean of gradients.</param>
    /// <param name="beta2">β₂, the rate of the running mean of squares.</param>
    /// <param name="epsilon">ε, added outside the root.</param>
    /// <param name="weightDecay">The weight decay λ, added to the gradient as λ · p.</param>
    /// <param name="momentumDecay">ψ, how fast the momentum grows.</param>
    /// <exception cref="ArgumentException">There is no parameter, a group or a parameter is null, or a parameter is given twice, asks for no gradient or is the result of an operation.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A constant is out of its range.</exception>
    public NAdam(
        IEnumerable<ParameterGroup> groups,
        double learningRate = 2e-3,
        double beta1 = 0.9,
        double beta2 = 0.999,
        double epsilon = 1e-8,
        double weightDecay = 0,
        double momentumDecay = 4e-3)
        : base(groups, learningRate)
    {
        Beta1 = CheckRate(beta1, nameof(beta1));
        Beta2 = CheckRate(beta2, nameof(beta2));
        Epsilon = CheckNotNegative(epsilon, nameof(epsilon));
        WeightDecay = weightDecay;
        MomentumDecay = CheckNotNegative(momentumDecay, nameof(momentumDecay));
    }

    /// <summary>β₁, the rate of the running mean of gradients.</summary>
    public double Beta1 { get; }

    /// <summary>β₂, the rate of the running mean of squares.</summary>
    public double Beta2 { get; }

    /// <summary>ε, added outside the root.</summary>
    public double Epsilon { get; }

    /// <summary>ψ, how fast the momentum grows.</summary>
    public double MomentumDecay { get; }

    /// <summary>How many products are known.</summary>
    internal int KnownProducts => products.Count;

    /// <inheritdoc/>
    protected override int StateCount => 2;

    /// <inheritdoc/>
    protected override bool HasSecondMoment => true;

    /// <inheritdoc/>
    protected override void Update(UpdateStep step, ReadOnlySpan<UpdateTarget> targets)
    {
        step.ApplyWithSecondMoment<NAdamStep, NAdamRule>(Rule(step.LearningRate), targets);
    }

    /// <summary>The product of the momenta of all steps so far, kept so that it need not be multiplied anew each time.</summary>
    /// <param name="step">How many steps there were.</param>
    protected override double Memory(int step)
    {
        if (products.TryGetValue(step, out double product))
        {
            return product;
        }

        NAdamStep rule = Rule(LearningRate);
        int known = products.ContainsKey(step - 1) ? step - 1 : products.Keys.Where(count => count < step).Max();
        product = products[known];
        while (known < step)
        {
            known++;
            product *= rule.Momentum<SystemMath>(known);
        }

        KeepWhatIsNeeded();
        products.Add(step, product);
        return product;
    }

    /// <summary>Forgets the products that no parameter is at, whenever half of them may be such.</summary>
    private void KeepWhatIsNeeded()
    {
        if (products.Count > 2 * (ParameterCount + 1))
        {
            HashSet<int> needed = [0, .. UpdateCounts];
            foreach (int count in products.Keys.Where(count => !needed.Contains(count)).ToList())
            {
                products.Remove(count);
            }
        }
    }

    private NAdamStep Rule(double learningRate) => new(
        new BiasCorrection(learningRate, Beta1, Beta2), Moments.Of(Beta1, Beta2), learningRate, Beta1, MomentumDecay, Epsilon);
}
