using System.Runtime.InteropServices;

namespace Minigrad.Backends.Cpu;

/// <summary>
/// Runs of elements of any lengths, cut into blocks, so that one loop can be shared over all of them. Blocks are handed
/// out in shares of about equal work: a thousand short runs cost little more than a long one. A run is cut by its own
/// length alone, so what is computed of its blocks depends on neither the other runs nor the number of threads.
/// </summary>
internal sealed class BlockList
{
    /// <summary>How many elements a block has at most, and a share about.</summary>
    public const int BlockLength = 8192;

    [ThreadStatic]
    private static BlockList? spare;

    private readonly List<Block> blocks = [];
    private readonly List<int> shares = [];
    private int room;

    private BlockList()
    {
    }

    /// <summary>The blocks of all runs, in order.</summary>
    public ReadOnlySpan<Block> Blocks => CollectionsMarshal.AsSpan(blocks);

    /// <summary>How many shares there are.</summary>
    public int ShareCount => shares.Count;

    /// <summary>An empty list, the one that this thread has returned if there is one.</summary>
    public static BlockList Rent()
    {
        BlockList list = spare ?? new BlockList();
        spare = null;
        return list;
    }

    /// <summary>Gives the list back, for the next loop on this thread.</summary>
    public void Return()
    {
        blocks.Clear();
        shares.Clear();
        room = 0;
        spare = this;
    }

    /// <summary>Cuts a run into blocks; one without elements has none.</summary>
    /// <param name="run">The run's number.</param>
    /// <param name="start">Where it begins in its buffer.</param>
    /// <param name="length">How many elements it has.</param>
    public void Add(int run, int start, int length)
    {
        for (int done = 0; done < length; done += BlockLength)
        {
            if (room <= 0)
            {
                shares.Add(blocks.Count);
                room = BlockLength;
            }

            Block block = new(run, start + done, Math.Min(BlockLength, length - done));
            blocks.Add(block);
            room -= block.Length;
        }
    }

    /// <summary>The first block of a share, or, for the number after the last share, how many blocks there are.</summary>
    public int FirstBlock(int share) => share < shares.Count ? shares[share] : blocks.Count;
}
