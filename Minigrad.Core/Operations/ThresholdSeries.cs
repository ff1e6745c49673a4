namespace Minigrad.Operations;

/// <summary>
/// One series of norms under a rule: what is compared with the threshold, step by step. Its memory is the rule's, and after
/// it the norm and the threshold of the running step, which are remembered when the step turns out to be made.
/// </summary>
/// <typeparam name="TRule">The rule.</typeparam>
/// <param name="rule">The rule.</param>
public readonly struct ThresholdSeries<TRule>(TRule rule)
    where TRule : unmanaged, IThresholdRule
{
    /// <summary>How many numbers are of the running step only.</summary>
    public const int StepNumbers = 2;

    private readonly TRule rule = rule;

    /// <summary>How many numbers a series takes: none if the rule remembers nothing.</summary>
    public int Length => rule.MemoryLength > 0 ? rule.MemoryLength + StepNumbers : 0;

    /// <summary>The threshold of this step, noted together with the norm; NaN for a norm that a remembering rule can't be asked about.</summary>
    /// <typeparam name="TMath">The functions of where it runs.</typeparam>
    /// <typeparam name="TMemory">Where the memory lies.</typeparam>
    /// <param name="norm">What is to be compared.</param>
    /// <param name="total">The norm of all gradients that the stage sees.</param>
    /// <param name="memory">The series' memory.</param>
    public double Threshold<TMath, TMemory>(double norm, double total, TMemory memory)
        where TMath : struct, IStepMath
        where TMemory : struct, IThresholdMemory
    {
        if (rule.MemoryLength == 0)
        {
            return rule.Threshold<TMath, TMemory>(norm, total, memory);
        }

        double threshold = IsFinite(norm) ? rule.Threshold<TMath, TMemory>(norm, total, memory) : double.NaN;
        memory[rule.MemoryLength] = norm;
        memory[rule.MemoryLength + 1] = threshold;
        return threshold;
    }

    /// <summary>Remembers the norm that <see cref="Threshold"/> noted, if it may enter a history: finite and above 0.</summary>
    /// <typeparam name="TMath">The functions of where it runs.</typeparam>
    /// <typeparam name="TMemory">Where the memory lies.</typeparam>
    /// <param name="memory">The series' memory.</param>
    public void Observe<TMath, TMemory>(TMemory memory)
        where TMath : struct, IStepMath
        where TMemory : struct, IThresholdMemory
    {
        double norm = memory[rule.MemoryLength];
        double threshold = memory[rule.MemoryLength + 1];
        if (IsFinite(norm) && norm > 0.0)
        {
            rule.Observe<TMath, TMemory>(norm, threshold, memory);
        }
    }

    private static bool IsFinite(double norm) => !double.IsNaN(norm) && norm <= double.MaxValue;
}
