namespace Minigrad.Operations;

/// <summary>
/// How a threshold follows from the norms of the past. It is written once, over doubles and a memory of doubles, and runs on
/// the host or in a kernel, so a device needs no host to decide and no threshold acts late.
/// </summary>
/// <remarks>
/// <para>Implement it as a <c>public readonly struct</c> whose fields are the rule's constants. <see cref="Threshold"/> only
/// looks; <see cref="Observe"/> is called once at the end of a step that was made, so a step that was skipped leaves no
/// trace. Only norms that are finite and above 0 are shown to a rule that remembers: a NaN would stay for ever, and
/// a 0 would teach it to clip everything to 0.</para>
/// <para>Use plain arithmetic, comparisons and the functions of <see cref="IStepMath"/> only.</para>
/// </remarks>
public interface IThresholdRule
{
    /// <summary>How many numbers it remembers, all 0 at first.</summary>
    int MemoryLength { get; }

    /// <summary>The threshold of this step.</summary>
    /// <typeparam name="TMath">The functions of where it runs.</typeparam>
    /// <typeparam name="TMemory">Where the memory lies.</typeparam>
    /// <param name="norm">What is to be compared with the threshold; not asked for where it is NaN or infinite, if the rule remembers.</param>
    /// <param name="total">The norm of all gradients that the stage sees; the same number as <paramref name="norm"/> where it is they that are compared, or what is compared is no norm.</param>
    /// <param name="memory">What is remembered.</param>
    double Threshold<TMath, TMemory>(double norm, double total, TMemory memory)
        where TMath : struct, IStepMath
        where TMemory : struct, IThresholdMemory;

    /// <summary>Remembers a norm.</summary>
    /// <typeparam name="TMath">The functions of where it runs.</typeparam>
    /// <typeparam name="TMemory">Where the memory lies.</typeparam>
    /// <param name="norm">The norm before clipping, finite and above 0.</param>
    /// <param name="threshold">The threshold that it was clipped to.</param>
    /// <param name="memory">What is remembered.</param>
    void Observe<TMath, TMemory>(double norm, double threshold, TMemory memory)
        where TMath : struct, IStepMath
        where TMemory : struct, IThresholdMemory;
}
