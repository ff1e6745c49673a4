using ILGPU;
using Minigrad.Backends;
using Minigrad.Operations;

namespace Minigrad.Gpu.Kernels;

/// <content>Stages that look at each unit of a gradient.</content>
internal static partial class StepKernels
{
    /// <summary>Each unit's norms, and what a stage decides from them.</summary>
    public static void DecideUnits<TDecision>(
        StepMemory memory,
        GradientWindow gradients,
        ArrayView<float> parameters,
        TDecision decision,
        GradientReading reading,
        int firstUnit,
        int set)
        where TDecision : unmanaged, IUnitDecision
    {
        ArrayView<double> shared = SharedMemory.Allocate<double>(GroupTree.Capacity);
        int index = firstUnit + Grid.IdxX;
        Chunk unit = memory.Units[index];
        if (memory.Places[unit.Parameter].Set == set)
        {
            ArrayView<float> x = gradients[unit.View];
            SquareTerm term = default;
            double gradient = 0.0;
            double weight = 0.0;
            for (int i = Group.IdxX; i < unit.Length; i += Group.DimX)
            {
                int element = unit.Start + i;
                gradient = term.Combine(gradient, term.Term(reading.Plain(x[element]), 0));
                weight = term.Combine(weight, term.Term(parameters[unit.ParameterOffset + element], 0));
            }

            gradient = Math.Sqrt(GroupSums.Combine(shared, term, gradient));
            weight = Math.Sqrt(GroupSums.Combine(shared, term, weight));
            if (Group.IdxX == 0)
            {
                double coefficient = decision.Coefficient(memory.States[unit.Parameter].Coefficient * gradient, weight);
                (float first, float second) = GradientScale.Split(coefficient);
                memory.UnitResults[2 * index] = coefficient;
                memory.UnitResults[(2 * index) + 1] = coefficient * gradient * (coefficient * gradient);
                memory.UnitFactors[2 * index] = first;
                memory.UnitFactors[(2 * index) + 1] = second;
            }
        }
    }

    /// <summary>The L2 norm of each gradient under unit factors, and how many gradients of the set have a factor now: none in a step that is not made.</summary>
    private static double CombineUnits(
        StepMemory memory, ArrayView<double> shared, DecideArguments arguments, double outcome)
    {
        double acts = 0.0;
        for (int i = 0; i < memory.Places.IntLength; i++)
        {
            ParameterPlace place = memory.Places[i];
            if (place.Set == arguments.Set && place.UnitCount > FewPartials)
            {
                double scaled = 0.0;
                double sum = 0.0;
                for (int unit = Group.IdxX; unit < place.UnitCount; unit += Group.DimX)
                {
                    scaled += memory.UnitResults[2 * (place.FirstUnit + unit)] == 1.0 ? 0.0 : 1.0;
                    sum += memory.UnitResults[(2 * (place.FirstUnit + unit)) + 1];
                }

                scaled = GroupSums.Sum(shared, scaled);
                sum = GroupSums.Sum(shared, sum);
                if (i % Group.DimX == Group.IdxX)
                {
                    acts += SetUnits(memory, i, scaled, sum, outcome);
                }
            }
        }

        for (int i = Group.IdxX; i < memory.Places.IntLength; i += Group.DimX)
        {
            ParameterPlace place = memory.Places[i];
            if (place.Set == arguments.Set && place.UnitCount <= FewPartials)
            {
                double scaled = 0.0;
                double sum = 0.0;
                for (int unit = 0; unit < place.UnitCount; unit++)
                {
                    scaled += memory.UnitResults[2 * (place.FirstUnit + unit)] == 1.0 ? 0.0 : 1.0;
                    sum += memory.UnitResults[(2 * (place.FirstUnit + unit)) + 1];
                }

                acts += SetUnits(memory, i, scaled, sum, outcome);
            }
        }

        return GroupSums.Sum(shared, acts);
    }

    private static double SetUnits(StepMemory memory, int i, double scaled, double sum, double outcome)
    {
        bool acts = scaled > 0.0 && outcome == 0.0;
        memory.States[i].ScaledUnits = acts ? scaled : 0.0;
        memory.States[i].UnitNorm = Math.Sqrt(sum);
        return acts ? 1.0 : 0.0;
    }
}
