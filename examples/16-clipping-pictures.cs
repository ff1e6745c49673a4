#:project ../Minigrad
// The pictures of docs/gradient-clipping.md: dotnet run -c Release examples/16-clipping-pictures.cs [folder]
// Each is made by what it is about: the stages, the thresholds, a network that explodes. Each also checks what its caption
// says; the exit code is how many captions are wrong.
using Minigrad;
using Minigrad.Data;
using Minigrad.Layers;
using Minigrad.Losses;
using Minigrad.Optimizers;
using Minigrad.Optimizers.Clipping;
using Minigrad.Optimizers.Monitoring;
using Minigrad.Plots;

string folder = args.Length > 0 ? args[0] : Directory.GetCurrentDirectory();
Directory.CreateDirectory(folder);
int wrong = 0;
DrawProducts();
DrawStagesInThePlane();
DrawScopes();
DrawUpdates();
DrawDynamicThresholds();
DrawRecord();
DrawLayers();
DrawSweep();
return wrong;

// ‖∂L/∂hₜ‖ for the states of a recurrent network, from the last back to the first.
void DrawProducts()
{
    const int Distance = 50;
    (string Name, float Gain, bool IsLinear)[] networks =
        [("‖W‖ = 1.2, linear", 1.2f, true), ("‖W‖ = 1.0, linear", 1f, true), ("‖W‖ = 0.8, linear", 0.8f, true), ("‖W‖ = 1.2, tanh", 1.2f, false)];
    List<Series> lines = [.. networks.Select(network => new Series(network.Name, Norms(network.Gain, network.IsLinear)))];
    Save("exploding-product", new LineChart(
        "A gradient on its way back through time", "steps back", new Panel("gradient norm at the state", lines) { IsLogarithmic = true }).ToSvg());
    Check("1.2⁵⁰ = 9,100 times", Math.Abs((lines[0].Points[^1].Value() / Math.Pow(1.2, Distance)) - 1) < 1e-3);
    Check("0.8⁵⁰ = 1/70,000", Math.Abs((lines[2].Points[^1].Value() / Math.Pow(0.8, Distance)) - 1) < 1e-3);
    Check("tanh dampens", lines[3].Points[^1].Value() < lines[0].Points[^1].Value() / 10);

    static List<(double Step, double Norm)> Norms(float gain, bool isLinear)
    {
        Generator generator = new(seed: 1);
        Tensor recurrent = Tensor.Zeros(32, 32);
        Initialize.Orthogonal(recurrent, gain, generator);
        Tensor state = Tensor.Normal([1, 32], standardDeviation: 0.3f, generator: generator).WithGradient();
        List<Tensor> states = [state];
        for (int step = 0; step < Distance; step++)
        {
            state = state.MatMul(recurrent);
            state = isLinear ? state : state.Tanh();
            states.Add(state);
        }

        // A loss whose gradient at the last state has norm 1.
        Tensor[] gradients = Tensor.Gradients(state.Sum() / MathF.Sqrt(32), states);
        return [.. gradients.Select((gradient, step) => ((double)(Distance - step), (double)gradient.Norm([]).Item())).Reverse()];
    }
}

