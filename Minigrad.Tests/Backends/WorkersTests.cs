using System.Runtime.CompilerServices;
using CsCheck;
using Minigrad.Backends.Cpu;
using Minigrad.Numerics;

namespace Minigrad.Tests.Backends;

/// <summary>Loops shared among threads: everything is done once, whoever does it and whatever goes wrong.</summary>
[Trait(SuiteBackend.Trait, SuiteBackend.CpuOnly)]
public sealed class WorkersTests
{
    /// <summary>So much work that every item is a portion of its own.</summary>
    private const int Much = 1 << 24;

    private int finished;
    private int wrong;

    [Fact]
    public void Every_item_runs_once()
    {
        Workers workers = new();
        Gen.Select(Gen.Int[0, 3000], Gen.OneOfConst(1, 7, 64, 300, 1000, 5000, Much), Gen.Int[1, 5]).Sample(
            (items, workPerItem, threads) =>
            {
                workers.ThreadCount = threads;
                int[] counts = new int[items];
                workers.For(items, workPerItem, new Count(counts));
                return counts.All(count => count == 1);
            },
            iter: 2000,
            threads: 1);
    }

    [Fact]
    public void Items_of_consecutive_loops_are_never_mixed_up()
    {
        Workers workers = new() { ThreadCount = 4 };
        int[] counts = new int[16];
        for (int loop = 1; loop <= 20_000; loop++)
        {
            workers.For(1 + (loop % 16), Much, new Count(counts));
            for (int item = 0; item <= loop % 16; item++)
            {
                Assert.Equal(1, counts[item]);
                counts[item] = 0;
            }
        }
    }

    [Fact]
    public void The_number_of_threads_is_a_positive_number()
    {
        Workers workers = new();
        Assert.Throws<ArgumentOutOfRangeException>(() => workers.ThreadCount = 0);
        Assert.Equal(Environment.ProcessorCount, workers.ThreadCount);
    }

    [Fact]
    public void One_thread_is_the_callers()
    {
        int[] threads = new int[1000];
        new Workers { ThreadCount = 1 }.For(threads.Length, Much, new NoteThread(threads));
        Assert.All(threads, thread => Assert.Equal(Environment.CurrentManagedThreadId, thread));
    }

    [Fact]
    public void No_more_threads_work_than_may()
    {
        Workers workers = new() { ThreadCount = 5 };
        int[] threads = new int[64];
        workers.For(threads.Length, Much, new NoteThread(threads));
        workers.ThreadCount = 2;
        for (int loop = 0; loop < 1000; loop++)
        {
            workers.For(threads.Length, Much, new NoteThread(threads));
            Assert.InRange(threads.Distinct().Count(), 1, 2);
        }
    }

    [Fact]
    public void An_exception_reaches_the_caller_and_the_next_loop_runs()
    {
        Workers workers = new() { ThreadCount = 3 };
        for (int bad = 0; bad < 100; bad++)
        {
            int[] counts = new int[100];
            InvalidOperationException error = Assert.Throws<InvalidOperationException>(
                () => workers.For(counts.Length, Much, new Fail(bad)));
            Assert.Equal($"Item {bad}", error.Message);
            workers.For(counts.Length, Much, new Count(counts));
            Assert.All(counts, count => Assert.Equal(1, count));
        }
    }

    [Fact]
    public void A_thread_does_its_share_from_the_front_and_what_others_have_left_from_the_back()
    {
        Order whenCallerIsLast = RunOnTwoThreads(new(portions: 8, last: 0));
        Assert.Equal([0], whenCallerIsLast.Caller);
        Assert.Equal([4, 5, 6, 7, 3, 2, 1], whenCallerIsLast.Helper);

        Order whenHelperIsLast = RunOnTwoThreads(new(portions: 8, last: 4));
        Assert.Equal([0, 1, 2, 3, 7, 6, 5], whenHelperIsLast.Caller);
        Assert.Equal([4], whenHelperIsLast.Helper);
    }

