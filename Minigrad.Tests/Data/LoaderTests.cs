using Minigrad.Data;

namespace Minigrad.Tests.Data;

/// <summary>Going through data in batches: every row once, the same with and without a thread that prepares ahead.</summary>
public sealed class LoaderTests
{
    [Theory]
    [InlineData(10, 4, false, new[] { 4, 4, 2 })]
    [InlineData(10, 4, true, new[] { 4, 4 })]
    [InlineData(8, 4, false, new[] { 4, 4 })]
    [InlineData(8, 4, true, new[] { 4, 4 })]
    [InlineData(3, 4, false, new[] { 3 })]
    [InlineData(3, 4, true, new int[0])]
    [InlineData(3, int.MaxValue, false, new[] { 3 })]
    public void Batches_hold_every_row_once(int count, int size, bool dropLast, int[] sizes)
    {
        foreach (int prefetch in new[] { 0, 1, 3, 100 })
        {
            foreach (Generator? shuffle in new[] { null, new Generator(5) })
            {
                Loader<int[]> loader = new(new CountingData(count), size, shuffle) { DropLast = dropLast, Prefetch = prefetch };
                int[][] batches = [.. loader];
                Assert.Equal(sizes, batches.Select(batch => batch.Length));
                Assert.Equal(sizes.Length, loader.BatchCount);
                int[] rows = [.. batches.SelectMany(batch => batch)];
                Assert.Equal(rows.Length, rows.Distinct().Count());
                if (shuffle is null)
                {
                    Assert.Equal(Enumerable.Range(0, rows.Length), rows);
                }
                else if (rows.Length == count)
                {
                    Assert.Equal(Enumerable.Range(0, count), rows.Order());
                }
            }
        }
    }

    [Fact]
    public void A_seed_gives_an_order_for_each_run_whether_prepared_ahead_or_not()
    {
        int[][] Runs(ulong seed, int prefetch)
        {
            Loader<int[]> loader = new(new CountingData(100), 7, new Generator(seed)) { Prefetch = prefetch };
            return [.. Enumerable.Range(0, 3).Select(_ => loader.SelectMany(batch => batch).ToArray())];
        }

        int[][] runs = Runs(1, 0);
        Assert.Equal(runs, Runs(1, 0));
        Assert.Equal(runs, Runs(1, 1));
        Assert.Equal(runs, Runs(1, 4));
        Assert.NotEqual(runs, Runs(2, 0));
        Assert.NotEqual(runs[0], runs[1]);
        Assert.NotEqual(runs[1], runs[2]);
    }

    [Fact]
    public void Tensors_are_the_same_whether_prepared_ahead_or_not()
    {
        PairedData data = new(Tensor.Uniform([50, 3], generator: new Generator(1)), Tensor.Arange(50).Reshape(50, 1));
        PairedData[] plain = [.. new Loader<PairedData>(data, 8, new Generator(2))];
        PairedData[] ahead = [.. new Loader<PairedData>(data, 8, new Generator(2)) { Prefetch = 2 }];
        Assert.Equal(plain.Select(batch => batch.Inputs.ToArray()), ahead.Select(batch => batch.Inputs.ToArray()));
        Assert.Equal(plain.Select(batch => batch.Targets.ToArray()), ahead.Select(batch => batch.Targets.ToArray()));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public void Batches_are_made_under_the_scopes_in_which_the_run_begins(int prefetch)
    {
        PairedData data = new(Tensor.Of([0.1f, 1.1f], 2, 1).WithGradient("data"), Tensor.Of([0f, float.NaN], 2, 1));
        Loader<PairedData> loader = new(data, 2) { Prefetch = prefetch };
        using (new EmulatedPrecision(Precision.Half))
        using (new NoGrad())
        {
            PairedData batch = loader.First();
            Assert.Equal([0.099975586f, 1.0996094f], batch.Inputs.ToArray());
            Assert.False(batch.Inputs.RequiresGradient);
        }

        Assert.True(loader.First().Inputs.RequiresGradient);
        using (Anomaly.Trace())
        {
            Tensor targets = loader.First().Targets;
            AnomalyException found = Assert.Throws<AnomalyException>(() => (targets * Tensor.Of([1f]).WithGradient()).Sum().Backward());
            Assert.DoesNotContain("no trace was open", found.Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(3)]
    public void An_error_in_the_data_arrives_at_its_batch(int prefetch)
    {
        CountingData data = new(20, failsAt: 9);
        List<int> rows = [];
        FormatException error = Assert.Throws<FormatException>(() =>
        {
            foreach (int[] batch in new Loader<int[]>(data, 4) { Prefetch = prefetch })
            {
                rows.AddRange(batch);
            }
        });
        Assert.Equal("row 9 is bad", error.Message);
        Assert.Contains(nameof(CountingData), error.StackTrace, StringComparison.Ordinal);
        Assert.Equal(Enumerable.Range(0, 8), rows);
        AssertEnded(data, prefetch);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(1000)]
    public void Breaking_off_ends_the_thread(int prefetch)
    {
        CountingData data = new(10_000);
        foreach (int[] batch in new Loader<int[]>(data, 1) { Prefetch = prefetch })
        {
            if (batch[0] == 5)
            {
                break;
            }
        }

        AssertEnded(data, prefetch);
        Assert.InRange(data.Taken, 6, 6 + prefetch); // Never more ahead than asked for.
    }

    [Fact]
    public void A_run_to_the_end_ends_the_thread_and_one_not_begun_starts_none()
    {
        CountingData data = new(10);
        Loader<int[]> loader = new(data, 3) { Prefetch = 2 };
        using (IEnumerator<int[]> unused = loader.GetEnumerator())
        {
            Assert.NotNull(unused);
        }

        Assert.Null(data.Thread);
        Assert.Equal(4, loader.Count());
        AssertEnded(data, 2);
        Assert.Equal(4, data.Taken);
    }

    [Fact]
    public void Two_runs_at_once_do_not_disturb_each_other()
    {
        Loader<int[]> loader = new(new CountingData(30), 4) { Prefetch = 2 };
        Assert.All(loader.Zip(loader), pair => Assert.Equal(pair.First, pair.Second));
    }

    [Fact]
    public void Wrong_settings_are_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>("batchSize", () => new Loader<int[]>(new CountingData(1), 0));
        Assert.Throws<ArgumentOutOfRangeException>("size", () => new LabeledData(Tensor.Zeros(1, 2), [0]).Batches(0));
        Assert.Throws<ArgumentOutOfRangeException>(() => new Loader<int[]>(new CountingData(1), 1) { Prefetch = -1 });
        Assert.Contains(
            "empty (inputs of shape [0, 2]",
            Assert.Throws<InvalidOperationException>(() => new Loader<PairedData>(new PairedData(Tensor.Zeros(0, 2), Tensor.Zeros(0, 1)), 4)).Message,
            StringComparison.Ordinal);
    }

    // A run disposes its thread, by joining it, before the loop over it returns; so this needs no waiting.
    private static void AssertEnded(CountingData data, int prefetch)
    {
        Assert.Equal(prefetch == 0, data.Thread == Thread.CurrentThread);
        Assert.Equal(prefetch == 0, data.Thread!.IsAlive);
    }
}
