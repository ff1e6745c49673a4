namespace Minigrad.Backends.Cpu;

/// <summary>
/// Runs the blocks of a loop on several threads. Work is cut into blocks by its size alone, so the numbers that come out
/// do not depend on how many threads there are.
/// </summary>
internal sealed class Workers
{
    private int threadCount = Environment.ProcessorCount;

    /// <summary>How many threads may work at once, at least 1.</summary>
    public int ThreadCount
    {
        get => threadCount;
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(value);
            threadCount = value;
        }
    }

    /// <summary>Runs every block once, in any order, and returns when all are done.</summary>
    /// <typeparam name="TBody">The loop's body, a struct so that its call is direct.</typeparam>
    /// <param name="blocks">How many blocks there are.</param>
    /// <param name="body">What to do for a block; blocks must write to different places.</param>
    public void For<TBody>(int blocks, TBody body)
        where TBody : struct, IBlockBody
    {
        if (blocks <= 1 || threadCount == 1)
        {
            for (int block = 0; block < blocks; block++)
            {
                body.Run(block);
            }

            return;
        }

        Parallel.For(0, blocks, new ParallelOptions { MaxDegreeOfParallelism = threadCount }, block => body.Run(block));
    }
}
