using ILGPU;
using Minigrad.Backends;
using Minigrad.Operations;

namespace Minigrad.Gpu.Kernels;

/// <content>Stages that look at each unit of a gradient.</content>
internal static partial class StepKernels
{
    /// <summary>How many numbers a unit's result takes.</summary>
    public const int UnitResultLength = 4;

    /// <summary>Each unit's norms, and what a stage decides from them.</summary>
    public static void DecideUnits<TDecision, TRule>(
        StepMemory memory,
        ArrayView<double> remembered,
        GradientWindow gradients,
        ArrayView<float> parameters,
        UnitStage<TDecision, TRule> stage,
        GradientReading reading)
        where TDecision : unmanaged, IUnitDecision
        where TRule : unmanaged, IThresholdRule
    {
        ArrayView<double> shared = SharedMemory.Allocate<double>(GroupTree.Capacity);
        Chunk unit = stage.Units[stage.FirstUnit + Grid.IdxX];
        if (memory.Places[unit.Parameter].Set == stage.Set)
        {
            ArrayView<float> x = gradients[unit.View];
            SquareTerm term = default;
            double gradient = 0.0;
            double weight = 0.0;
            for (int i = Group.IdxX; i < unit.Length; i += Group.DimX)
            {
                int element = unit.Start + (i * unit.Stride);
                gradient = term.Combine(gradient, term.Term(reading.Plain(x[element]), 0));
                weight = term.Combine(weight, term.Term(parameters[unit.ParameterOffset + element], 0));
            }

            gradient = Math.Sqrt(GroupSums.Combine(shared, term, gradient));
            weight = Math.Sqrt(GroupSums.Combine(shared, term, weight));
            if (Group.IdxX == 0)
            {
                double measure = stage.Decision.Measure(memory.States[unit.Parameter].Coefficient * gradient, weight);
                ThresholdSeries<TRule> series = new(stage.Rule);
                double threshold = series.Threshold<DeviceMath, DeviceThresholdMemory>(
                    measure, measure, new DeviceThresholdMemory(remembered, unit.FirstUnit * series.Length));
                double coefficient = stage.Decision.Factor(measure, threshold);
                (float first, float second) = GradientScale.Split(coefficient);
                int result = UnitResultLength * unit.FirstUnit;
                memory.UnitResults[result] = coefficient;
                memory.UnitResults[result + 1] = coefficient * gradient * (coefficient * gradient);
                memory.UnitResults[result + 2] = measure;
                memory.UnitResults[result + 3] = threshold;
                memory.UnitFactors[2 * unit.FirstUnit] = first;
                memory.UnitFactors[(2 * unit.FirstUnit) + 1] = second;
            }
        }
    }

    /// <summary>The L2 norm of each gradient under unit factors, and how many gradients of the set have a factor now: none in a step that is not made.</summary>
    private static double CombineUnits(
        StepMemory memory, ArrayView<double> shared, DecideArguments arguments, double outcome)
    {
        StageRecord stage = default;
        stage.Threshold = double.PositiveInfinity;
        stage.Coefficient = 1.0;
        for (int i = 0; i < memory.Places.IntLength; i++)
        {
            ParameterPlace place = memory.Places[i];
            if (place.Set == arguments.Set && place.UnitCount(arguments.UnitsAreColumns) > FewPartials)
            {
                double scaled = 0.0;
                double sum = 0.0;
                for (int unit = Group.IdxX; unit < place.UnitCount(arguments.UnitsAreColumns); unit += Group.DimX)
                {
                    stage = With(memory, stage, place.FirstUnit + unit);
                    scaled += ScaledUnit(memory, place.FirstUnit + unit);
                    sum += memory.UnitResults[(UnitResultLength * (place.FirstUnit + unit)) + 1];
                }

                scaled = GroupSums.Sum(shared, scaled);
                sum = GroupSums.Sum(shared, sum);
                if (i % Group.DimX == Group.IdxX)
                {
                    stage.Acted += SetUnits(memory, arguments, i, scaled, sum, outcome);
                }
            }
        }

        for (int i = Group.IdxX; i < memory.Places.IntLength; i += Group.DimX)
        {
            ParameterPlace place = memory.Places[i];
            if (place.Set == arguments.Set && place.UnitCount(arguments.UnitsAreColumns) <= FewPartials)
            {
                double scaled = 0.0;
                double sum = 0.0;
                for (int unit = 0; unit < place.UnitCount(arguments.UnitsAreColumns); unit++)
                {
                    stage = With(memory, stage, place.FirstUnit + unit);
                    scaled += ScaledUnit(memory, place.FirstUnit + unit);
                    sum += memory.UnitResults[(UnitResultLength * (place.FirstUnit + unit)) + 1];
                }

                stage.Acted += SetUnits(memory, arguments, i, scaled, sum, outcome);
            }
        }

        NoteStage(memory, shared, arguments, stage);
        return GroupSums.Sum(shared, stage.Acted);
    }

    private static StageRecord With(StepMemory memory, StageRecord stage, int unit)
    {
        int result = UnitResultLength * unit;
        return With(stage, memory.UnitResults[result + 2], memory.UnitResults[result + 3], memory.UnitResults[result]);
    }

    private static double ScaledUnit(StepMemory memory, int unit) =>
        memory.UnitResults[UnitResultLength * unit] == 1.0 ? 0.0 : 1.0;

    private static double SetUnits(
        StepMemory memory, DecideArguments arguments, int i, double scaled, double sum, double outcome)
    {
        bool acts = scaled > 0.0 && outcome == 0.0;
        memory.States[i].ScaledUnits = acts ? scaled : 0.0;
        memory.States[i].UnitsAreColumns = arguments.UnitsAreColumns;
        memory.States[i].UnitNorm = Math.Sqrt(sum);
        return acts ? 1.0 : 0.0;
    }
}
