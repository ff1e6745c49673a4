using System.Text.Json;
using Minigrad.Optimizers;

namespace Minigrad.Tests.Conformance;

/// <summary>Replays the kind <c>scheduler</c>.</summary>
internal static class SchedulerCases
{
    /// <summary>Checks the learning rate of an optimizer at the start and after each step.</summary>
    public static void Run(ConformanceCase item)
    {
        double initial = TensorData.ReadNumber(item.Field("base_lr"));
        double[] expected = item.Numbers("lrs");
        Sgd optimizer = new([Tensor.Zeros(1).WithGradient()], initial);
        Func<int, double> step = item.Text("scheduler") == "reduce_on_plateau"
            ? Observe(PlateauOf(item.Attributes, initial), item.Numbers("metrics"))
            : Advance(new Scheduler(ScheduleOf(item.Text("scheduler"), item.Attributes, initial), rate => optimizer.LearningRate = rate), item);
        double[] rates = new double[expected.Length];
        rates[0] = optimizer.LearningRate;
        for (int i = 1; i < rates.Length; i++)
        {
            optimizer.LearningRate = step(i);
            rates[i] = optimizer.LearningRate;
        }

        item.Check("lrs", expected, rates);
    }

    private static Func<int, double> Observe(ReduceOnPlateau plateau, double[] metrics) => i => plateau.Observe(metrics[i - 1]);

    private static Func<int, double> Advance(Scheduler scheduler, ConformanceCase item) =>
        item.Field("metrics").ValueKind == JsonValueKind.Null
            ? _ => scheduler.Step()
            : throw new ConformanceException($"the scheduler '{item.Text("scheduler")}' takes no metrics");

    private static ReduceOnPlateau PlateauOf(Attributes a, double initial) => new(
        initial,
        a.Text("mode", "min") switch
        {
            "min" => false,
            "max" => true,
            string other => throw new ConformanceException($"the mode '{other}' is not known"),
        },
        a.Number("factor", 0.1),
        a.Integer("patience", 10),
        a.Number("threshold", 1e-4),
        a.Integer("cooldown", 0),
        a.Number("min_lr", 0),
        a.Number("eps", 1e-8));

    private static Schedule ScheduleOf(string name, Attributes a, double initial) => name switch
    {
        "step" => Schedule.Steps(initial, a.Integer("step_size"), a.Number("gamma", 0.1)),
        "multi_step" => Schedule.MultiStep(initial, a.Integers("milestones"), a.Number("gamma", 0.1)),
        "exponential" => Schedule.Exponential(initial, a.Number("gamma")),
        "cosine" => Schedule.Cosine(initial, a.Integer("t_max"), a.Number("eta_min", 0)),
        "cosine_warm_restarts" => Schedule.CosineWarmRestarts(initial, a.Integer("t_0"), a.Integer("t_mult", 1), a.Number("eta_min", 0)),
        "linear" => Schedule.Linear(initial, a.Number("start_factor", 1.0 / 3), a.Number("end_factor", 1), a.Integer("total_iters", 5)),
        "one_cycle" => Schedule.OneCycle(
            a.Number("max_lr"),
            a.Integer("total_steps"),
            a.Number("pct_start", 0.3),
            a.Number("div_factor", 25),
            a.Number("final_div_factor", 1e4),
            a.Flag("three_phase", false)),
        "polynomial" => Schedule.Polynomial(initial, a.Integer("total_iters", 5), a.Number("power", 1)),
        _ => throw new ConformanceException($"the scheduler '{name}' is not known"),
    };
}
