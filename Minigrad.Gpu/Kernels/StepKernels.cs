using ILGPU;
using Minigrad.Backends;
using Minigrad.Numerics;
using Minigrad.Operations;

namespace Minigrad.Gpu.Kernels;

/// <summary>
/// An optimizer's step without the host. <see cref="Measure"/> reads each gradient once and leaves a partial norm for each
/// chunk. <see cref="Decide"/>, one group of threads, combines them in a fixed order, applies a clipping stage's formula to
/// what is known of each gradient, and settles whether the step is made. <see cref="Update"/> streams over gradient,
/// parameter and state once, unless the step is withheld.
/// </summary>
/// <remarks>
/// In <see cref="Decide"/> a thread touches the states of its own parameters only (every <see cref="Group.DimX"/>-th), and
/// threads meet in shared memory, so nothing depends on when one thread sees what another wrote to global memory.
/// </remarks>
internal static class StepKernels
{
    /// <summary>The set of all gradients.</summary>
    public const int AllSets = -1;

    /// <summary>The set whose common factor is the step's coefficient.</summary>
    public const int SharedSet = 0;

    /// <summary>The largest number of partial results that one thread combines alone.</summary>
    public const int FewPartials = 32;

    /// <summary>The partial norm of each chunk as it is in memory.</summary>
    public static void Measure<TTerm>(
        StepMemory memory, GradientWindow gradients, TTerm term, GradientReading reading, int firstChunk, int target)
        where TTerm : struct, INormTerm
    {
        ArrayView<double> shared = SharedMemory.Allocate<double>(GroupTree.Capacity);
        int index = firstChunk + Grid.IdxX;
        Chunk chunk = memory.Chunks[index];
        ArrayView<float> x = gradients[chunk.View];
        double total = 0.0;
        for (int i = Group.IdxX; i < chunk.Length; i += Group.DimX)
        {
            total = term.Combine(total, term.Term(reading.Plain(x[chunk.Start + i]), chunk.Parameter));
        }

        total = GroupSums.Combine(shared, term, total);
        if (Group.IdxX == 0)
        {
            memory.Partials[target + index] = total;
        }

        // No finite gradient gives such a sum, so looking for what is wrong costs nothing as long as nothing is.
        if (!IsFinite(total))
        {
            FindFaults(memory, shared, x, chunk, index);
        }
    }

    /// <summary>The partial L2 norm of each chunk as the update reads it.</summary>
    public static void MeasureScaled(
        StepMemory memory, GradientWindow gradients, GradientReading reading, int firstChunk, int target)
    {
        ArrayView<double> shared = SharedMemory.Allocate<double>(GroupTree.Capacity);
        int index = firstChunk + Grid.IdxX;
        Chunk chunk = memory.Chunks[index];
        ArrayView<float> x = gradients[chunk.View];
        GradientState state = memory.States[chunk.Parameter];
        SquareTerm term = default;
        double total = 0.0;
        for (int i = Group.IdxX; i < chunk.Length; i += Group.DimX)
        {
            int element = chunk.Start + i;
            total = term.Combine(total, term.Term(Scaled(memory, state, chunk, reading, x, element).Value, 0));
        }

        total = GroupSums.Combine(shared, term, total);
        if (Group.IdxX == 0)
        {
            memory.Partials[target + index] = total;
        }
    }

    /// <summary>Writes to memory what is pending, of the gradients of a set for which a stage asks for it.</summary>
    public static void Write(
        StepMemory memory, GradientWindow gradients, GradientReading reading, int firstChunk, int set, int unitsToo)
    {
        Chunk chunk = memory.Chunks[firstChunk + Grid.IdxX];
        GradientState state = memory.States[chunk.Parameter];
        bool isMeant = memory.Places[chunk.Parameter].Set == set && memory.Records[reading.Record].Outcome == 0.0;
        if (isMeant && state.IsPending(unitsToo))
        {
            ArrayView<float> x = gradients[chunk.View];
            for (int i = Group.IdxX; i < chunk.Length; i += Group.DimX)
            {
                int element = chunk.Start + i;
                x[element] = Scaled(memory, state, chunk, reading, x, element).Value;
            }
        }
    }

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

