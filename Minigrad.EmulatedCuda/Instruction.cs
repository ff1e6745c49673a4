namespace Minigrad.EmulatedCuda;

/// <summary>An instruction of PTX, read. Registers are numbers of 64-bit places in a thread's file; −1 is none.</summary>
internal unsafe struct Instruction
{
    /// <summary>What is done.</summary>
    public InstructionKind Kind;

    /// <summary>Where the address of a load or a store lies.</summary>
    public MemorySpace Space;

    /// <summary>Whether the instruction is done where its predicate is false.</summary>
    public bool IsNegated;

    /// <summary>Whether what is loaded has a sign.</summary>
    public bool IsSigned;

    /// <summary>How many bytes an element has that is loaded or stored.</summary>
    public byte Size;

    /// <summary>How many elements are loaded or stored.</summary>
    public byte Count;

    /// <summary>The register of the predicate that decides whether it is done.</summary>
    public int Predicate;

    /// <summary>The register that is written.</summary>
    public int Result;

    /// <summary>The register of the first operand, or of an address.</summary>
    public int A;

    /// <summary>The register of the second operand.</summary>
    public int B;

    /// <summary>The register of the third operand.</summary>
    public int C;

    /// <summary>What is added to an address.</summary>
    public int Offset;

    /// <summary>Where a branch goes, or which table it asks.</summary>
    public int Target;

    /// <summary>The line of the text, from 0.</summary>
    public int Line;

    /// <summary>The registers that are loaded or stored.</summary>
    public fixed int Elements[4];

    /// <summary>Computes the result.</summary>
    public delegate*<ulong*, Instruction*, void> Compute;
}
