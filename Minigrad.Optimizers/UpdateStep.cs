using Minigrad.Backends;
using Minigrad.Operations;
using Minigrad.Optimizers.Rules;

namespace Minigrad.Optimizers;

/// <summary>What an optimizer knows when it makes the rule of one step.</summary>
public readonly struct UpdateStep
{
    private readonly Backend backend;
    private readonly float sign;
    private readonly float added;
    private readonly float kept;

    internal UpdateStep(Backend backend, int number, double learningRate, float sign, float added, float kept)
    {
        this.backend = backend;
        this.sign = sign;
        this.added = added;
        this.kept = kept;
        Number = number;
        LearningRate = learningRate;
    }

    /// <summary>Which step of these parameters this is, from 1.</summary>
    public int Number { get; }

    /// <summary>The learning rate in force for these parameters.</summary>
    public double LearningRate { get; }

    /// <summary>Updates parameters by a rule, with weight decay and direction applied around it.</summary>
    /// <typeparam name="TRule">The rule.</typeparam>
    /// <param name="rule">The rule and this step's constants.</param>
    /// <param name="targets">The parameters, as <see cref="Optimizer.Update"/> was given them.</param>
    public void Apply<TRule>(TRule rule, ReadOnlySpan<UpdateTarget> targets)
        where TRule : unmanaged, IUpdateRule =>
        backend.Update(new Decayed<TRule>(rule, sign, added, kept), targets);
}
