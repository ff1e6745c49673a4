using System.Diagnostics;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;

namespace Minigrad.Backends.Cpu;

/// <summary>
/// The threads of the process that help with loops, one loop at a time. They are made when first needed, and wait without
/// using a processor when there has been nothing to do for a moment.
/// </summary>
/// <remarks>
/// Each thread has a share of a loop's portions, the same one each time, and does what others have left of theirs when it has
/// done its own. So it finds in its own caches what it wrote the time before: where two processors share no cache, adding a
/// million numbers takes nearly twice as long when portions go to whoever comes first. A claim is one exchange of a share's
/// number, so a helper that comes late finds its share empty and touches nothing. Whoever has claimed a portion may rely on
/// the loop until it has counted what it has done, once, when nothing is left to claim.
/// </remarks>
internal static class Crew
{
    private const int Caller = 0;
    private const int LooksPerYield = 16;

    /// <summary>
    /// How long a helper looks for the next loop before it waits. Waking it costs its caller some microseconds and it
    /// comes tens of microseconds later, which the loops of a training step should not pay each.
    /// </summary>
    private static readonly long SpinTicks = Stopwatch.Frequency * 50 / 1_000_000;

    private static Share[] shares = [new()];
    private static Helper[] helpers = [];
    private static SharedLoop? current;
    private static int working;
    private static int busy;
    private static OwnLine unfinished;

    /// <summary>Takes the crew for one loop; false if another loop has it, also one that this thread is in the middle of.</summary>
    public static bool TryReserve() => Volatile.Read(ref busy) == 0 && Interlocked.Exchange(ref busy, 1) == 0;

    /// <summary>Ends what <see cref="TryReserve"/> began.</summary>
    public static void Release() => Volatile.Write(ref busy, 0);

    /// <summary>Runs all portions of a loop, on this thread and others; only for who has reserved the crew.</summary>
    /// <param name="loop">The loop.</param>
    /// <param name="threads">How many threads may work, this one among them.</param>
    public static void Run(SharedLoop loop, int threads)
    {
        current = loop;
        working = Math.Min(threads, loop.Portions);
        Hire(working);
        unfinished.Number = loop.Portions;
        int start = 0;
        for (int i = 0; i < working; i++)
        {
            int end = (int)((long)loop.Portions * (i + 1) / working);
            shares[i].Set(start, end);
            start = end;
        }

        // Either a helper sees its share before it waits, or this thread sees that it waits.
        Interlocked.MemoryBarrier();
        for (int i = 1; i < working; i++)
        {
            helpers[i - 1].Wake();
        }

        TryWork(Caller);

        // Others are in the middle of their last portions. One of them may have lost its processor to another process.
        for (int look = 1; Volatile.Read(ref unfinished.Number) > 0; look++)
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
        while (shares.Length < count)
        {
            Share share = new();
            Helper helper = new(shares.Length, share);
            shares = [.. shares, share];
            helpers = [.. helpers, helper];
            helper.Start();
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

    /// <summary>Does what is left of a thread's share, then of the others'. A helper does nothing if its share is empty.</summary>
    private static bool TryWork(int number)
    {
        int done = 0;
        int portion;
        for (Share own = shares[number]; own.TryTakeFirst(out portion); done++)
        {
            current!.RunSafely(portion);
        }

        if (done == 0 && number != Caller)
        {
            return false;
        }

        for (int i = 1; i < working; i++)
        {
            for (Share other = shares[(number + i) % working]; other.TryTakeLast(out portion); done++)
            {
                current!.RunSafely(portion);
            }
        }

        Interlocked.Add(ref unfinished.Number, -done);
        return true;
    }

    /// <summary>A number that several threads write, on a cache line that holds nothing else.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 384)]
    private struct OwnLine
    {
        [FieldOffset(128)]
        public long Number;
    }

    /// <summary>Consecutive portions that no one has claimed: above, the end, and below, the first, of a single number.</summary>
    private sealed class Share
    {
        private OwnLine unclaimed;

        public bool IsEmpty => IsNone(Volatile.Read(ref unclaimed.Number));

        public void Set(int first, int end) => Volatile.Write(ref unclaimed.Number, Pack(first, end));

        /// <summary>For the thread whose share it is.</summary>
        public bool TryTakeFirst(out int portion) => TryTake(1, 0, out portion);

        /// <summary>For the others, so that what is left to the share's own thread stays in one piece.</summary>
        public bool TryTakeLast(out int portion) => TryTake(0, 1, out portion);

        private static bool IsNone(long range) => First(range) >= End(range);

        private static int First(long range) => (int)range;

        private static int End(long range) => (int)(range >> 32);

        private static long Pack(int first, int end) => ((long)end << 32) | (uint)first;

        private bool TryTake(int fromFront, int fromBack, out int portion)
        {
            long seen = Volatile.Read(ref unclaimed.Number);
            while (!IsNone(seen))
            {
                long rest = Pack(First(seen) + fromFront, End(seen) - fromBack);
                long found = Interlocked.CompareExchange(ref unclaimed.Number, rest, seen);
                if (found == seen)
                {
                    portion = fromFront != 0 ? First(seen) : End(rest);
                    return true;
                }

                seen = found;
            }

            portion = 0;
            return false;
        }
    }

    /// <summary>One thread of the crew.</summary>
    private sealed class Helper(int number, Share share)
    {
        private readonly object call = new();
        private bool isWaiting;

        public void Start() => new Thread(Work) { IsBackground = true, Name = $"Minigrad worker {number}" }.Start();

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
                    if (TryWork(number))
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
                // Either this thread sees the share that was published before its caller looked at the flag, or the caller
                // sees the flag.
                isWaiting = true;
                Interlocked.MemoryBarrier();
                while (isWaiting && share.IsEmpty)
                {
                    Monitor.Wait(call);
                }

                isWaiting = false;
            }
        }
    }
}
