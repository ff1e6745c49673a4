using System.Xml.Linq;
using Minigrad.Optimizers;
using Minigrad.Optimizers.Monitoring;

namespace Minigrad.Tests.Monitoring;

/// <summary>The record of a run: what it keeps of every step, in how much memory.</summary>
public sealed class StepHistoryTests
{
    [Fact]
    public void A_row_has_what_the_step_measured()
    {
        StepHistory history = new();
        Tensor w = Tensor.Of([0f, 0f]).WithGradient("w");
        Sgd optimizer = new([w], 0.1) { NonFinite = NonFinitePolicy.SkipStep };
        history.Add(Step(optimizer, w, 3, 4), loss: 2.5);
        history.Add(Step(optimizer, w, float.NaN, 1), Tensor.Of([7f]));
        history.Add(Step(optimizer, w, 0, 1));

        Assert.Equal([1, 2, 2], history.Rows.Select(row => row.Step));
        Assert.Equal([5, double.NaN, 1], history.Rows.Select(row => row.Norm));
        Assert.Equal([5, double.NaN, 1], history.Rows.Select(row => row.ClippedNorm));
        Assert.Equal([2.5, 7, null], history.Rows.Select(row => row.Loss));
        Assert.Equal([false, true, false], history.Rows.Select(row => row.WasSkipped));
        Assert.All(history.Rows, row => Assert.Equal((1, null, double.NaN, false), (row.Steps, row.Stage, row.Threshold, row.WasClipped)));
        Assert.Equal((3, 0, 1), (history.StepCount, history.ClippedSteps, history.SkippedSteps));
        Assert.True(double.IsNaN(history.LargestNorm));
        Assert.Equal("3 steps, 0 clipped (0.0 %), 1 skipped; gradient norm: median 3, p95 4.8, largest NaN.", history.ToString());
    }

    [Fact]
    public void A_loss_may_be_what_Item_gives_or_a_whole_number()
    {
        StepHistory history = new();
        Tensor w = Tensor.Of([0f]).WithGradient("w");
        Sgd optimizer = new([w], 0.1);
        Tensor loss = Tensor.Of([0.1f]);
        history.Add(Step(optimizer, w, 1), loss.Item());
        history.Add(Step(optimizer, w, 1), 3);
        Assert.Equal([0.1f, 3], history.Rows.Select(row => row.Loss));
    }

