namespace Minigrad.EmulatedCuda;

/// <summary>An instruction that computes a register from registers.</summary>
/// <param name="compute">Computes it from a thread's registers.</param>
/// <param name="operands">How many operands it has.</param>
internal readonly unsafe struct Operation(delegate*<ulong*, Instruction*, void> compute, int operands)
{
    /// <summary>Computes it from a thread's registers.</summary>
    public readonly delegate*<ulong*, Instruction*, void> Compute = compute;

    /// <summary>How many operands it has.</summary>
    public readonly int Operands = operands;
}
