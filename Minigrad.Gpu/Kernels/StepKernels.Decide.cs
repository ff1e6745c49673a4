using ILGPU;
using Minigrad.Backends;
using Minigrad.Operations;

namespace Minigrad.Gpu.Kernels;

/// <content>What one launch decides: the norm of a set, what a stage makes of it, and whether the step is made.</content>
internal static partial class StepKernels
{
    /// <summary>Combines partial results, decides one stage, and at the end of a step whether it is made.</summary>
    public static void Decide<TDecision, TRule>(
        StepMemory memory, ArrayView<double> remembered, TDecision decision, TRule rule, DecideArguments arguments)
        where TDecision : unmanaged, IClipDecision
        where TRule : unmanaged, IThresholdRule
    {
        ArrayView<double> shared = SharedMemory.Allocate<double>(GroupTree.Capacity);
        int place = arguments.Attempt % DeferredSteps.RecordCount;
        StepRecord record = memory.Records[place];
        if (arguments.IsFirst != 0)
        {
            record = Successor(memory.Records[arguments.Predecessor], arguments.Attempt);
            arguments.Scale = arguments.IsLossScaled != 0 ? arguments.Scale / record.LossScale : arguments.Scale;
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

            record = NoteNotFinite(memory, shared, arguments, record);
        }

        if (arguments.CombinesOrder != 0)
        {
            CombineOrder(memory, shared, arguments);
        }

        if (arguments.CombinesUnits != 0)
        {
            record.Scalings += CombineUnits(memory, shared, arguments, record.Outcome);
        }
        else
        {
            record = Apply(memory, remembered, shared, arguments, record, decision, rule);
        }

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
        record.LossScale = before.NextLossScale;
        record.NextLossScale = before.NextLossScale;
        record.GoodSteps = before.GoodSteps;
        return record;
    }

    private static bool IsInSet(ParameterPlace place, int set) =>
        place.Set == set || (set == AllSets && place.Set != ParameterPlace.NoGradient);

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
    private static StepRecord Apply<TDecision, TRule>(
        StepMemory memory,
        ArrayView<double> remembered,
        ArrayView<double> shared,
        DecideArguments arguments,
        StepRecord record,
        TDecision decision,
        TRule rule)
        where TDecision : unmanaged, IClipDecision
        where TRule : unmanaged, IThresholdRule
    {
        ThresholdSeries<TRule> series = new(rule);
        int isStage = arguments.Order == 2.0 ? 0 : 1;
        double total = Combined(memory, shared, arguments.Order, arguments.Set, isStage);
        bool acts = record.Outcome == 0.0;
        double scalings = 0.0;
        StageRecord stage = default;
        stage.Norm = decision.IsCommon ? decision.Measure<DeviceMath>(total, 1.0) : 0.0;
        stage.Threshold = decision.IsCommon
            ? series.Threshold<DeviceMath, DeviceThresholdMemory>(stage.Norm, stage.Norm, new DeviceThresholdMemory(remembered, 0))
            : double.PositiveInfinity;
        stage.Coefficient = decision.IsCommon ? decision.Factor(stage.Norm, stage.Threshold) : 1.0;
        double common = stage.Coefficient;
        for (int i = Group.IdxX; i < memory.Places.IntLength; i += Group.DimX)
        {
            if (IsInSet(memory.Places[i], arguments.Set))
            {
                GradientState state = memory.States[i];
                double norm = NormOf(state, isStage);
                double threshold = stage.Threshold;
                double factor = common;
                if (!decision.IsCommon)
                {
                    double measure = decision.Measure<DeviceMath>(norm, memory.Places[i].Length);
                    threshold = series.Threshold<DeviceMath, DeviceThresholdMemory>(
                        measure, decision.Together(measure, total), new DeviceThresholdMemory(remembered, i * series.Length));
                    factor = decision.Factor(measure, threshold);
                    stage = With(stage, measure, threshold, factor);
                }

                double low = decision.Low(norm, threshold);
                double high = decision.High(norm, threshold);

                // A stage writes what is pending before it reads, so a gradient has the bound of one stage at a time. Whether an
                // element has passed it shows when the gradient is read.
                bool isBounded = low > double.NegativeInfinity || high < double.PositiveInfinity;
                if (acts && isBounded)
                {
                    memory.States[i].BoundStage = arguments.StageNumber;
                }

                if (acts)
                {
                    memory.States[i].Coefficient = state.Coefficient * factor;
                    memory.States[i].Low = low > state.Low ? low : state.Low;
                    memory.States[i].High = high < state.High ? high : state.High;
                }

                scalings += acts && factor != 1.0 ? 1.0 : 0.0;
                stage.Acted += factor != 1.0 ? 1.0 : 0.0;
            }
        }

        record.Scalings += GroupSums.Sum(shared, scalings);
        if (acts && arguments.Set == SharedSet)
        {
            record.Coefficient *= common;
        }

        NoteStage(memory, shared, arguments, stage);
        return record;
    }

    /// <summary>A stage's record with one comparison more. NaN wins over every number.</summary>
    private static StageRecord With(StageRecord stage, double norm, double threshold, double coefficient)
    {
        LargestTerm largest = default;
        stage.Norm = largest.Combine(stage.Norm, norm);
        stage.Threshold = -largest.Combine(-stage.Threshold, -threshold);
        stage.Coefficient = -largest.Combine(-stage.Coefficient, -coefficient);
        return stage;
    }

    /// <summary>Combines what each thread has noted of a stage.</summary>
    private static void NoteStage(StepMemory memory, ArrayView<double> shared, DecideArguments arguments, StageRecord stage)
    {
        stage.Norm = GroupSums.Largest(shared, stage.Norm);
        stage.Threshold = GroupSums.Smallest(shared, stage.Threshold);
        stage.Coefficient = GroupSums.Smallest(shared, stage.Coefficient);
        stage.Acted = GroupSums.Sum(shared, stage.Acted);
        if (Group.IdxX == 0 && arguments.StagePlace >= 0)
        {
            memory.Stages[arguments.StagePlace] = stage;
        }
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
                bounds += state.HasBounds ? 1.0 : 0.0;
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
            if (arguments.Bad == (int)BadGradients.Skip || record.Outcome == (double)StepOutcome.Overflow)
            {
                record.SkippedSteps += 1.0;
                record.ConsecutiveSkips += 1.0;
                record.GoodSteps = 0.0;
            }
            else
            {
                record.StoppedAt = arguments.Attempt;
            }
        }

        return WithNextLossScale(memory, arguments, record);
    }

    /// <summary>Lets a dynamic loss scale follow what became of the step.</summary>
    private static StepRecord WithNextLossScale(StepMemory memory, DecideArguments arguments, StepRecord record)
    {
        if (arguments.LossScaling.IsDynamic)
        {
            if (record.Outcome == 0.0)
            {
                record.NextLossScale = arguments.LossScaling.AfterStep(record.LossScale, ref record.GoodSteps);
            }
            else if (record.Outcome == (double)StepOutcome.Overflow)
            {
                record.NextLossScale = arguments.LossScaling.AfterOverflow(record.LossScale);
            }

            if (Group.IdxX == 0)
            {
                memory.LossScale[0] = (float)record.NextLossScale;
            }
        }

        return record;
    }
}
