using ILGPU;
using Minigrad.Backends;

namespace Minigrad.Gpu.Kernels;

/// <content>Each gradient's norm from the partial results of its chunks.</content>
internal static partial class StepKernels
{
    /// <summary>The L2 norm of each gradient in memory; what was pending there is written, or not yet known.</summary>
    private static void CombineSquares(StepMemory memory, ArrayView<double> shared, DecideArguments arguments)
    {
        for (int large = 0; large < memory.LargeParameters.IntLength; large++)
        {
            int i = memory.LargeParameters[large];
            if (i >= 0)
            {
                double sum = PartialsTogether(memory, shared, default(SquareTerm), memory.Places[i], 0);
                if (i % Group.DimX == Group.IdxX)
                {
                    memory.States[i].Norm = Math.Sqrt(sum);
                }
            }
        }

        for (int i = Group.IdxX; i < memory.Places.IntLength; i += Group.DimX)
        {
            ParameterPlace place = memory.Places[i];
            if (place.ChunkCount <= FewPartials)
            {
                memory.States[i].Norm = Math.Sqrt(Partials(memory, default(SquareTerm), place, 0));
            }

            bool isWritten = place.Set == arguments.Set && memory.States[i].IsPending(arguments.UnitsToo);
            if (arguments.IsFirst != 0 || isWritten)
            {
                memory.States[i].Coefficient = arguments.IsFirst != 0 ? arguments.Scale : 1.0;
                memory.States[i].Low = double.NegativeInfinity;
                memory.States[i].High = double.PositiveInfinity;
                memory.States[i].ScaledUnits = 0.0;
            }

            if (arguments.IsFirst != 0)
            {
                int row = arguments.Attempt % DeferredSteps.RecordCount * memory.Places.IntLength;
                double norm = memory.States[i].CurrentNorm;
                memory.Norms[row + i] = place.Set == ParameterPlace.NoGradient ? double.NaN : norm;
            }
        }
    }

    /// <summary>The norm of each gradient in memory in the stage's order.</summary>
    private static void CombineOrder(StepMemory memory, ArrayView<double> shared, DecideArguments arguments)
    {
        bool isLargest = arguments.CombinesOrder == 2 || arguments.Order > double.MaxValue;
        int chunks = arguments.ChunkCount;
        for (int large = 0; large < memory.LargeParameters.IntLength; large++)
        {
            int i = memory.LargeParameters[large];
            if (i >= 0)
            {
                double total = isLargest
                    ? PartialsTogether(memory, shared, default(LargestTerm), memory.Places[i], chunks)
                    : PartialsTogether(memory, shared, default(SquareTerm), memory.Places[i], chunks);
                if (i % Group.DimX == Group.IdxX)
                {
                    SetOrder(memory, arguments, i, total, isLargest);
                }
            }
        }

        for (int i = Group.IdxX; i < memory.Places.IntLength; i += Group.DimX)
        {
            ParameterPlace place = memory.Places[i];
            if (place.ChunkCount <= FewPartials)
            {
                double total = isLargest
                    ? Partials(memory, default(LargestTerm), place, chunks)
                    : Partials(memory, default(SquareTerm), place, chunks);
                SetOrder(memory, arguments, i, total, isLargest);
            }
        }
    }

    private static void SetOrder(StepMemory memory, DecideArguments arguments, int i, double total, bool isLargest)
    {
        if (isLargest)
        {
            memory.Largest[i] = (float)total;
            memory.States[i].StageNorm = total;
        }
        else if (arguments.Order == 1.0)
        {
            memory.States[i].StageNorm = total;
        }
        else
        {
            // Under another order StageNorm is the largest magnitude so far, which is the norm where it is 0 or not finite.
            double largest = memory.States[i].StageNorm;
            if (IsFinite(largest) && largest > 0.0)
            {
                memory.States[i].StageNorm = largest * DeviceMath.Power(total, 1.0 / arguments.Order);
            }
        }
    }

    private static double Partials<TTerm>(StepMemory memory, TTerm term, ParameterPlace place, int offset)
        where TTerm : struct, INormTerm
    {
        double total = 0.0;
        for (int chunk = 0; chunk < place.ChunkCount; chunk++)
        {
            total = term.Combine(total, memory.Partials[offset + place.FirstChunk + chunk]);
        }

        return total;
    }

    private static double PartialsTogether<TTerm>(
        StepMemory memory, ArrayView<double> shared, TTerm term, ParameterPlace place, int offset)
        where TTerm : struct, INormTerm
    {
        double total = 0.0;
        for (int chunk = Group.IdxX; chunk < place.ChunkCount; chunk += Group.DimX)
        {
            total = term.Combine(total, memory.Partials[offset + place.FirstChunk + chunk]);
        }

        return GroupSums.Combine(shared, term, total);
    }
}
