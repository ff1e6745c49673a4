using System.Runtime.CompilerServices;
using Minigrad.Data;

namespace Minigrad.Tests.Data;

/// <summary>Rows whose batches are their own numbers; remembers what was asked for and where, and may fail at a row.</summary>
internal sealed class CountingData(int count, int failsAt = -1) : IDataset<int[]>
{
    public int Count => count;

    public int Taken { get; private set; }

    public Thread? Thread { get; private set; }

    [MethodImpl(MethodImplOptions.NoInlining)] // A test looks for this method in the trace of its error.
    public int[] Take(ReadOnlySpan<int> rows)
    {
        Taken++;
        Thread = Thread.CurrentThread;
        return rows.Contains(failsAt) ? throw new FormatException($"row {failsAt} is bad") : rows.ToArray();
    }
}