    [Fact]
    public void A_loop_inside_a_loop_runs()
    {
        Workers workers = new() { ThreadCount = 3 };
        int[] counts = new int[50 * 50];
        workers.For(50, Much, new Nested(workers, counts));
        Assert.All(counts, count => Assert.Equal(1, count));
    }

    [Fact]
    public void Loops_of_several_callers_all_finish()
    {
        Workers workers = new() { ThreadCount = 3 };
        Thread[] callers = [.. Enumerable.Range(0, 4).Select(_ => new Thread(() =>
        {
            for (int loop = 0; loop < 1000; loop++)
            {
                int[] counts = new int[40];
                workers.For(counts.Length, Much, new Count(counts));
                Interlocked.Add(ref wrong, counts.Count(count => count != 1));
            }

            Interlocked.Increment(ref finished);
        }))];
        Array.ForEach(callers, caller => caller.Start());
        Array.ForEach(callers, caller => caller.Join());
        Assert.Equal((4, 0), (finished, wrong));
    }

    [Fact]
    public void A_shared_loop_allocates_nothing_and_keeps_nothing()
    {
        Workers workers = new() { ThreadCount = 2 };
        WeakReference counts = RunOften(workers);
        GC.Collect();
        Assert.False(counts.IsAlive);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static WeakReference RunOften(Workers workers)
    {
        int[] counts = new int[20];
        void Run(int loops)
        {
            for (int loop = 0; loop < loops; loop++)
            {
                workers.For(counts.Length, Much, new Count(counts));
            }
        }

        Run(100);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Run(1000);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
        return new WeakReference(counts);
    }

    private static Order RunOnTwoThreads(Order order)
    {
        // Tests of other classes use the crew as well.
        SpinWait.SpinUntil(Crew.TryReserve);
        try
        {
            Crew.Run(order, 2);
        }
        finally
        {
            Crew.Release();
        }

        return order;
    }

    private readonly struct Count(int[] counts, int start = 0) : ILoopBody
    {
        public void Run<TLanes>(int item)
            where TLanes : struct, ILanes<TLanes> => Interlocked.Increment(ref counts[start + item]);
    }

    /// <summary>
    /// Who did which portions, in order. Each thread's first portion waits for the other thread to begin, which another
    /// process may keep from its processor for long, and one portion ends after all others.
    /// </summary>
    private sealed class Order : SharedLoop
    {
        private readonly int caller = Environment.CurrentManagedThreadId;
        private readonly int last;
        private int ended;
        private bool hasCallerBegun;
        private bool hasHelperBegun;

        public Order(int portions, int last)
        {
            Portions = portions;
            this.last = last;
        }

        public List<int> Caller { get; } = [];

        public List<int> Helper { get; } = [];

        protected override void Run(int portion)
        {
            bool isCaller = Environment.CurrentManagedThreadId == caller;
            (isCaller ? Caller : Helper).Add(portion);
            Volatile.Write(ref isCaller ? ref hasCallerBegun : ref hasHelperBegun, true);
            SpinWait.SpinUntil(() => portion != 0 || Volatile.Read(ref hasHelperBegun));
            SpinWait.SpinUntil(() => portion != Portions / 2 || Volatile.Read(ref hasCallerBegun));
            SpinWait.SpinUntil(() => portion != last || Volatile.Read(ref ended) == Portions - 1);
            Interlocked.Increment(ref ended);
        }
    }

    private readonly struct NoteThread(int[] threads) : ILoopBody
    {
        public void Run<TLanes>(int item)
            where TLanes : struct, ILanes<TLanes> => threads[item] = Environment.CurrentManagedThreadId;
    }

    private readonly struct Fail(int bad) : ILoopBody
    {
        public void Run<TLanes>(int item)
            where TLanes : struct, ILanes<TLanes>
        {
            if (item == bad)
            {
                throw new InvalidOperationException($"Item {item}");
            }
        }
    }

    private readonly struct Nested(Workers workers, int[] counts) : ILoopBody
    {
        public void Run<TLanes>(int item)
            where TLanes : struct, ILanes<TLanes> =>
            workers.For(50, Much, new Count(counts, item * 50));
    }
}
