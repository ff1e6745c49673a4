namespace Minigrad.EmulatedCuda;

/// <summary>
/// Who last read and wrote 4 bytes in a launch. Threads of a block are in order where a barrier lies between them; threads of
/// different blocks never are.
/// </summary>
internal struct AccessRecord
{
    /// <summary>More than one.</summary>
    private const int Several = -1;

    private long writeRun;
    private int writer;
    private int writtenAfter;
    private long readRun;
    private int reader;
    private int readAfter;
    private int readingBlock;

    /// <summary>Notes that a thread reads.</summary>
    /// <param name="access">The thread.</param>
    /// <returns>Which order is not settled, or null.</returns>
    public string? Read(in Accessor access)
    {
        string? race = WriteBefore(access, "is read");
        bool isFirst = readRun != access.Run;
        readingBlock = isFirst || readingBlock == access.Block ? access.Block : Several;
        reader = isFirst || readAfter != access.Barriers || reader == access.Thread ? access.Thread : Several;
        (readRun, readAfter) = (access.Run, access.Barriers);
        return race;
    }

    /// <summary>Notes that a thread writes something else than what is there.</summary>
    /// <param name="access">The thread.</param>
    /// <returns>Which order is not settled, or null.</returns>
    public string? Write(in Accessor access)
    {
        string? race = WriteBefore(access, "is written");
        if (readRun == access.Run && readingBlock != access.Block)
        {
            race ??= "what another block has read is written";
        }
        else if (readRun == access.Run && reader != access.Thread && readAfter == access.Barriers)
        {
            race ??= "what another thread has read is written, without a barrier between";
        }

        (writeRun, writer, writtenAfter) = (access.Run, access.Thread, access.Barriers);
        return race;
    }

    private readonly string? WriteBefore(in Accessor access, string isDone) => writeRun != access.Run || writer == access.Thread
        ? null
        : writer / access.BlockSize != access.Block
            ? $"what another block has written {isDone}"
            : writtenAfter == access.Barriers ? $"what another thread has written {isDone}, without a barrier between" : null;
}