// What a stage makes of gradients of two elements, that of one parameter.
void DrawStagesInThePlane()
{
    (string File, string Title, ClipStage Stage)[] stages =
    [
        ("clip-value", "Clip.Value(1): each element for itself", Clip.Value(1)),
        ("clip-global-norm", "Clip.GlobalNorm(1): one factor for all", Clip.GlobalNorm(1)),
    ];
    foreach ((string file, string title, ClipStage stage) in stages)
    {
        Generator generator = new(seed: 3);
        List<(double X, double Y)> before = [];
        List<(double X, double Y)> after = [];
        List<(double X, double Y)> moves = [];
        for (int i = 0; i < 40; i++)
        {
            Tensor parameter = Tensor.Zeros(2).WithGradient("w");
            parameter.Gradient = Tensor.Normal([2], standardDeviation: 1.1f, generator: generator);
            before.Add(Point(parameter.Gradient));
            stage.Apply([parameter]);
            after.Add(Point(parameter.Gradient));
            moves.AddRange([before[^1], after[^1], (double.NaN, double.NaN)]);
        }

        Save(file, new PlaneChart(title, (-3, 3), (-3, 3))
        {
            Paths = [new Series("what is taken away", moves)],
            Points = [new Series("before", before), new Series("after", after)],
            HorizontalLabel = "g₁",
            VerticalLabel = "g₂",
        }.ToSvg());
        bool turns = before.Zip(after, (from, to) => Math.Abs((from.X * to.Y) - (from.Y * to.X)) > 1e-5).Any(turned => turned);
        Check($"{title} {(stage == stages[0].Stage ? "turns" : "does not turn")}", turns == (stage == stages[0].Stage));
    }

    static (double X, double Y) Point(Tensor pair) => (pair[0].Item(), pair[1].Item());
}

// The norm of each parameter's gradient before clipping and after each of the stages, in a network whose gradients differ.
void DrawScopes()
{
    (string Name, ClipStage? Stage)[] stages =
    [
        ("no clipping", null),
        ("GlobalNorm(0.02)", Clip.GlobalNorm(0.02)),
        ("ParameterNorm(0.02)", Clip.ParameterNorm(0.02)),
        ("UnitNorm(0.0005)", Clip.UnitNorm(0.0005)),
    ];
    List<Series> lines = [.. stages.Select(stage => new Series(stage.Name, Norms(stage.Stage)))];
    Save("clip-scopes", new LineChart("What each scope leaves of eight layers' gradients", "layer", new Panel("norm of the weights' gradient", lines) { IsLogarithmic = true }).ToSvg());
    double[] Ratios(int line) => [.. lines[line].Points.Zip(lines[0].Points, (after, before) => after.Value() / before.Value())];
    Check("GlobalNorm: the same factor for all", Ratios(1).Max() - Ratios(1).Min() < 1e-4 * Ratios(1).Max());
    Check("ParameterNorm: some stay, some do not", Ratios(2).Max() == 1 && Ratios(2).Min() < 0.9);

    static List<(double Layer, double Norm)> Norms(ClipStage? stage)
    {
        // A sigmoid's slope is at most ¼, so the gradient fades from layer to layer.
        Generator generator = new(seed: 5);
        List<Layer> layers = [];
        for (int i = 0; i < 8; i++)
        {
            layers.Add(new Linear(32, 32, generator: generator));
            Initialize.XavierNormal(layers[^1].Parameters[0], gain: 2, generator);
            layers.Add(new Sigmoid());
        }

        var model = new Sequential([.. layers]);
        Tensor input = Tensor.Normal([16, 32], generator: generator);
        Loss.MeanSquare(model.Forward(input), Tensor.Zeros(16, 32)).Backward();
        stage?.Apply(model.Parameters);
        return [.. model.Parameters.Where(parameter => parameter.Rank == 2).Select((weight, i) => (i + 1.0, (double)weight.Gradient!.Norm([]).Item()))];
    }
}