    /// <summary>Combines partial results, decides one stage, and at the end of a step whether it is made.</summary>
    public static void Decide<TDecision>(StepMemory memory, TDecision decision, DecideArguments arguments)
        where TDecision : unmanaged, IClipDecision
    {
        ArrayView<double> shared = SharedMemory.Allocate<double>(GroupTree.Capacity);
        int place = arguments.Attempt % DeferredSteps.RecordCount;
        StepRecord record = memory.Records[place];
        if (arguments.IsFirst != 0)
        {
            record = Successor(memory.Records[(arguments.Attempt - 1) % DeferredSteps.RecordCount], arguments.Attempt);
        }

        if (arguments.IsFirst != 0 || arguments.IsWritten != 0)
        {
            CombineSquares(memory, shared, arguments);
        }

        if (arguments.IsFirst != 0)
        {
            record.Norm = Combined(memory, shared, 2.0, AllSets, 0);
            if (record.StoppedAt > arguments.Acknowledged)
            {
                record.Outcome = (double)StepOutcome.Stopped;
            }

            record = NoteBad(memory, shared, arguments, record, double.MaxValue, (double)StepOutcome.NotFinite);
        }

        if (arguments.CombinesOrder != 0)
        {
            CombineOrder(memory, shared, arguments);
        }

        if (arguments.CombinesUnits != 0)
        {
            record.Scalings += CombineUnits(memory, shared, arguments, record.Outcome);
        }

        record = Apply(memory, shared, arguments, record, decision);
        if (arguments.IsLast != 0)
        {
            record = NoteBad(memory, shared, arguments, record, arguments.LargestUsable, (double)StepOutcome.TooLarge);
            record = Finish(memory, shared, arguments, record);
        }

        if (Group.IdxX == 0)
        {
            memory.Records[place] = record;
        }
    }

    /// <summary>Updates the parameters of a chunk, unless the step is withheld.</summary>
    public static void Update<TStep, TRule>(
        StepMemory memory,
        GradientWindow gradients,
        ParameterMemory parameters,
        TStep step,
        GradientReading reading,
        int firstChunk)
        where TStep : unmanaged, IStepRule<TRule>
        where TRule : unmanaged, IUpdateRule
    {
        ArrayView<TRule> shared = SharedMemory.Allocate<TRule>(1);
        if (memory.Records[reading.Record].Outcome > 0.0)
        {
            return;
        }

        Chunk chunk = memory.Chunks[firstChunk + Grid.IdxX];
        GradientState state = memory.States[chunk.Parameter];
        if (Group.IdxX == 0)
        {
            // All chunks of a parameter make the same rule. None reads what it writes: odd and even updates take turns.
            bool isEven = ((int)state.Updates & 1) == 0;
            double carried = isEven ? state.OddMemory : state.EvenMemory;
            shared[0] = step.At<DeviceMath>(state.Updates, ref carried);
            if (isEven)
            {
                memory.States[chunk.Parameter].EvenMemory = carried;
            }
            else
            {
                memory.States[chunk.Parameter].OddMemory = carried;
            }
        }

        Group.Barrier();
        TRule rule = shared[0];
        ArrayView<float> x = gradients[chunk.View];
        for (int i = Group.IdxX; i < chunk.Length; i += Group.DimX)
        {
            int element = chunk.Start + i;
            UpdateKernels.Update(
                rule,
                Scaled(memory, state, chunk, reading, x, element),
                parameters,
                chunk.ParameterOffset + element,
                chunk.StateOffset + element);
        }
    }

    private static bool IsFinite(double x) => !double.IsNaN(x) && x <= double.MaxValue;

    private static Scalar Scaled(
        StepMemory memory, GradientState state, Chunk chunk, GradientReading reading, ArrayView<float> x, int element)
    {
        (float first, float second) = GradientScale.Split(state.Coefficient);
        if (state.ScaledUnits > 0.0)
        {
            int unit = chunk.FirstUnit + (element / chunk.UnitLength);
            first *= memory.UnitFactors[2 * unit];
            second *= memory.UnitFactors[(2 * unit) + 1];
        }

        return reading.Scaled(x[element], first, second, (float)state.Bound);
    }

    private static void FindFaults(
        StepMemory memory, ArrayView<double> shared, ArrayView<float> x, Chunk chunk, int index)
    {
        double first = chunk.Length;
        double count = 0.0;
        for (int i = Group.IdxX; i < chunk.Length; i += Group.DimX)
        {
            if (!float.IsFinite(x[chunk.Start + i]))
            {
                first = first < i ? first : i;
                count += 1.0;
            }
        }

        first = GroupSums.Smallest(shared, first);
        count = GroupSums.Sum(shared, count);
        if (Group.IdxX == 0)
        {
            memory.Faults[3 * index] = chunk.Start + first;
            memory.Faults[(3 * index) + 1] = x[chunk.Start + (int)first];
            memory.Faults[(3 * index) + 2] = count;
        }
    }

    /// <summary>A record that has only the counts of the one before it.</summary>
    private static StepRecord Successor(StepRecord before, int attempt)
    {
        StepRecord record = default;
        record.Attempt = attempt;
        record.Coefficient = 1.0;
        record.StepCount = before.StepCount;
        record.SkippedSteps = before.SkippedSteps;
        record.ConsecutiveSkips = before.ConsecutiveSkips;
        record.StoppedAt = before.StoppedAt;
        return record;
    }

