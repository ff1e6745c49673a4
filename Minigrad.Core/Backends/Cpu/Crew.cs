using System.Diagnostics;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;

namespace Minigrad.Backends.Cpu;

/// <summary>
/// The threads of the process that help with loops, one loop at a time. They are made when first needed, and wait without
/// using a processor when there has been nothing to do for a moment.
/// </summary>
/// <remarks>
/// One number says all about the work there is: how many portions no one has claimed, and how many helpers may claim. A
/// claim is one exchange of it, so a helper that comes late finds nothing and touches nothing, and whoever has claimed a
/// portion may rely on the loop until it has counted the portion as done.
/// </remarks>
internal static class Crew
{
    private const int Caller = -1;
    private const int LooksPerYield = 16;

    /// <summary>
    /// How long a helper looks for the next loop before it waits. Waking it costs its caller some microseconds and it
    /// comes tens of microseconds later, which the loops of a training step should not pay each.
    /// </summary>
    private static readonly long SpinTicks = Stopwatch.Frequency * 50 / 1_000_000;

    private static Counters counters;
    private static int busy;
    private static SharedLoop? current;
    private static Helper[] helpers = [];

    /// <summary>Takes the crew for one loop; false if another loop has it, also one that this thread is in the middle of.</summary>
    public static bool TryReserve() => Volatile.Read(ref busy) == 0 && Interlocked.Exchange(ref busy, 1) == 0;

    /// <summary>Ends what <see cref="TryReserve"/> began.</summary>
    public static void Release() => Volatile.Write(ref busy, 0);

    /// <summary>Runs all portions of a loop, on this thread and others; only for who has reserved the crew.</summary>
    /// <param name="loop">The loop.</param>
    /// <param name="threads">How many threads may work, this one among them.</param>
    public static void Run(SharedLoop loop, int threads)
    {
        int helping = Math.Min(threads, loop.Portions) - 1;
        Hire(helping);
        current = loop;
        counters.Unfinished = loop.Portions;
        Interlocked.Exchange(ref counters.Unclaimed, ((long)helping << 32) | (uint)loop.Portions);
        for (int i = 0; i < helping; i++)
        {
            helpers[i].Wake();
        }

        while (TryRunPortion(Caller))
        {
        }

        // Others are in the middle of their last portions. One of them may have lost its processor to another process.
        for (int look = 1; Volatile.Read(ref counters.Unfinished) > 0; look++)
        {
            Pause(look);
        }

        current = null;
        if (loop.TakeError() is { } error)
        {
            ExceptionDispatchInfo.Throw(error);
        }
    }

    private static void Hire(int count)
    {
        while (helpers.Length < count)
        {
            Helper helper = new(helpers.Length);
            helper.Start();
            helpers = [.. helpers, helper];
        }
    }

    /// <summary>Between two looks: now and then the processor is offered to others, one of whom may be waited for.</summary>
    private static void Pause(int look)
    {
        if (look % LooksPerYield == 0)
        {
            Thread.Yield();
        }
        else
        {
            Thread.SpinWait(1);
        }
    }

    private static bool MayClaim(long unclaimed, int number) => (int)unclaimed > 0 && number < (int)(unclaimed >> 32);

    private static bool TryRunPortion(int number)
    {
        long seen = Volatile.Read(ref counters.Unclaimed);
        while (MayClaim(seen, number))
        {
            long found = Interlocked.CompareExchange(ref counters.Unclaimed, seen - 1, seen);
            if (found == seen)
            {
                SharedLoop loop = current!;
                loop.RunSafely(loop.Portions - (int)seen);
                Interlocked.Decrement(ref counters.Unfinished);
                return true;
            }

            seen = found;
        }

        return false;
    }

    /// <summary>Two numbers that all threads write, each on a cache line of its own.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 384)]
    private struct Counters
    {
        /// <summary>Above, how many helpers may claim; below, how many portions are unclaimed.</summary>
        [FieldOffset(128)]
        public long Unclaimed;

        [FieldOffset(256)]
        public int Unfinished;
    }

    /// <summary>One thread of the crew.</summary>
    private sealed class Helper(int number)
    {
        private readonly object call = new();
        private bool isWaiting;

        public void Start() => new Thread(Work) { IsBackground = true, Name = $"Minigrad worker {number + 1}" }.Start();

        /// <summary>Calls the thread if it waits.</summary>
        public void Wake()
        {
            if (Volatile.Read(ref isWaiting))
            {
                lock (call)
                {
                    isWaiting = false;
                    Monitor.Pulse(call);
                }
            }
        }

        private void Work()
        {
            while (true)
            {
                long end = Stopwatch.GetTimestamp() + SpinTicks;
                for (int look = 1; Stopwatch.GetTimestamp() < end; look++)
                {
                    if (TryRunPortion(number))
                    {
                        end = Stopwatch.GetTimestamp() + SpinTicks;
                    }
                    else
                    {
                        Pause(look);
                    }
                }

                WaitForCall();
            }
        }

        private void WaitForCall()
        {
            lock (call)
            {
                // Either this thread sees the work that was published before its caller looked at the flag, or the caller
                // sees the flag.
                isWaiting = true;
                Interlocked.MemoryBarrier();
                while (isWaiting && !MayClaim(Volatile.Read(ref counters.Unclaimed), number))
                {
                    Monitor.Wait(call);
                }

                isWaiting = false;
            }
        }
    }
}