// Adam before and after its gradients become a hundred times as large: its mean of squares follows slowly.
void DrawUpdates()
{
    (string Name, UpdateClip? Clip)[] clips = [("no clipping", null), ("Rms(1)", UpdateClip.Rms(1)), ("StableAdamW()", UpdateClip.StableAdamW())];
    List<Series> lines = [.. clips.Select(clip => new Series(clip.Name, Sizes(clip.Clip)))];
    Save("update-clipping", new LineChart("Adam's updates when gradients grow a hundredfold at step 1000", "step", new Panel("RMS of update / learning rate", lines)).ToSvg());
    double[] largest = [.. lines.Select(line => line.Points.Max(point => point.Y))];
    Check($"without clipping steps are up to 3.5 times the learning rate: {largest[0]:0.00}", Math.Abs(largest[0] - 3.5) < 0.05);
    Check($"with it they are at one or below: {largest[1]:0.000}, {largest[2]:0.000}", largest[1] < 1.001 && largest[2] < 1.001);

    static List<(double Step, double Size)> Sizes(UpdateClip? clip)
    {
        const double Rate = 1e-3;
        Generator generator = new(seed: 1);
        Tensor parameter = Tensor.Zeros(64).WithGradient("w");
        Tensor direction = Tensor.Normal([64], generator: generator);
        var optimizer = new Adam([parameter], Rate) { UpdateClip = clip };
        List<(double Step, double Size)> sizes = [];
        for (int step = 1; step <= 1200; step++)
        {
            Tensor before = Tensor.Of(parameter.ToArray());
            parameter.Gradient = (direction + Tensor.Normal([64], generator: generator)) * (step < 1000 ? 0.01f : 1f);
            optimizer.Step();
            sizes.Add((step, (parameter.Detach() - before).Norm([]).Item() / 8 / Rate));
        }

        return sizes[900..];
    }
}

// What five rules make their threshold of the same norms, which fall, scatter, and now and then jump.
void DrawDynamicThresholds()
{
    const int Steps = 400;
    const int Warmup = 20;
    int[] spikes = [90, 170, 171, 260, 350];
    double[] norms = Norms();
    Series norm = new("gradient norm", [.. norms.Select((value, step) => (step + 1.0, value))]);
    (string Name, Threshold Threshold)[] shares =
    [
        ("Percentile(75)", Threshold.Percentile(75, window: 50, warmup: Warmup)),
        ("StreamingQuantile", Threshold.StreamingQuantile(0.9)),
        ("MovingAverage()", Threshold.MovingAverage(absolute: double.PositiveInfinity, warmup: Warmup)),
    ];
    (string Name, Threshold Threshold)[] outliers =
    [
        ("ZScore()", Threshold.ZScore(target: SpikeTarget.Limit, warmup: Warmup)),
        ("MedianDeviation(3)", Threshold.MedianDeviation(3, window: 100, warmup: Warmup)),
    ];
    int[] percents = [13, 9, 20]; // as the guide has them
    List<(string Name, StageReport[] Reports)> runs = [.. shares.Concat(outliers).Select(rule => (rule.Name, Run(rule.Threshold)))];
    Series[] lines = [.. runs.Select(run => new Series(run.Name, [.. run.Reports.Select((report, step) => (step + 1.0, report.Threshold))]))];
    Save("dynamic-thresholds", new LineChart(
        "Thresholds that follow the norms",
        "step",
        new Panel("rules that clip a share", [norm, .. lines[..3]]) { IsLogarithmic = true },
        new Panel("rules that clip spikes", [norm, .. lines[3..]]) { IsLogarithmic = true }).ToSvg());
    foreach ((string name, StageReport[] reports) in runs)
    {
        // A share of all steps behind the warm-up, and how many of the spikes were cut; the rules for spikes cut nothing else.
        int clipped = reports.Skip(Warmup).Count(report => report.Acted);
        double share = (double)clipped / (Steps - Warmup);
        int cut = spikes.Count(step => reports[step].Acted);
        int place = Array.FindIndex(shares, rule => rule.Name == name);
        Check(
            $"{name} clips {share:p1} of the steps and {cut} of {spikes.Length} spikes",
            cut == spikes.Length && (place < 0 ? clipped == cut : Math.Round(100 * share) == percents[place]));
    }

    double[] Norms()
    {
        float[] scatter = Tensor.Normal([Steps], standardDeviation: 0.15f, generator: new Generator(seed: 2)).ToArray();
        return [.. scatter.Select((value, step) => Math.Exp(value) / (1 + (2.0 * step / Steps)) * (spikes.Contains(step) ? 30 : 1))];
    }

    StageReport[] Run(Threshold threshold)
    {
        Tensor parameter = Tensor.Zeros(1).WithGradient("w");
        var optimizer = new Sgd([parameter], learningRate: 0) { Clip = [Clip.GlobalNorm(threshold)] };
        return Array.ConvertAll(norms, value =>
        {
            parameter.Gradient = Tensor.Of([(float)value]);
            return optimizer.Step().Stages[0];
        });
    }
}

