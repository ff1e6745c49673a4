using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Minigrad.Numerics;

namespace Minigrad.Backends.Cpu;

/// <summary>
/// Runs the items of a loop on several threads, with the help of the <see cref="Crew"/>. Work is cut into items by its
/// shape alone, so the numbers that come out do not depend on how many threads there are.
/// </summary>
internal sealed class Workers
{
    /// <summary>
    /// Fewer elements than this are not worth another thread. Measured on two cores, adding 32,768 numbers took 2.0 µs
    /// shared and 3.5 alone, adding 16,384 took 1.3 and 1.7: too little to win back what a thread that waits costs to wake.
    /// </summary>
    public const int Grain = 16384;

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
        int threads = threadCount;
        if (items <= portion || threads == 1 || Environment.ProcessorCount == 1 || !Crew.TryReserve())
        {
            Run(ref body, 0, items);
            return;
        }

        try
        {
            BodyLoop<TBody> loop = BodyLoop<TBody>.Instance;
            loop.Set(body, items, portion);
            Crew.Run(loop, threads);
        }
        finally
        {
            BodyLoop<TBody>.Instance.Clear();
            Crew.Release();
        }
    }

    private static void Run<TBody>(ref TBody body, int start, int end)
        where TBody : struct, ILoopBody
    {
        for (int item = start; item < end; item++)
        {
            Run(ref body, item);
        }
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

    /// <summary>
    /// A loop to share. There is one for each type of body, used again and again, since the crew runs one loop at a time.
    /// </summary>
    private sealed class BodyLoop<TBody> : SharedLoop
        where TBody : struct, ILoopBody
    {
        private TBody body;
        private int items;
        private int portion;

        public static BodyLoop<TBody> Instance { get; } = new();

        public void Set(TBody next, int itemCount, int itemsPerPortion)
        {
            (body, items, portion) = (next, itemCount, itemsPerPortion);
            Portions = (items + portion - 1) / portion;
        }

        /// <summary>Lets go of the body's buffers.</summary>
        public void Clear() => body = default;

        protected override void Run(int index) =>
            Workers.Run(ref body, index * portion, Math.Min(items, (index + 1) * portion));
    }
}
