using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using Minigrad.Backends.Cpu;
using Minigrad.Layers;
using Minigrad.Losses;
using Minigrad.Numerics;
using Minigrad.Optimizers;

namespace Minigrad.Benchmarks;

/// <summary>
/// A guard against inlining cliffs: where the JIT stops inlining a formula into its loop, the loop runs ten times slower and
/// still gives the right numbers. Each loop is held against a floor of elements per microsecond, about a third of what it
/// reached when the floor was set, in proportion to the machine's own speed of multiply-adds.
/// </summary>
internal static class Floors
{
    private const int Length = 65_536;

    /// <summary>Multiply-adds of vectors per microsecond of the machine on which the floors were set.</summary>
    private const double ReferenceRate = 3690;

    /// <summary>Measures each loop on one core and prints a table.</summary>
    /// <returns>Whether every loop is above its floor.</returns>
    public static bool Print()
    {
        CpuBackend.Instance.ThreadCount = 1;
        double rate = MultiplyAddRate();
        double lanes = CpuBackend.VectorWidth / 32.0;
        double machine = rate * lanes / (ReferenceRate * 16);
        Write($"{CpuBackend.VectorWidth}-bit vectors, one core: {rate * lanes * 2 / 1000:f0} GFLOP/s at most, {machine:f2} of the reference machine");
        Write($"{"loop",-26} {"elements/µs",12} {"floor",8}");
        bool isGood = true;
        foreach ((string name, double floor, Func<object> run) in Loops())
        {
            double speed = Length / Fastest(run);
            bool isAbove = speed >= floor * machine;
            isGood &= isAbove;
            Write($"{name,-26} {speed,12:f0} {floor * machine,8:f0}{(isAbove ? "" : "  TOO SLOW")}");
        }

        return isGood;
    }

    /// <summary>Microseconds of the fastest of many runs: other programs can only slow a run down.</summary>
    public static double Fastest(Func<object> run)
    {
        double fastest = double.PositiveInfinity;
        for (long start = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(start).TotalSeconds < 0.4;)
        {
            long begin = Stopwatch.GetTimestamp();
            run();
            fastest = Math.Min(fastest, Stopwatch.GetElapsedTime(begin).TotalMicroseconds);
        }

        return fastest;
    }

    /// <summary>Independent multiply-adds of vectors that one core does in a microsecond.</summary>
    public static double MultiplyAddRate()
    {
        const int Rounds = 100_000;
        const int SumsPerRound = 12;
        float[] result = new float[16];
        double fastest = Fastest(() =>
        {
            switch (CpuBackend.VectorWidth)
            {
                case 512:
                    MultiplyAdds<Lanes512>(Rounds, ref result[0]);
                    break;
                case 256:
                    MultiplyAdds<Lanes256>(Rounds, ref result[0]);
                    break;
                default:
                    MultiplyAdds<Lanes128>(Rounds, ref result[0]);
                    break;
            }

            return result;
        });
        return Rounds * SumsPerRound / fastest;
    }

