using System.Runtime.CompilerServices;
using Minigrad.Backends;
using Minigrad.Backends.Cpu;
using Minigrad.Gpu;
using Minigrad.Layers;
using Minigrad.Optimizers;
using Minigrad.Optimizers.Clipping;

namespace Minigrad.Tests.Gpu;

/// <summary>
/// Parameters side by side in one buffer: who owns them, and that nothing shows of it whatever else happens to them. Each
/// training is compared with the same one on the CPU.
/// </summary>
public sealed class SlabTests(GpuFixture fixture) : IClassFixture<GpuFixture>
{
    /// <summary>A few updates near 1, each a few units in the last place off.</summary>
    private const float Tolerance = 1e-5f;

    private GpuBackend Gpu => fixture.Backend;

    [Fact]
    public void A_step_moves_parameters_side_by_side_and_keeps_their_numbers() => OnBoth(backend =>
    {
        Tensor[] parameters = Parameters(backend, 3);
        float[][] before = Values(parameters);
        Sgd optimizer = new(parameters, learningRate: 0);
        Step(optimizer, 0, parameters);
        Assert.Equal(before, Values(parameters));
        if (backend == Gpu)
        {
            Assert.NotNull(SlabOf(parameters[0]));
            Assert.All(parameters, parameter => Assert.Same(SlabOf(parameters[0]), SlabOf(parameter)));
        }

        return parameters;
    });

    [Fact]
    public void Tied_weights_are_one_parameter_whose_gradients_add() => OnBoth(backend =>
    {
        Tensor tied = Parameters(backend, 1)[0];
        Tensor bias = Tensor.Of([0.5f, -0.5f, 0.25f]).To(backend).WithGradient("bias");
        Adam optimizer = new([tied, bias], 0.1) { Clip = [Clip.GlobalNorm(1)] };
        for (int step = 0; step < 4; step++)
        {
            optimizer.ZeroGradients();
            Tensor x = Tensor.Of([1f, -2f, 0.5f], 1, 3).To(backend);
            (x.MatMul(tied.Transpose()).Tanh().MatMul(tied) + bias).Square().Sum().Backward();
            optimizer.Step();
        }

        return [tied, bias];
    });

    [Fact]
    public void A_second_optimizer_over_the_same_parameters_leaves_them_where_they_are() => OnBoth(backend =>
    {
        Tensor[] parameters = Parameters(backend, 3);
        Optimizer[] optimizers = [new Adam(parameters, 0.1), new Sgd(parameters, 0.05, momentum: 0.9)];
        Step(optimizers[0], 0, parameters);
        Slab? slab = SlabOf(parameters[0]);
        for (int step = 1; step < 6; step++)
        {
            Step(optimizers[step % 2], step, parameters);
            Assert.All(parameters, parameter => Assert.Same(slab, SlabOf(parameter)));
        }

        return parameters;
    });

    [Fact]
    public void Parameters_of_two_slabs_and_of_none_are_updated_by_one_optimizer() => OnBoth(backend =>
    {
        Tensor[] parameters = Parameters(backend, 6);
        Step(new Sgd(parameters[..2], 0.1), 0, parameters[..2]);
        Step(new Sgd(parameters[3..5], 0.1), 1, parameters[3..5]);
        Adam together = new(parameters, 0.1) { Clip = [Clip.UnitNorm(0.2), Clip.GlobalNorm(0.5)] };
        for (int step = 2; step < 5; step++)
        {
            Step(together, step, parameters);
        }

        return parameters;
    });

    [Fact]
    public void A_parameter_added_later_joins_with_a_new_optimizer() => OnBoth(backend =>
    {
        Tensor[] parameters = Parameters(backend, 3);
        Adam early = new(parameters[..2], 0.1);
        Step(early, 0, parameters[..2]);
        Step(early, 1, parameters[..2]);
        Adam all = new(parameters, 0.1);
        Step(all, 2, parameters);
        Step(all, 3, parameters);
        Assert.Equal(2, early.StepCount);
        return parameters;
    });

    [Fact]
    public void A_parameter_whose_gradient_comes_late_starts_its_own_count() => OnBoth(backend =>
    {
        Tensor[] parameters = Parameters(backend, 3);
        Adam optimizer = new(parameters, 0.1);
        Step(optimizer, 0, parameters[1..]);
        Step(optimizer, 1, parameters[1..]);
        Step(optimizer, 2, parameters);
        Step(optimizer, 3, parameters[..1]);
        Assert.Equal([2, 3, 3], optimizer.State().Parameters.Select(parameter => parameter.Step));
        return parameters;
    });

