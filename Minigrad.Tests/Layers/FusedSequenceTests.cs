using CsCheck;
using Minigrad.Autodiff;
using Minigrad.Backends.Cpu;
using Minigrad.Layers;
using Minigrad.Operations;
using static Minigrad.Tests.Layers.RecurrentKinds;

namespace Minigrad.Tests.Layers;

/// <summary>A sequence as one operation gives what its primitive operations give, and the same bits on any number of threads.</summary>
public sealed class FusedSequenceTests
{
    public static TheoryData<string> Names => [.. RecurrentKinds.All];

    [Theory]
    [MemberData(nameof(Names))]
    public void Fused_sequence_agrees_with_its_primitive_operations(string name) =>
        Gen.Select(Gen.Int[1, 4], Gen.Int[1, 18], Gen.Int[1, 6].Array[1, 4], Gen.ULong).Sample(
            (inputSize, hiddenSize, lengths, seed) => CompareWithPrimitives(name, lengths, hiddenSize, seed),
            iter: 30);

    [Trait(SuiteBackend.Trait, SuiteBackend.CpuOnly)]
    [Theory]
    [MemberData(nameof(Names))]
    public void Sequences_that_threads_share_agree_with_their_primitive_operations(string name) => OnThreads(
        4,
        () => Gen.Select(Gen.Int[20, 70], Gen.Int[1, 6].Array[16, 40], Gen.ULong).Sample(
            (hiddenSize, lengths, seed) => CompareWithPrimitives(name, lengths, hiddenSize, seed), iter: 8, threads: 1));

    [Trait(SuiteBackend.Trait, SuiteBackend.CpuOnly)]
    [Theory]
    [MemberData(nameof(Names))]
    public void The_same_bits_however_threads_share_the_sequences(string name) => Gen.Select(
        Gen.Int[1, 9],
        Gen.Frequency((4, Gen.Int[1, 70]), (1, Gen.OneOfConst(1, 16, 64, 200, 387))),
        Gen.OneOf(Gen.Int[1, 9].Array[1, 70], Gen.Int[1, 40].Array[1, 12], Gen.Select(Gen.Int[1, 9], Gen.Int[1, 70], (time, batch) => Enumerable.Repeat(time, batch).ToArray()))).Sample(
            (inputSize, hiddenSize, lengths) =>
            {
                float[] one = OnThreads(1, () => OutputAndGradients(name, inputSize, hiddenSize, lengths));
                foreach (int threads in new[] { 2, 4, 7 })
                {
                    Assert.Equal(one, OnThreads(threads, () => OutputAndGradients(name, inputSize, hiddenSize, lengths)));
                }
            },
            iter: 40,
            threads: 1);

    [Trait(SuiteBackend.Trait, SuiteBackend.CpuOnly)]
    [Theory]
    [MemberData(nameof(Names))]
    public void The_same_bits_for_any_number_of_threads(string name)
    {
        List<float[]> results = [];
        foreach (int threads in new[] { 1, 2, 3, 8 })
        {
            OnThreads(threads, () =>
            {
                RecurrentLayer layer = Create(name, 20, 70, new() { IsBidirectional = true });
                Everything(layer, Normal(1, [100, 3, 20]), null, null).Square().Sum().Backward();
                results.Add([.. layer.Parameters.SelectMany(parameter => parameter.Gradient!.ToArray())]);
            });
        }

        Assert.All(results, result => Assert.Equal(results[0], result));
    }

    private static void OnThreads(int threads, Action run) => OnThreads(threads, () =>
    {
        run();
        return 0;
    });

    private static TResult OnThreads<TResult>(int threads, Func<TResult> run)
    {
        int before = CpuBackend.Instance.ThreadCount;
        try
        {
            CpuBackend.Instance.ThreadCount = threads;
            return run();
        }
        finally
        {
            CpuBackend.Instance.ThreadCount = before;
        }
    }

