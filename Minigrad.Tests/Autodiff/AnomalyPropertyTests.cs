using CsCheck;

namespace Minigrad.Tests.Autodiff;

/// <summary>Random chains of operations: what a trace says, held against the values in between when all are kept and looked at.</summary>
public sealed class AnomalyPropertyTests
{
    private static readonly (string Name, Func<Tensor, Tensor> Apply)[] Operations =
    [
        ("Logarithm", x => x.Log()),
        ("SquareRoot", x => x.Sqrt()),
        ("Exponential", x => x.Exp()),
        ("Square", x => x.Square()),
        ("Reciprocal", x => x.Reciprocal()),
        ("Sine", x => x.Sin()),
        ("Negate", x => -x),
        ("Multiply", x => x * 1e20f),
        ("Subtract", x => x - 2f),
        ("Divide", x => x / x),
        ("CumulativeSum", x => x.CumulativeSum(0)),
        ("Softmax", x => x.Softmax()),
        ("Rectifier", x => x.Relu()),
    ];

    /// <summary>The same programs on every run.</summary>
    private const string Seed = "0000KOIPe3m4";

    private static readonly Gen<(int[] Values, int[] Chain)> Programs = Gen.Select(
        Gen.Int[-3, 3].Array[1, 5], Gen.Int[0, Operations.Length - 1].Array[1, 8]);

    // What is tried here is the trace's own reasoning, which is above the seam; AnomalyOnGpuTests holds a device to it.
    [Fact]
    [Trait(SuiteBackend.Trait, SuiteBackend.CpuOnly)]
    public void Forward_the_operation_named_is_the_first_whose_result_is_not_finite() => Programs.Sample(
        program =>
        {
            Tensor[] values = Values(program.Values, program.Chain);
            int lastFinite = Array.FindLastIndex(values, IsFinite);
            AnomalyReport? report;
            using (Anomaly.Trace())
            {
                report = Anomaly.Find(Values(program.Values, program.Chain)[^1]);
            }

            if (lastFinite == values.Length - 1)
            {
                Assert.Null(report);
                return;
            }

            // In a chain each operation from the first on is either a source or passes on, so their number says which it was. It may
            // come after another one where a NaN came up beside infinities without being made of them.
            int began = program.Chain.Length - report!.Sources.Count - report.PassedOnBy.Count;
            Assert.True(began >= lastFinite);
            AnomalySource first = report.First;
            Assert.Equal(Operations[program.Chain[began]].Name, first.Operation);
            int place = first.Index[0];
            Assert.Equal(values[began + 1].ToArray()[place], first.Value);
            bool isElementwise = first.Operation is not ("CumulativeSum" or "Softmax");
            Assert.True(isElementwise ? float.IsFinite(values[began].ToArray()[place]) : IsFinite(values[began]));
        },
        iter: 5_000,
        seed: Seed);

    [Fact]
    [Trait(SuiteBackend.Trait, SuiteBackend.CpuOnly)]
    public void Backward_the_operation_named_is_the_first_that_gives_a_gradient_that_is_not_finite() => Programs.Sample(
        program =>
        {
            Tensor[] values = Values(program.Values, program.Chain, "x");
            Tensor sum = values[^1].Sum();
            if (!IsFinite(sum) || !Array.TrueForAll(values, IsFinite))
            {
                return;
            }

            Tensor[] gradients = Tensor.Gradients(sum, values);
            AnomalyReport? report = Anomaly.Find(() => Values(program.Values, program.Chain, "x")[^1].Sum());
            if (IsFinite(gradients[0]))
            {
                Assert.Null(report);
                return;
            }

            int lastBad = Array.FindLastIndex(gradients, gradient => !IsFinite(gradient));
            // x / x gives two gradients; where their sum is what makes a NaN of infinities, that is a source too.
            int began = report!.Sources.Count(source => source.Operation != "Add") + report.PassedOnBy.Count - 1;
            Assert.True(began <= lastBad);
            Assert.True(report.First.IsBackward);
            Assert.Equal(Operations[program.Chain[began]].Name, report.First.Operation);
            if (report.First.Operation != "Divide")
            {
                Assert.Equal(gradients[began].ToArray()[report.First.Index[0]], report.First.Value);
            }
        },
        iter: 5_000,
        seed: Seed);

    private static bool IsFinite(Tensor tensor) => tensor.ToArray().All(float.IsFinite);

    private static Tensor[] Values(int[] start, int[] chain, string? gradient = null)
    {
        Tensor[] values = [Tensor.Of(Array.ConvertAll(start, value => (float)value)), .. new Tensor[chain.Length]];
        values[0].RequiresGradient = gradient is not null;
        values[0].Name = gradient;
        for (int i = 0; i < chain.Length; i++)
        {
            values[i + 1] = Operations[chain[i]].Apply(values[i]);
        }

        return values;
    }
}