    private static IEnumerable<(string Name, double Floor, Func<object> Run)> Loops()
    {
        Tensor x = Tensor.Normal([256, 256], generator: new Generator(1));
        Tensor y = Tensor.Normal([256, 256], generator: new Generator(2));
        Tensor row = Tensor.Normal([256], generator: new Generator(3));
        Tensor positive = x.Abs() + 0.1f;
        Dropout dropout = new(generator: new Generator(7));
        Indices labels = Enumerable.Range(0, 256).ToArray();
        (string Name, double Floor, Func<Tensor, Tensor> Operation)[] operations =
        [
            ("add", 2500, t => t + y),
            ("add a row", 2000, t => t + row),
            ("multiply", 2500, t => t * y),
            ("divide", 2500, t => y / t),
            ("abs", 3500, t => t.Abs()),
            ("clamp", 3000, t => t.Clamp(-1, 1)),
            ("relu", 3500, t => t.Relu()),
            ("leaky relu", 3500, t => t.LeakyRelu()),
            ("exp", 1300, t => t.Exp()),
            ("log", 1100, t => t.Log()),
            ("sqrt", 1900, t => t.Sqrt()),
            ("tanh", 750, t => t.Tanh()),
            ("sigmoid", 850, t => t.Sigmoid()),
            ("softplus", 400, t => t.Softplus()),
            ("silu", 800, t => t.Silu()),
            ("gelu", 600, t => t.Gelu()),
            ("gelu by tanh", 500, t => t.Gelu(approximate: true)),
            ("elu", 900, t => t.Elu()),
            ("sin", 430, t => t.Sin()),
            ("pow", 180, t => t.Pow(1.5f)),
            ("a user's formula", 200, t => t.Map(default(GatedWave))),
            ("dropout", 100, dropout.Forward),
            ("sum", 2500, t => t.Sum()),
            ("sum of columns", 1900, t => t.Sum([0])),
            ("transpose", 1200, t => t.Transpose(0, 1)),
            ("softmax", 500, t => t.Softmax()),
            ("layer norm", 900, t => t.LayerNorm()),
            ("batch norm", 1000, t => t.BatchNorm()),
            ("cross-entropy", 650, t => Loss.CrossEntropy(t, labels)),
        ];
        foreach ((string name, double floor, Func<Tensor, Tensor> operation) in operations)
        {
            Tensor input = name is "log" or "sqrt" or "pow" or "divide" ? positive : x;
            yield return (name, floor, () =>
            {
                using NoGrad scope = new();
                return operation(input);
            }
            );
            Tensor leaf = input.Clone().WithGradient();
            yield return ($"{name}, with backward", floor / 4, () =>
            {
                leaf.Gradient = null;
                operation(leaf).Sum().Backward();
                return leaf;
            }
            );
        }

        foreach (Optimizer optimizer in Optimizers())
        {
            yield return ($"step of {optimizer.GetType().Name}", 500, optimizer.Step);
        }

        // Few hidden values and many rows: the cell is most of the work, not the products. Four are narrower than a vector.
        foreach ((RecurrentLayer layer, double floor) in new (RecurrentLayer, double)[]
        {
            (new Rnn(1, 16), 60), (new Lstm(1, 16), 30), (new Gru(1, 16), 30), (new Rnn(1, 4), 15), (new Lstm(1, 4), 8), (new Gru(1, 4), 8),
        })
        {
            Tensor sequence = Tensor.Normal([Length / 4 / layer.HiddenSize, 4, 1], generator: new Generator(4));
            yield return ($"units of {layer.GetType().Name}, {layer.HiddenSize} hidden", floor, () =>
            {
                using NoGrad scope = new();
                return layer.Forward(sequence);
            }
            );
        }
    }

    private static IEnumerable<Optimizer> Optimizers()
    {
        Tensor parameter = Tensor.Normal([Length], generator: new Generator(5)).WithGradient();
        parameter.Gradient = Tensor.Normal([Length], generator: new Generator(6));
        Tensor[] all = [parameter];
        return [new Sgd(all, 1e-6), new Adam(all, 1e-6), new AdamW(all, 1e-6), new RmsProp(all, 1e-6), new Adagrad(all, 1e-6), new NAdam(all, 1e-6), new RAdam(all, 1e-6)];
    }

    /// <summary>Chains of multiply-adds that do not wait for each other, and touch no memory.</summary>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void MultiplyAdds<TLanes>(int rounds, ref float result)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes>
    {
        TLanes x = 1e-3f;
        TLanes a = default, b = default, c = default, d = default, e = default, f = default;
        TLanes g = default, h = default, i = default, j = default, k = default, l = default;
        for (int round = 0; round < rounds; round++)
        {
            a = TLanes.MultiplyAdd(x, x, a);
            b = TLanes.MultiplyAdd(x, x, b);
            c = TLanes.MultiplyAdd(x, x, c);
            d = TLanes.MultiplyAdd(x, x, d);
            e = TLanes.MultiplyAdd(x, x, e);
            f = TLanes.MultiplyAdd(x, x, f);
            g = TLanes.MultiplyAdd(x, x, g);
            h = TLanes.MultiplyAdd(x, x, h);
            i = TLanes.MultiplyAdd(x, x, i);
            j = TLanes.MultiplyAdd(x, x, j);
            k = TLanes.MultiplyAdd(x, x, k);
            l = TLanes.MultiplyAdd(x, x, l);
        }

        TLanes.Store(a + b + c + d + e + f + g + h + i + j + k + l, ref result, 0);
    }

    private static void Write(FormattableString line) => Console.WriteLine(line.ToString(CultureInfo.InvariantCulture));
}
