using ILGPU;
using Minigrad.Numerics;
using Minigrad.Operations;

namespace Minigrad.Gpu.Kernels;

/// <content>
/// Updates that are measured before they are made: <see cref="MeasureUpdate"/> leaves a partial result for each chunk, where
/// the partial norms of gradients have been; <see cref="UpdateMeasured"/> combines those of its parameter, in each chunk
/// the same, and makes the part of the update that follows.
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
        double total = 0.0;
        for (int i = Group.IdxX; i < chunk.Length; i += Group.DimX)
        {
            int element = chunk.Start + i;
            Scalar measure = UpdateKernels.Measure(
                rule,
                Scaled(memory, state, chunk, reading, x, element),
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
    public static void UpdateMeasured<TStep, TRule>(
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

        Chunk chunk = memory.Chunks[firstChunk + Grid.IdxX];
        GradientState state = memory.States[chunk.Parameter];
        ParameterPlace place = memory.Places[chunk.Parameter];
        MeasureTerm<TRule> term = default;
        double total = PartialsTogether(memory, shared, term, place, 0);
        if (Group.IdxX == 0)
        {
            TRule whole = MakeRule<TStep, TRule>(memory, step, chunk.Parameter, state);
            Chunk last = memory.Chunks[place.FirstChunk + place.ChunkCount - 1];
            double coefficient = whole.Coefficient<DeviceMath>(MeasureTerm<TRule>.Norm(total), last.Start + last.Length);
            made[0] = whole.Shortened(coefficient);
            memory.UpdateCoefficients[(reading.Record * memory.Places.IntLength) + chunk.Parameter] = coefficient;
        }

        Group.Barrier();
        UpdateChunk(memory, gradients, parameters, made[0], reading, chunk, state);
    }
}