    [Fact]
    public void A_model_that_moves_to_the_CPU_and_back_goes_on_with_its_state() => OnBoth(backend =>
    {
        Tensor[] parameters = Parameters(backend, 3);
        NAdam optimizer = new(parameters, 0.1) { Clip = [Clip.GlobalNorm(1)] };
        ParameterOwner model = new(parameters);
        Backend[] places = [backend, backend, CpuBackend.Instance, CpuBackend.Instance, backend, backend];
        for (int step = 0; step < places.Length; step++)
        {
            model.To(places[step]);
            Step(optimizer, step, parameters);
            Assert.Equal(step + 1, optimizer.StepCount);
            Assert.All(optimizer.State().Parameters, parameter => Assert.Equal(step + 1, parameter.Step));
        }

        return parameters;
    });

    [Fact]
    public void A_restored_state_goes_on_to_the_bits_of_the_run_it_was_taken_from()
    {
        Tensor[] parameters = Parameters(Gpu, 3);
        NAdam optimizer = new(parameters, 0.1) { Clip = [Clip.GlobalNorm(1)] };
        Step(optimizer, 0, parameters);
        Step(optimizer, 1, parameters);
        OptimizerState state = optimizer.State();
        float[][] values = Values(parameters);
        Step(optimizer, 2, parameters);
        Step(optimizer, 3, parameters);

        Tensor[] others = [.. values.Select((numbers, i) => Tensor.Of(numbers, [.. parameters[i].Shape.Dimensions]).To(Gpu).WithGradient())];
        NAdam resumed = new(others, 0.1) { Clip = [Clip.GlobalNorm(1)] };
        Step(resumed, 7, others);
        for (int i = 0; i < others.Length; i++)
        {
            using (new NoGrad())
            {
                others[i].Assign(values[i]);
            }
        }

        resumed.Restore(state);
        Step(resumed, 2, others);
        Step(resumed, 3, others);
        Assert.Equal(Values(parameters), Values(others));
        Assert.Equal(4, resumed.StepCount);
    }

    /// <summary>The first length fills a buffer of the pool, so that the empty part would begin behind its end.</summary>
    [Theory]
    [InlineData(64)]
    [InlineData(3)]
    public void An_empty_parameter_behind_the_others_is_saved_restored_and_stepped(int length) => OnBoth(backend =>
    {
        Tensor[] parameters = [Tensor.Ones(length).To(backend).WithGradient("w"), Tensor.Zeros(0).To(backend).WithGradient("empty")];
        Adam optimizer = new(parameters, 0.1) { Clip = [Clip.UnitNorm(0.5), Clip.GlobalNorm(1, order: 3)], UpdateClip = UpdateClip.Rms(0.5) };
        Step(optimizer, 0, parameters);
        OptimizerState state = optimizer.State();
        Assert.Equal([length, length, 0, 0], state.Parameters.SelectMany(parameter => parameter.Slots).Select(slot => slot.Length));
        Step(optimizer, 1, parameters);
        optimizer.Restore(state);
        Step(optimizer, 2, parameters);
        Assert.Equal([2, 2], optimizer.State().Parameters.Select(parameter => parameter.Step));
        Assert.Empty(parameters[1].ToArray());
        return parameters;
    });

    [Fact]
    public void Slabs_of_optimizers_that_are_gone_are_used_again()
    {
        // Four at once, so that the pool has more than any one takes, whenever another test asks for a collection.
        TrainAndForget(4);
        Collect();
        long bytes = Gpu.PooledBytes;
        for (int i = 0; i < 40; i++)
        {
            TrainAndForget(1);
            Collect();
        }

        Assert.Equal(bytes, Gpu.PooledBytes);
    }