    private static float[] OutputAndGradients(string name, int inputSize, int hiddenSize, int[] lengths)
    {
        RecurrentLayer layer = Create(name, inputSize, hiddenSize, new());
        Tensor input = Normal(1, [lengths.Length, lengths.Max(), inputSize]).WithGradient();
        Tensor output = Everything(layer, input, State(layer, 1, lengths.Length, hiddenSize), lengths);
        output.Square().Sum().Backward();
        return [.. output.ToArray(), .. input.Gradient!.ToArray(), .. layer.Parameters.SelectMany(parameter => parameter.Gradient!.ToArray())];
    }

    private static void CompareWithPrimitives(string name, int[] lengths, int hiddenSize, ulong seed)
    {
        Array.Sort(lengths, (a, b) => b.CompareTo(a));
        PackedSteps steps = new([.. Enumerable.Range(0, lengths[0]).Select(step => lengths.Count(length => length > step))]);
        switch (name)
        {
            case "lstm":
                CompareWithPrimitives(default(LstmCell), steps, hiddenSize, seed);
                break;
            case "gru":
                CompareWithPrimitives(default(GruCell), steps, hiddenSize, seed);
                break;
            case "rnn-tanh":
                CompareWithPrimitives(default(ElmanCell<HyperbolicTangent>), steps, hiddenSize, seed);
                break;
            case "rnn-relu":
                CompareWithPrimitives(default(ElmanCell<Rectifier>), steps, hiddenSize, seed);
                break;
            default:
                CompareWithPrimitives(new LeakyCell(0.3f), steps, hiddenSize, seed);
                break;
        }
    }

    private static void CompareWithPrimitives<TCell>(TCell cell, PackedSteps steps, int width, ulong seed)
        where TCell : unmanaged, IRecurrentCell
    {
        Generator generator = new(seed);
        Tensor Random(params int[] shape) => Tensor.Normal(shape, generator: generator).WithGradient();
        int gates = cell.GateCount * width;

        // So that no number explodes, though an activation may be relu.
        float scale = MathF.Min(0.3f, 1.2f / MathF.Sqrt(width));
        SequenceInputs inputs = new(
            Random(steps.TotalRows, gates), (Random(gates, width).Detach() * scale).WithGradient(), seed % 3 == 0 ? null : Random(gates), Random(steps.Batch, width),
            cell.HasState ? Random(steps.Batch, width) : null);
        (Tensor output, Tensor lastHidden, Tensor? lastState) = SequenceNode<TCell>.Run(cell, steps, inputs);
        TracedSequence<TCell> traced = new(cell, steps, inputs);
        Close(traced.Output, output);
        Close(traced.LastHidden, lastHidden);
        Tensor fused = (output.Square().Sum() * 0.5f) + lastHidden.Exp().Sum();
        Tensor primitive = (traced.Output.Square().Sum() * 0.5f) + traced.LastHidden.Exp().Sum();
        if (lastState is not null)
        {
            Close(traced.LastState, lastState);
            fused += lastState.Square().Sum();
            primitive += traced.LastState.Square().Sum();
        }

        List<Tensor> variables = [inputs.Projected, inputs.Weight, inputs.Hidden];
        if (inputs.Bias is not null)
        {
            variables.Add(inputs.Bias);
        }

        if (inputs.State is not null)
        {
            variables.Add(inputs.State);
        }

        Tensor[] expected = Tensor.Gradients(primitive, variables);
        Tensor[] plain = Tensor.Gradients(fused, variables, retainGraph: true);
        Tensor[] recorded = Tensor.Gradients(fused, variables, createGraph: true);
        for (int i = 0; i < expected.Length; i++)
        {
            Close(expected[i], plain[i]);
            Close(expected[i], recorded[i]);
        }
    }

    private static void Close(Tensor expected, Tensor actual)
    {
        Assert.Equal(expected.Shape, actual.Shape);
        float scale = 1f + expected.ToArray().Max(value => MathF.Abs(value));
        Assert.All(expected.ToArray().Zip(actual.ToArray()), pair => Assert.Equal(pair.First, pair.Second, 2e-5f * scale));
    }
}