// A record at a hundredth of the learning rate, what the advisor makes of it, and the trainings that follow.
void DrawRecord()
{
    StepHistory slow = new();
    Train(double.PositiveInfinity, seed: 2, size: 64, length: 40, steps: 300, slowness: 100, slow);
    ThresholdAdvice advice = ThresholdAdvisor.Advise(slow);
    Console.WriteLine(advice);
    Check($"norms around 2 ({advice.Median:0.00}) and a few a hundred times as large ({advice.Largest:0})", advice.Median is > 1.5 and < 2.5 && advice.Largest > 100 * advice.Median);
    Check("the advice is half the median", Math.Abs((advice.Suggestion ?? 0) - (advice.Median / 2)) < 0.05 * advice.Median);
    Save("histogram", advice.ToHistogram().ToSvg());
    double threshold = advice.Suggestion ?? double.PositiveInfinity;
    StepHistory fast = new(capacity: 256);
    double[] losses = [.. new[] { 1, 2, 3 }.Select(seed =>
        Train(threshold, seed, size: 64, length: 40, steps: 4000, slowness: 1, seed == 2 ? fast : null).Losses.TakeLast(100).Average())];
    Save("history", fast.ToChart("A run with the threshold that was advised").ToSvg());
    Console.WriteLine(fast);
    Check($"the advice trains it from three seeds to losses of {string.Join(", ", losses.Select(loss => $"{loss:0.000}"))}; guessing gives 0.167", losses.Max() < 0.167 / 5);
    Check($"more than half of its steps are clipped: {fast.ClippedSteps} of {fast.StepCount}", 2 * fast.ClippedSteps > fast.StepCount);
}

// Which layer it was: the norms of a deep sigmoid network's layers while Adam trains it.
void DrawLayers()
{
    const int Depth = 6;
    Generator.Default = new Generator(seed: 4);
    LabeledData moons = ToyData.TwoMoons(256);
    List<Layer> layers = [];
    for (int i = 0; i < Depth; i++)
    {
        layers.Add(new Linear(i == 0 ? 2 : 16, 16));
        layers.Add(new Sigmoid());
    }

    var model = new Sequential([.. layers, new Linear(16, 2)]);
    var optimizer = new Adam(model.Parameters, learningRate: 0.01);
    StepHistory history = new();
    List<double> ratios = [];
    for (int step = 0; step < 300; step++)
    {
        optimizer.ZeroGradients();
        Tensor loss = Loss.CrossEntropy(model.Forward(moons.Features), moons.Labels);
        loss.Backward();
        StepReport report = optimizer.Step();
        history.Add(report, loss);
        ratios.Add(model.Parameters[^2].Gradient!.Norm([]).Item() / model.Parameters[0].Gradient!.Norm([]).Item());
    }

    Save("heat-map", history.ToHeatMap("Gradient norm of each layer of a deep sigmoid network").ToSvg());
    Check($"at first the last layer's gradient is 1,800 times the first's: {ratios[0]:0}", Math.Abs(ratios[0] - 1800) < 50);
    Check($"at step 100 they are alike: {ratios[99]:0.0}", ratios[99] is > 0.1 and < 10);
}