    [Fact]
    public void What_stages_remembered_that_are_gone_makes_room_for_new_ones()
    {
        Tensor[] parameters = Parameters(Gpu, 2);
        Sgd optimizer = new(parameters, 0.001);
        ClipStage kept = Clip.ParameterNorm(Threshold.Percentile(50, window: 5));
        for (int i = 0; i < 8; i++)
        {
            StepWithNewStage(optimizer, i, parameters, kept);
        }

        long bytes = Gpu.PooledBytes;
        for (int i = 8; i < 40; i++)
        {
            StepWithNewStage(optimizer, i, parameters, kept);
        }

        Assert.Equal(bytes, Gpu.PooledBytes);

        // A stage that the program still has is remembered while it is not listed.
        double[] remembered = optimizer.State().Stages[0].Memories[0];
        optimizer.Clip = [];
        Step(optimizer, 40, parameters);
        optimizer.Clip = [kept];
        Assert.Equal(remembered, optimizer.State().Stages[0].Memories[0]);
    }

    [Fact]
    public void A_model_that_has_moved_away_leaves_no_memory_behind()
    {
        Tensor[] parameters = Parameters(Gpu, 2);
        Adam optimizer = new(parameters, 0.1);
        WeakReference[] slabs = TrainOnBoth(optimizer, parameters);
        Collect();
        Assert.All(slabs, slab => Assert.False(slab.IsAlive));
        GC.KeepAlive(optimizer);
    }

    private static void Collect()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
    }

    private static Tensor[] Parameters(Backend backend, int count) =>
    [
        .. Enumerable.Range(0, count).Select(i => Tensor.Normal([2 + i, 3], generator: new Generator((ulong)i + 1))
            .To(backend).WithGradient($"p{i}")),
    ];

    private static float[][] Values(Tensor[] parameters) => Array.ConvertAll(parameters, parameter => parameter.ToArray());

    private static Slab? SlabOf(Tensor parameter) => (parameter.Storage as GpuStorage)?.Slab;

    /// <summary>A step from gradients that depend on its number.</summary>
    private static void Step(Optimizer optimizer, int step, Tensor[] parameters)
    {
        optimizer.ZeroGradients();
        for (int i = 0; i < parameters.Length; i++)
        {
            parameters[i].Gradient = Tensor.Normal(
                [.. parameters[i].Shape.Dimensions], generator: new Generator((ulong)((100 * step) + i + 50))).To(parameters[i].Backend);
        }

        optimizer.Step();
    }

    /// <summary>A step with a stage that nobody has afterwards.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void StepWithNewStage(Optimizer optimizer, int step, Tensor[] parameters, ClipStage kept)
    {
        optimizer.Clip = [kept, Clip.GlobalNorm(Threshold.Percentile(50, window: 100_000))];
        Step(optimizer, step, parameters);
        optimizer.Check();
        Collect();
    }

    /// <summary>Trains on the CPU, here, and on the CPU again.</summary>
    /// <returns>The memory that the parameters had here.</returns>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private WeakReference[] TrainOnBoth(Optimizer optimizer, Tensor[] parameters)
    {
        ParameterOwner model = new(parameters);
        model.To(CpuBackend.Instance);
        Step(optimizer, 0, parameters);
        model.To(Gpu);
        Step(optimizer, 1, parameters);
        WeakReference[] slabs = [.. parameters.Select(parameter => new WeakReference(SlabOf(parameter)))];
        model.To(CpuBackend.Instance);
        Step(optimizer, 2, parameters);
        Assert.Equal(3, optimizer.StepCount);
        return slabs;
    }

    /// <summary>Trains so many models, of which all are held until the last is done.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void TrainAndForget(int count)
    {
        List<Adam> held = [];
        for (int i = 0; i < count; i++)
        {
            Tensor[] parameters = Parameters(Gpu, 5);
            Adam optimizer = new(parameters, 0.1);
            Step(optimizer, 0, parameters);
            optimizer.Check();
            held.Add(optimizer);
        }

        GC.KeepAlive(held);
    }

    private void OnBoth(Func<Backend, Tensor[]> train)
    {
        Tensor[] expected = train(CpuBackend.Instance);
        Tensor[] actual = train(Gpu);
        for (int i = 0; i < expected.Length; i++)
        {
            Assert.All(expected[i].ToArray().Zip(actual[i].ToArray()), pair => Assert.Equal(pair.First, pair.Second, Tolerance));
        }
    }

    private sealed class ParameterOwner : Module
    {
        public ParameterOwner(Tensor[] parameters)
        {
            for (int i = 0; i < parameters.Length; i++)
            {
                Parameter($"p{i}", parameters[i]);
            }
        }
    }
}
