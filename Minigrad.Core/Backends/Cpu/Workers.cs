using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Minigrad.Numerics;

namespace Minigrad.Backends.Cpu;

/// <summary>
/// Runs the items of a loop on several threads. Work is cut into items by its shape alone, so the numbers that come out
/// do not depend on how many threads there are.
/// </summary>
internal sealed class Workers
{
    /// <summary>Fewer elements than this are not worth waking another thread for.</summary>
    private const int Grain = 32768;

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

    /// <summary>Runs every item once, in any order, and returns when all are done.</summary>
    /// <typeparam name="TBody">The loop's body, a struct so that its call is direct.</typeparam>
    /// <param name="items">How many items there are.</param>
    /// <param name="workPerItem">About how many elements an item touches; items are shared in portions worth sharing.</param>
    /// <param name="body">What to do for an item; items must write to different places.</param>
    public void For<TBody>(int items, int workPerItem, TBody body)
        where TBody : struct, ILoopBody
    {
        int portion = Math.Max(1, Grain / Math.Max(1, workPerItem));
        if (items <= portion || threadCount == 1)
        {
            for (int item = 0; item < items; item++)
            {
                Run(ref body, item);
            }

            return;
        }

        ForParallel(items, portion, body);
    }

    /// <summary>Chooses the width of the lanes, here and nowhere else; the JIT removes the branches not taken.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Run<TBody>(ref TBody body, int item)
        where TBody : struct, ILoopBody
    {
        if (Vector512.IsHardwareAccelerated)
        {
            body.Run<Lanes512>(item);
        }
        else if (Vector256.IsHardwareAccelerated)
        {
            body.Run<Lanes256>(item);
        }
        else
        {
            body.Run<Lanes128>(item);
        }
    }

    /// <summary>Apart from <see cref="For"/>, so that the closure is only made when there is work to share.</summary>
    private void ForParallel<TBody>(int items, int portion, TBody body)
        where TBody : struct, ILoopBody =>
        Parallel.For(
            0,
            (items + portion - 1) / portion,
            new ParallelOptions { MaxDegreeOfParallelism = threadCount },
            index =>
            {
                int end = Math.Min(items, (index + 1) * portion);
                for (int item = index * portion; item < end; item++)
                {
                    Run(ref body, item);
                }
            });
}
