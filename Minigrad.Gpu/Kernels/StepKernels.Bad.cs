using ILGPU;
using Minigrad.Backends;

namespace Minigrad.Gpu.Kernels;

/// <content>Gradients that no update can be made with, and what is recorded of them.</content>
internal static partial class StepKernels
{
    /// <summary>Looks for gradients that are not finite; under a dynamic loss scale they are an overflow, which is skipped.</summary>
    private static StepRecord NoteNotFinite(
        StepMemory memory, ArrayView<double> shared, DecideArguments arguments, StepRecord record)
    {
        double outcome = (double)StepOutcome.NotFinite;
        if (arguments.LossScaling.IsDynamic)
        {
            arguments.Bad = (int)BadGradients.Skip;
            outcome = (double)StepOutcome.Overflow;
        }

        return NoteBad(memory, shared, arguments, record, double.MaxValue, outcome);
    }

    /// <summary>Looks for gradients that no update can be made with: where an element may be above a limit, or is NaN.</summary>
    private static StepRecord NoteBad(
        StepMemory memory, ArrayView<double> shared, DecideArguments arguments, StepRecord record, double limit, double outcome)
    {
        bool looks = record.Outcome == 0.0 && arguments.Bad <= (int)BadGradients.Skip;
        double count = 0.0;
        double first = memory.Places.IntLength;
        for (int i = Group.IdxX; i < memory.Places.IntLength; i += Group.DimX)
        {
            if (looks && IsBad(memory, i, limit))
            {
                first = first < i ? first : i;
                count += 1.0;
            }
        }

        count = GroupSums.Sum(shared, count);
        if (count > 0.0)
        {
            record.Outcome = outcome;
            record.BadCount = count;
            for (int bad = 0; bad < StepRecord.BadPlaces; bad++)
            {
                first = GroupSums.Smallest(shared, first);
                record = WithBad(record, bad, first);
                double next = memory.Places.IntLength;
                for (int i = Group.IdxX; i < memory.Places.IntLength; i += Group.DimX)
                {
                    if (i > first && IsBad(memory, i, limit))
                    {
                        next = next < i ? next : i;
                    }
                }

                first = next;
            }

            record = DescribeFirst(memory, shared, record, limit);
        }

        return record;
    }

    private static bool IsBad(StepMemory memory, int i, double limit)
    {
        GradientState state = memory.States[i];
        double norm = state.CurrentNorm;
        bool isBad = double.IsNaN(norm) || (norm > limit && state.LargestPossible > limit);
        return isBad && memory.Places[i].Set != ParameterPlace.NoGradient;
    }

    private static StepRecord WithBad(StepRecord record, int place, double parameter)
    {
        switch (place)
        {
            case 0:
                record.Bad0 = parameter;
                break;
            case 1:
                record.Bad1 = parameter;
                break;
            case 2:
                record.Bad2 = parameter;
                break;
            case 3:
                record.Bad3 = parameter;
                break;
            case 4:
                record.Bad4 = parameter;
                break;
            default:
                record.Bad5 = parameter;
                break;
        }

        return record;
    }

    /// <summary>The norm of the first bad gradient, and where its first element is that is not finite.</summary>
    private static StepRecord DescribeFirst(StepMemory memory, ArrayView<double> shared, StepRecord record, double limit)
    {
        int first = (int)record.Bad0;
        double norm = 0.0;
        if (first % Group.DimX == Group.IdxX)
        {
            norm = memory.States[first].CurrentNorm;
        }

        record.BadNorm = GroupSums.Sum(shared, norm);
        ParameterPlace place = memory.Places[first];
        for (int chunk = place.FirstChunk; limit > double.MaxValue * 0.5 && chunk < place.FirstChunk + place.ChunkCount; chunk++)
        {
            if (!IsFinite(memory.Partials[chunk]))
            {
                // The chunks take turns, so the first element may be in any of them.
                if (record.BadElements == 0.0 || memory.Faults[3 * chunk] < record.BadElement)
                {
                    record.BadElement = memory.Faults[3 * chunk];
                    record.BadValue = memory.Faults[(3 * chunk) + 1];
                }

                record.BadElements += memory.Faults[(3 * chunk) + 2];
            }
        }

        return record;
    }
}
