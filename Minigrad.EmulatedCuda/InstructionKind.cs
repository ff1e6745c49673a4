namespace Minigrad.EmulatedCuda;

/// <summary>What the machine does at an instruction.</summary>
internal enum InstructionKind : byte
{
    /// <summary>Computes a register from registers.</summary>
    Compute,

    /// <summary>Reads an argument of the kernel.</summary>
    LoadArgument,

    /// <summary>Reads memory.</summary>
    Load,

    /// <summary>Writes memory.</summary>
    Store,

    /// <summary>Goes on elsewhere.</summary>
    Branch,

    /// <summary>Goes on where a table says.</summary>
    BranchByTable,

    /// <summary>Waits for all threads of the block.</summary>
    Barrier,

    /// <summary>Waits for all threads of the block, and counts those of which a predicate is true.</summary>
    CountingBarrier,

    /// <summary>Waits for all threads of the block, and asks whether a predicate is true of all.</summary>
    AllBarrier,

    /// <summary>Waits for all threads of the block, and asks whether a predicate is true of any.</summary>
    AnyBarrier,

    /// <summary>Ends the thread.</summary>
    Return,
}