    [Fact]
    public void A_row_names_the_stage_that_scaled_most_and_its_threshold()
    {
        StepHistory history = new();
        Tensor w = Tensor.Of([0f, 0f]).WithGradient("w");
        Sgd optimizer = new([w], 0.1) { Clip = [Clip.GlobalNorm(4), Clip.ParameterNorm(Schedule.Constant(1)), Clip.GlobalNorm(double.PositiveInfinity)] };
        history.Add(Step(optimizer, w, 0.3f, 0.4f));
        history.Add(Step(optimizer, w, 3, 4));

        Assert.Equal([(false, "GlobalNorm(4)", 4.0, 0.5), (true, "ParameterNorm(a schedule)", 1.0, 1.0)], history.Rows.Select(row => (row.WasClipped, row.Stage!, row.Threshold, Math.Round(row.ClippedNorm, 6))));
        Assert.Equal([1, 0.8], history.Rows.Select(row => row.Coefficient));
        Assert.Equal(1, history.ClippedSteps);
        Assert.Contains("1 clipped (50.0 %)", history.ToString(), StringComparison.Ordinal);
        Assert.Superset(
            new HashSet<string> { "threshold of GlobalNorm(4)", "threshold of ParameterNorm(a schedule)" },
            new HashSet<string>(Texts(history.ToChart().ToSvg())));
        Assert.Contains("clipped", history.ToChart().ToSvg(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_full_history_is_thinned_evenly_and_loses_no_spike()
    {
        StepHistory history = new(capacity: 16);
        Tensor w = Tensor.Zeros(1).WithGradient("w");
        Sgd optimizer = new([w], 1e-3);
        for (int step = 1; step <= 1000; step++)
        {
            history.Add(Step(optimizer, w, step == 777 ? 1e6f : step), step == 3 ? 0.5 : step);
        }

        Assert.Equal(64, history.Stride);
        Assert.Equal(1000, history.StepCount);
        Assert.Equal([1, 65, 129, 193, 257, 321, 385, 449, 513, 577, 641, 705, 769, 833, 897, 961], history.Rows.Select(row => row.Step));
        Assert.All(history.Rows.SkipLast(1), row => Assert.Equal(64, row.Steps));
        Assert.Equal(40, history.Rows[^1].Steps);
        Assert.Equal(1e6, history.LargestNorm);
        Assert.Equal((769, 769.0, 1e6), (history.Rows[12].Step, history.Rows[12].Norm, history.Rows[12].LargestNorm));
        Assert.All(history.Rows.Where(row => row.Step != 769), row => Assert.Equal(row.Step + row.Steps - 1, row.LargestNorm));
        Assert.Equal(history.Rows.Select(row => (double?)row.Step), history.Rows.Select(row => row.Loss));
    }

    [Fact]
    public void Norms_of_parameters_are_kept_now_and_then_in_bounded_memory()
    {
        StepHistory history = new(normCapacity: 16) { NormInterval = 5 };
        Tensor a = Tensor.Zeros(2).WithGradient("a");
        Tensor b = Tensor.Zeros(1).WithGradient("b");
        Sgd optimizer = new([a, b], 1e-3);
        for (int step = 0; step < 400; step++)
        {
            a.Gradient = step < 10 ? null : Tensor.Of([3f, 4f]);
            b.Gradient = Tensor.Of([(float)step]);
            history.Add(optimizer.Step());
        }

        // 16 rows of every 5th step, then of every 10th, 20th and 40th.
        Assert.Equal([1, 41, 81, 121, 161, 201, 241, 281, 321, 361], history.ParameterNorms.Select(row => row.Step));
        Assert.Equal(["b", "a"], history.ParameterNames);
        Assert.Equal([0.0], history.ParameterNorms[0].Norms);
        Assert.All(history.ParameterNorms.Skip(1), row => Assert.Equal([row.Step - 1.0, 5.0], row.Norms));
    }

    [Fact]
    public void Norms_that_were_read_stay_as_they_were()
    {
        StepHistory history = new(normCapacity: 16) { NormInterval = 1 };
        Tensor w = Tensor.Zeros(1).WithGradient("w");
        Sgd optimizer = new([w], 1e-3);
        List<(ParameterNormRow[] Rows, double[] Norms)> read = [];
        for (int step = 1; step <= 300; step++)
        {
            history.Add(Step(optimizer, w, step));
            if (step % 7 == 0)
            {
                ParameterNormRow[] rows = [.. history.ParameterNorms];
                read.Add((rows, [.. rows.Select(row => (double)row.Step)]));
            }
        }

        Assert.All(read, entry => Assert.Equal(entry.Norms, entry.Rows.Select(row => row.Norms[0]!.Value)));
    }

    [Fact]
    public void After_a_value_stage_the_clipped_norm_is_measured_with_the_norms_of_the_parameters_only()
    {
        StepHistory history = new() { NormInterval = 2 };
        Tensor w = Tensor.Zeros(2).WithGradient("w");
        Sgd optimizer = new([w], 1e-3) { Clip = [Clip.Value(1)] };
        for (int step = 0; step < 4; step++)
        {
            history.Add(Step(optimizer, w, 3, 4));
        }

        Assert.Equal([Math.Sqrt(2), double.NaN, Math.Sqrt(2), double.NaN], history.Rows.Select(row => row.ClippedNorm));
    }

    [Trait(SuiteBackend.Trait, SuiteBackend.CpuOnly)]
    [Fact]
    public void A_step_allocates_nothing()
    {
        Tensor[] parameters = [.. Enumerable.Range(0, 20).Select(i => Tensor.Zeros(3).WithGradient($"p{i}"))];
        foreach (Tensor parameter in parameters)
        {
            parameter.Gradient = Tensor.Ones(3);
        }

        StepReport report = new Sgd(parameters, 0.1) { Clip = [Clip.GlobalNorm(1)] }.Step();
        StepHistory history = new(capacity: 64, normCapacity: 16);
        Tensor loss = Tensor.Of([1f]);
        void Add(int count)
        {
            for (int step = 0; step < count; step++)
            {
                history.Add(report, loss);
            }
        }

        Add(5000);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Add(5000);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void What_cannot_be_recorded_is_refused_in_words()
    {
        Tensor w = Tensor.Zeros(1).WithGradient("w");
        StepReport report = Step(new Sgd([w], 0.1), w, 1);
        StepHistory history = new();
        string message = Assert.Throws<ShapeException>(() => history.Add(report, Tensor.Ones(3))).Message;
        Assert.Contains("[3], 3 elements", message, StringComparison.Ordinal);
        Assert.Contains("loss.Mean()", message, StringComparison.Ordinal);
        message = Assert.Throws<ArgumentOutOfRangeException>(() => new StepHistory(capacity: 17)).Message;
        Assert.Contains("capacity", message, StringComparison.Ordinal);
        Assert.Contains("even number of at least 16, but it is 17", message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => new StepHistory(normCapacity: 2));
        Assert.Throws<ArgumentOutOfRangeException>(() => new StepHistory { NormInterval = 0 });
        Assert.Equal("No step was recorded.", history.ToString());
        Assert.Contains("no finite value", Assert.Throws<InvalidOperationException>(() => history.ToChart().ToSvg()).Message, StringComparison.Ordinal);
        Assert.Contains("nothing to draw", Assert.Throws<InvalidOperationException>(() => history.ToHeatMap().ToSvg()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Norms_of_0_alone_are_more_than_a_logarithmic_axis_can_show()
    {
        Tensor w = Tensor.Zeros(1).WithGradient("w");
        Sgd optimizer = new([w], 0.1);
        StepHistory history = new() { NormInterval = 1 };
        history.Add(Step(optimizer, w, 0));
        history.Add(Step(optimizer, w, 0));
        foreach (Action draw in (Action[])[() => history.ToChart().ToSvg(), () => history.ToHistogram().ToSvg(), () => history.ToHeatMap().ToSvg()])
        {
            string message = Assert.Throws<InvalidOperationException>(draw).Message;
            Assert.Contains("all gradient norms of 2 steps are 0", message, StringComparison.Ordinal);
            Assert.Contains("logarithmic axis", message, StringComparison.Ordinal);
        }

        history.Add(Step(optimizer, w, 1));
        Assert.All((string[])[history.ToChart().ToSvg(), history.ToHistogram().ToSvg(), history.ToHeatMap().ToSvg()], Assert.NotEmpty);
    }

    [Fact]
    public void Pictures_show_the_norm_the_threshold_what_was_skipped_and_the_loss()
    {
        StepHistory history = new() { NormInterval = 1 };
        Tensor a = Tensor.Zeros(1).WithGradient("0.weight");
        Tensor b = Tensor.Zeros(1).WithGradient("0.bias");
        Tensor c = Tensor.Zeros(1).WithGradient("2.weight");
        Sgd optimizer = new([a, b, c], 1e-3) { NonFinite = NonFinitePolicy.SkipStep };
        for (int step = 0; step < 30; step++)
        {
            a.Gradient = Tensor.Of([3f]);
            b.Gradient = Tensor.Of([4f]);
            c.Gradient = Tensor.Of([step == 20 ? float.PositiveInfinity : 12f]);
            history.Add(optimizer.Step(), 1.0 / (1 + step));
        }

        string[] texts = Texts(history.ToChart("a run").ToSvg());
        Assert.Superset(new HashSet<string> { "a run", "gradient norm", "skipped", "loss", "step" }, new HashSet<string>(texts));
        texts = Texts(history.ToHistogram().ToSvg());
        Assert.Contains("median 13", texts);
        Assert.Contains("p95 13", texts);

        XDocument map = XDocument.Parse(history.ToHeatMap().ToSvg());
        Assert.Superset(new HashSet<string> { "0", "2", "not finite" }, new HashSet<string>(Texts(map.ToString())));

        // Layer 0 has the norm 5 throughout, which is one area; layer 2's is broken by the step that was not finite.
        double[] tops = [.. Elements(map, "rect").Where(element => element.Attribute("fill-opacity") is not null).Select(element => (double)element.Attribute("y")!).Where(y => y is 46 or 68)];
        Assert.Equal(3, tops.Count(y => y == 68));
    }

    [Fact]
    public void Steps_that_were_skipped_are_as_wide_in_the_map_as_others()
    {
        Tensor w = Tensor.Zeros(1).WithGradient("w");
        Sgd optimizer = new([w], 0.1) { NonFinite = NonFinitePolicy.SkipStep };
        StepHistory history = new() { NormInterval = 1 };
        foreach (float gradient in new[] { 1f, 1, float.NaN, float.NaN })
        {
            history.Add(Step(optimizer, w, gradient));
        }

        XDocument map = XDocument.Parse(history.ToHeatMap().ToSvg());
        Assert.Contains("step, skipped ones counted", Texts(map.ToString()));
        double[] widths = [.. Elements(map, "rect").Where(element => (string?)element.Attribute("y") == "46" && element.Attribute("fill-opacity") is not null).Select(element => (double)element.Attribute("width")!).Where(width => width > 16)];
        Assert.Equal([280.0, 280.0], widths); // Beside them the scale, which is 16 wide.

        StepHistory never = new() { NormInterval = 1 };
        never.Add(Step(optimizer, w, float.NaN), float.NaN);
        never.Add(Step(optimizer, w, float.NaN), float.NaN);
        never.Add(Step(optimizer, w, 1), float.NaN);
        Assert.DoesNotContain("NaN", never.ToHeatMap().ToSvg(), StringComparison.Ordinal);

        // Of losses that are all NaN the chart says so, below the norms.
        Assert.Superset(new HashSet<string> { "no finite value", "gradient norm", "loss" }, new HashSet<string>(Texts(never.ToChart().ToSvg())));
    }

    [Fact]
    public void Layers_of_several_models_that_have_one_name_are_numbered()
    {
        Tensor[] parameters = [.. new[] { "weight", "bias", "weight", "bias", "encoder.weight", "encoder.weight" }.Select(name => Tensor.Zeros(1).WithGradient(name))];
        foreach (Tensor parameter in parameters)
        {
            parameter.Gradient = Tensor.Ones(1);
        }

        StepHistory history = new();
        history.Add(new Sgd(parameters, 0.1).Step());
        Assert.Superset(
            new HashSet<string> { "weight", "bias", "weight (2)", "bias (2)", "encoder", "encoder (2)" },
            new HashSet<string>(Texts(history.ToHeatMap().ToSvg())));
    }

    internal static StepReport Step(Optimizer optimizer, Tensor parameter, params float[] gradient)
    {
        parameter.Gradient = Tensor.Of(gradient);
        return optimizer.Step();
    }

    private static IEnumerable<XElement> Elements(XDocument document, string name) =>
        document.Descendants().Where(element => element.Name.LocalName == name);

    private static string[] Texts(string svg) => [.. Elements(XDocument.Parse(svg), "text").Select(element => element.Value)];
}
