namespace Minigrad.EmulatedCuda;

/// <summary>A kernel that was read from PTX text.</summary>
/// <param name="name">The name of its entry point.</param>
internal sealed class PtxKernel(string name)
{
    /// <summary>The name of its entry point.</summary>
    public string Name => name;

    /// <summary>The lines of the text, for messages.</summary>
    public required string[] Lines { get; init; }

    /// <summary>What it does.</summary>
    public List<Instruction> Instructions { get; } = [];

    /// <summary>Where branches by table go.</summary>
    public List<int[]> BranchTables { get; } = [];

    /// <summary>What a thread's registers hold at the start: constants, and 0 elsewhere.</summary>
    public List<ulong> Registers { get; } = [];

    /// <summary>The registers that hold addresses in what a block shares, each with its distance from the begin.</summary>
    public List<(int Register, int Offset)> SharedAddresses { get; } = [];

    /// <summary>The registers that hold addresses in what a thread has for itself, each with its distance from the begin.</summary>
    public List<(int Register, int Offset)> LocalAddresses { get; } = [];

    /// <summary>The registers %tid, %ntid, %ctaid and %nctaid, of x, y and z.</summary>
    public int[,] Places { get; } = new int[4, 3];

    /// <summary>The bytes that a block shares.</summary>
    public int SharedSize { get; set; }

    /// <summary>The bytes that a thread has for itself.</summary>
    public int LocalSize { get; set; }

    /// <summary>The bytes of the arguments.</summary>
    public int ArgumentSize { get; set; }
}
