namespace Minigrad.Backends.Cpu;

/// <summary>The body of a loop that <see cref="Workers"/> runs block by block.</summary>
internal interface IBlockBody
{
    /// <summary>Does one block's share of the work.</summary>
    /// <param name="block">The number of the block, from 0.</param>
    void Run(int block);
}