// One network trained with thresholds from far too small to far too large, from three seeds.
void DrawSweep()
{
    int[] seeds = [1, 2, 3];
    double mean = seeds.Average(seed => Train(double.PositiveInfinity, seed).Norms.Where(double.IsFinite).Average());
    Console.WriteLine($"mean norm without clipping {mean:0.00}");
    double[] thresholds = [.. Enumerable.Range(-6, 13).Select(half => Math.Pow(10, half / 2.0))];
    List<Series> lines = [.. seeds.Select(seed => new Series($"seed {seed}", [.. thresholds.Select(threshold => (threshold, Train(threshold, seed).Losses.TakeLast(50).Average()))]))];
    (double low, double high) = (lines.Min(line => line.Points.Min(point => point.Y)), lines.Max(line => line.Points.Max(point => point.Y)));
    List<(double X, double Y)> range = [(mean / 2, low), (mean / 2, high), (double.NaN, double.NaN), (10 * mean, low), (10 * mean, high)];
    Save("threshold-sweep", new LineChart(
        "One training under thresholds from 0.001 to 1000",
        "threshold",
        new Panel("loss of the last 50 steps", [.. lines, new Series("½ and 10 mean norms", range)])
        {
            IsLogarithmic = true,
            HorizontalLabel = "threshold",
            IsHorizontalLogarithmic = true,
        }).ToSvg());
    foreach (Series line in lines)
    {
        double best = line.Points.Where(point => point.X > mean / 2 && point.X < 10 * mean).Min(point => point.Y);
        Console.WriteLine($"{line.Name}: {string.Join("  ", line.Points.Select(point => $"{point.X:g2}: {point.Y:0.000}"))}");
        Check($"{line.Name}: the best of the range beats both ends three times", 3 * best < Math.Min(line.Points[0].Y, line.Points[^1].Y));
    }
}

// The adding problem by relu units that begin by remembering everything, as in examples/07-exploding-rnn.cs, but smaller if not told otherwise.
static (List<double> Norms, List<double> Losses) Train(
    double threshold, int seed, int size = 32, int length = 20, int steps = 2000, double slowness = 1, StepHistory? history = null)
{
    Generator.Default = new Generator((ulong)seed);
    Generator data = Generator.Default.For("data");
    var rnn = new Rnn(2, size, activation: Activation.Relu);
    var head = new Linear(size, 1);
    using (new NoGrad())
    {
        rnn.Parameters[0].Assign(Tensor.Normal([size, 2], standardDeviation: 0.1f));
        rnn.Parameters[1].Assign(Tensor.Eye(size));
        rnn.Parameters[2].Assign(Tensor.Zeros(size));
        rnn.Parameters[3].Assign(Tensor.Zeros(size));
    }

    var optimizer = new Sgd([.. rnn.Parameters, .. head.Parameters], learningRate: 0.01 / slowness, momentum: 0.9)
    {
        Clip = [Clip.GlobalNorm(threshold)],
        NonFinite = NonFinitePolicy.Propagate,
    };
    var rate = new Scheduler(Schedule.Cosine(optimizer.LearningRate, steps), value => optimizer.LearningRate = value);
    List<double> norms = [];
    List<double> losses = [];
    for (int step = 0; step < steps; step++)
    {
        (Tensor input, Tensor target) = ToyData.AddingProblem(32, length, data);
        optimizer.ZeroGradients();
        Tensor loss = Loss.MeanSquare(head.Forward(rnn.Forward(input)[.., ^1]), target);
        loss.Backward();
        StepReport report = optimizer.Step();
        norms.Add(report.Norm);
        losses.Add(loss.Item());
        history?.Add(report, losses[^1]);
        rate.Step();
    }

    return (norms, losses);
}

void Save(string name, string svg)
{
    string path = Path.Combine(folder, name + ".svg");
    File.WriteAllText(path, svg);
    Console.WriteLine(path);
}

void Check(string caption, bool isRight)
{
    Console.WriteLine($"  {(isRight ? "right" : "WRONG")}: {caption}");
    wrong += isRight ? 0 : 1;
}

/// <summary>What a point of a line shows.</summary>
public static class Points
{
    /// <summary>The height.</summary>
    public static double Value(this (double X, double Y) point) => point.Y;
}
