namespace Minigrad.EmulatedCuda;

/// <summary>A kernel with its arguments, and how many threads run it.</summary>
/// <param name="Kernel">The kernel.</param>
/// <param name="Grid">How many blocks there are, along x, y and z.</param>
/// <param name="Block">How many threads a block has, along x, y and z.</param>
/// <param name="Arguments">The bytes of the arguments.</param>
internal sealed record Launch(PtxKernel Kernel, int[] Grid, int[] Block, byte[] Arguments)
{
    /// <summary>How many blocks there are.</summary>
    public int BlockCount => Grid[0] * Grid[1] * Grid[2];

    /// <summary>How many threads a block has.</summary>
    public int BlockSize => Block[0] * Block[1] * Block[2];
}
