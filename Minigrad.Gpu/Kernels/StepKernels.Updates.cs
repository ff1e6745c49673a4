using ILGPU;
using Minigrad.Backends;
using Minigrad.Numerics;
using Minigrad.Operations;

namespace Minigrad.Gpu.Kernels;

/// <content>
/// Updates that are measured before they are made: <see cref="MeasureUpdate"/> leaves a partial result for each chunk, where
/// the partial norms of gradients have been; <see cref="UpdateMeasured"/> combines those of its parameter, asks for the threshold,
/// in each chunk the same, and makes the part of the update that follows. A rule that remembers notes the size beside its memory,
/// which <see cref="ObserveUpdates"/> reads when all chunks have seen the memory as it was.
/// </content>
internal static partial class StepKernels
{
    /// <summary>Measures the update of the parameters of a chunk, unless the step is withheld.</summary>
    public static void MeasureUpdate<TStep, TRule>(
        StepMemory memory,
        GradientWindow gradients,
        ParameterMemory parameters,
        TStep step,
        GradientReading reading,
        int firstChunk)
        where TStep : unmanaged, IStepRule<TRule>
        where TRule : unmanaged, IMeasuredRule<TRule>
    {
        ArrayView<double> shared = SharedMemory.Allocate<double>(GroupTree.Capacity);
        ArrayView<TRule> made = SharedMemory.Allocate<TRule>(1);
        if (memory.Records[reading.Record].Outcome > 0.0)
        {
            return;
        }

        int index = firstChunk + Grid.IdxX;
        Chunk chunk = memory.Chunks[index];
        GradientState state = memory.States[chunk.Parameter];
        if (Group.IdxX == 0)
        {
            double carried = state.Carried;
            made[0] = step.At<DeviceMath>(state.Updates, ref carried);
        }

        Group.Barrier();
        TRule rule = made[0];
        ArrayView<float> x = gradients[chunk.View];
        MeasureTerm<TRule> term = default;
        Scalar moved = default;
        double total = 0.0;
        for (int i = Group.IdxX; i < chunk.Length; i += Group.DimX)
        {
            int element = chunk.Element(i);
            Scalar measure = UpdateKernels.Measure(
                rule,
                Scaled(memory, state, chunk, reading, x, element, ref moved),
                parameters,
                chunk.ParameterOffset + element,
                chunk.StateOffset + element);
            total = term.Combine(total, term.Term(measure.Value, 0));
        }

        total = GroupSums.Combine(shared, term, total);
        if (Group.IdxX == 0)
        {
            memory.Partials[index] = total;
        }
    }

    /// <summary>Updates the parameters of a chunk by the part that was measured, unless the step is withheld.</summary>
    public static void UpdateMeasured<TStep, TRule, TThreshold>(
        StepMemory memory,
        GradientWindow gradients,
        ParameterMemory parameters,
        TStep step,
        GradientReading reading,
        int firstChunk,
        UpdateThreshold<TThreshold> threshold)
        where TStep : unmanaged, IStepRule<TRule>
        where TRule : unmanaged, IMeasuredRule<TRule>
        where TThreshold : unmanaged, IThresholdRule
    {
        ArrayView<double> shared = SharedMemory.Allocate<double>(GroupTree.Capacity);
        ArrayView<TRule> made = SharedMemory.Allocate<TRule>(1);
        if (memory.Records[reading.Record].Outcome > 0.0)
        {
            return;
        }

        Chunk chunk = memory.Chunks[firstChunk + Grid.IdxX];
        GradientState state = memory.States[chunk.Parameter];
        ParameterPlace place = memory.Places[chunk.Parameter];
        MeasureTerm<TRule> term = default;
        double total = PartialsTogether(memory, shared, term, place, 0);
        if (Group.IdxX == 0)
        {
            TRule whole = MakeRule<TStep, TRule>(memory, step, chunk.Parameter, state);
            UpdateRecord record = default;
            record.Size = whole.Size<DeviceMath>(MeasureTerm<TRule>.Norm(total), place.Length);
            record.Threshold = threshold.For(record.Size, chunk.Parameter);
            record.Coefficient = whole.Factor(record.Size, record.Threshold);
            made[0] = whole.Shortened(record.Coefficient);
            memory.Updates[(reading.Record * memory.Places.IntLength) + chunk.Parameter] = record;
        }

        Group.Barrier();
        UpdateChunk(memory, gradients, parameters, made[0], reading, chunk, state);
    }

    /// <summary>Remembers the sizes of the updates that were made of a run of parameters.</summary>
    public static void ObserveUpdates<TThreshold>(
        Index1D index, StepMemory memory, UpdateThreshold<TThreshold> threshold, int record, int first)
        where TThreshold : unmanaged, IThresholdRule
    {
        int parameter = first + index;
        ParameterPlace place = memory.Places[parameter];
        if (memory.Records[record].Outcome == 0.0 && place.Set != ParameterPlace.NoGradient && place.ChunkCount > 0)
        {
            Observe(threshold.Remembered, threshold.Rule, parameter);
        }
    }
}