    private static bool IsInSet(ParameterPlace place, int set) =>
        place.Set == set || (set == AllSets && place.Set != ParameterPlace.NoGradient);

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
                memory.States[i].Bound = double.PositiveInfinity;
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
            if (largest > 0.0 && largest <= double.MaxValue)
            {
                memory.States[i].StageNorm = largest * DeviceMath.Power(total, 1.0 / arguments.Order);
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

    /// <summary>A gradient's norm as it is now: in L2, or, if <paramref name="isStage"/>, in the stage's order.</summary>
    private static double NormOf(GradientState state, int isStage) =>
        isStage != 0 ? state.Coefficient * state.StageNorm : state.CurrentNorm;

    /// <summary>The norm of the gradients of a set together.</summary>
    private static double Combined(StepMemory memory, ArrayView<double> shared, double order, int set, int isStage)
    {
        double largest = 0.0;
        for (int i = Group.IdxX; i < memory.Places.IntLength; i += Group.DimX)
        {
            if (IsInSet(memory.Places[i], set))
            {
                double norm = NormOf(memory.States[i], isStage);
                if (!double.IsNaN(norm))
                {
                    largest = largest > norm ? largest : norm;
                }
            }
        }

        largest = GroupSums.Largest(shared, largest);
        CombinedNorm combined = new(order);
        bool isLargest = combined.IsLargest(largest);
        double sum = 0.0;
        for (int i = Group.IdxX; i < memory.Places.IntLength; i += Group.DimX)
        {
            if (IsInSet(memory.Places[i], set))
            {
                double norm = NormOf(memory.States[i], isStage);
                if (double.IsNaN(norm))
                {
                    sum = norm;
                }
                else if (!isLargest)
                {
                    sum += combined.Term<DeviceMath>(norm, largest);
                }
            }
        }

        sum = GroupSums.Sum(shared, sum);
        if (double.IsNaN(sum))
        {
            return sum;
        }

        return isLargest ? largest : combined.Of<DeviceMath>(sum, largest);
    }

    /// <summary>Applies the stage's formula to each gradient of its set; to none in a step that is not made, as on the host.</summary>
    private static StepRecord Apply<TDecision>(
        StepMemory memory, ArrayView<double> shared, DecideArguments arguments, StepRecord record, TDecision decision)
        where TDecision : unmanaged, IClipDecision
    {
        int isStage = arguments.Order == 2.0 ? 0 : 1;
        double common = decision.Common(Combined(memory, shared, arguments.Order, arguments.Set, isStage));
        bool acts = record.Outcome == 0.0;
        double scalings = 0.0;
        for (int i = Group.IdxX; i < memory.Places.IntLength; i += Group.DimX)
        {
            if (acts && IsInSet(memory.Places[i], arguments.Set))
            {
                GradientState state = memory.States[i];
                double norm = NormOf(state, isStage);
                double factor = common * decision.Own(norm);
                double bound = decision.Bound(norm);
                memory.States[i].Coefficient = state.Coefficient * factor;
                memory.States[i].Bound = bound < state.Bound ? bound : state.Bound;
                scalings += factor == 1.0 ? 0.0 : 1.0;
            }
        }

        record.Scalings += GroupSums.Sum(shared, scalings);
        if (acts && arguments.Set == SharedSet)
        {
            record.Coefficient *= common;
        }

        return record;
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
        bool isBad = double.IsNaN(norm) || (norm > limit && state.Bound > limit);
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
                if (record.BadElements == 0.0)
                {
                    record.BadElement = memory.Faults[3 * chunk];
                    record.BadValue = memory.Faults[(3 * chunk) + 1];
                }

                record.BadElements += memory.Faults[(3 * chunk) + 2];
            }
        }

        return record;
    }

    /// <summary>Counts the step, if it is made, and settles its record.</summary>
    private static StepRecord Finish(StepMemory memory, ArrayView<double> shared, DecideArguments arguments, StepRecord record)
    {
        record.ClippedNorm = Combined(memory, shared, 2.0, AllSets, 0);
        bool isMade = record.Outcome == 0.0;
        double bounds = 0.0;
        double zeroed = 0.0;
        for (int i = Group.IdxX; i < memory.Places.IntLength; i += Group.DimX)
        {
            if (memory.Places[i].Set != ParameterPlace.NoGradient)
            {
                GradientState state = memory.States[i];
                bounds += state.Bound > double.MaxValue ? 0.0 : 1.0;
                if (arguments.Bad == (int)BadGradients.ReadAsZero && IsBad(memory, i, arguments.LargestUsable))
                {
                    zeroed += 1.0;
                }

                if (isMade)
                {
                    memory.States[i].Updates = state.Updates + 1.0;
                }
            }
        }

        record.Bounds = GroupSums.Sum(shared, bounds);
        record.Zeroed = GroupSums.Sum(shared, zeroed);
        if (isMade)
        {
            record.StepCount += 1.0;
            record.ConsecutiveSkips = 0.0;
        }
        else if (record.Outcome < (double)StepOutcome.Stopped)
        {
            if (arguments.Bad == (int)BadGradients.Skip)
            {
                record.SkippedSteps += 1.0;
                record.ConsecutiveSkips += 1.0;
            }
            else
            {
                record.StoppedAt = arguments.Attempt;
            }
        }

        return record;
    }
}
