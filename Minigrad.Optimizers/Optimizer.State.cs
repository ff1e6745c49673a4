using Minigrad.Backends;
using Minigrad.Optimizers.Clipping;

namespace Minigrad.Optimizers;

/// <content>What an optimizer remembers, taken and restored.</content>
public abstract partial class Optimizer
{
    /// <summary>
    /// A copy of everything that is remembered, by the clipping stages too, with rate and decay. <see cref="Restore"/> continues
    /// from it to the same bits, in an optimizer that was made with the same settings: those of its rule (momentum, betas), its
    /// clips and its policies are the program's, and are not part of it.
    /// </summary>
    /// <exception cref="InvalidOperationException">
    /// A stage or a clip of updates that remembers is listed twice, or would remember more of a parameter than an array holds, or a group
    /// has an <see cref="UpdateClip"/> that needs a mean square which the optimizer does not keep.
    /// </exception>
    public OptimizerState State()
    {
        LearnUpdates();
        ListStages();
        return new OptimizerState(
            GetType().Name,
            StepCount,
            SkippedSteps,
            ConsecutiveSkips,
            LearningRate,
            WeightDecay,
            [.. Groups.Select(group => new GroupState(group.LearningRate, group.WeightDecay))],
            [.. slots.Select((slot, i) => new ParameterState(
                NonFiniteGradients.NameOf(slot.Parameter, i), slot.Step, [.. slot.State.Take(slot.Step == 0 ? 0 : StateCount).Select(ParameterSlot.Download)]))])
        {
            Stages = [.. Remembering().Select(entry => entry.History.State(entry.Parameters))],
            LossScale = ScaleState(),
        };
    }

    /// <summary>Restores what <see cref="State"/> gave, or nothing if it does not fit.</summary>
    /// <param name="state">The state of an optimizer of the same kind, over parameters of the same sizes in the same order.</param>
    /// <exception cref="ArgumentException">It does not fit; the message says where.</exception>
    /// <exception cref="InvalidOperationException">
    /// A stage or a clip of updates that remembers is listed twice, or would remember more of a parameter than an array holds, or a group
    /// has an <see cref="UpdateClip"/> that needs a mean square which the optimizer does not keep.
    /// </exception>
    public void Restore(OptimizerState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        CheckFits(state);
        ListStages();
        CheckStagesFit(state);
        IReadOnlyList<Storage>[] restored = [.. slots.Select((slot, i) =>
            (IReadOnlyList<Storage>)[.. state.Parameters[i].Slots.Select(values => ParameterSlot.Upload(values, slot.Parameter.Backend))])];

        // Of these steps nobody else would have the reports read.
        deferred?.ReadWaiting();

        // Nothing throws from here on.
        ForgetDevice();
        (StepCount, SkippedSteps, ConsecutiveSkips) = (state.Step, state.SkippedSteps, state.ConsecutiveSkips);
        (LearningRate, WeightDecay) = (state.LearningRate, state.WeightDecay);
        RestoreScale(state.LossScale);
        for (int i = 0; i < Groups.Count; i++)
        {
            (Groups[i].LearningRate, Groups[i].WeightDecay) = (state.Groups[i].LearningRate, state.Groups[i].WeightDecay);
        }

        for (int i = 0; i < slots.Count; i++)
        {
            slots[i].Step = state.Parameters[i].Step;
            slots[i].State = restored[i];
        }

        foreach (((ThresholdHistory history, IEnumerable<Tensor> seen), StageState saved) in Remembering().Zip(state.Stages))
        {
            history.Restore(saved, seen);
        }
    }

    private void CheckFits(OptimizerState state)
    {
        CheckIsWhole(state);
        if (Math.Min(state.Step, Math.Min(state.SkippedSteps, state.ConsecutiveSkips)) < 0)
        {
            throw new ArgumentException(
                $"Restore: the state counts {state.Step} steps, {state.SkippedSteps} skipped and {state.ConsecutiveSkips} skipped in a row; a count is not negative.", nameof(state));
        }

        if (Math.Max(state.Step, state.SkippedSteps) == int.MaxValue)
        {
            throw new ArgumentException(
                $"Restore: the state counts {state.Step} steps and {state.SkippedSteps} skipped, after which there is no number for a next one. Was it damaged?", nameof(state));
        }

        CheckNotNegative(state.LearningRate, nameof(LearningRate));
        CheckNotNegative(state.WeightDecay, nameof(WeightDecay));
        if (state.LossScale is { } saved && !(saved.Scale >= 1 && float.IsFinite((float)saved.Scale) && saved.GoodSteps >= 0))
        {
            throw new ArgumentException(
                $"Restore: the state has a loss scale of {saved.Scale} after {saved.GoodSteps} good steps; a scale is at least 1 and finite, and a count is not negative.", nameof(state));
        }

        if (state.LossScale is { } unused && LossScaling is not { IsDynamic: true })
        {
            throw new ArgumentException(
                $"Restore: the state has a dynamic loss scale of {unused.Scale:g}, but LossScaling of this {GetType().Name} is {(object?)LossScaling ?? "null"}. Set it to LossScaling.Dynamic before Restore; to go on without, restore state with {{ LossScale = null }}.", nameof(state));
        }

        if (state.Optimizer != GetType().Name)
        {
            throw new ArgumentException($"Restore: the state is from {state.Optimizer}, but this is {GetType().Name}.", nameof(state));
        }

        if (state.Parameters.Count != slots.Count || state.Groups.Count != Groups.Count)
        {
            throw new ArgumentException(
                $"Restore: the state has {state.Parameters.Count} parameters in {state.Groups.Count} groups, but this {GetType().Name} has {slots.Count} in {Groups.Count}.", nameof(state));
        }

        for (int i = 0; i < Groups.Count; i++)
        {
            Groups[i].Check(state.Groups[i].LearningRate, nameof(LearningRate));
            Groups[i].Check(state.Groups[i].WeightDecay, nameof(WeightDecay));
        }

        CheckOrder(state);
        for (int i = 0; i < slots.Count; i++)
        {
            ParameterState parameter = state.Parameters[i];
            if (parameter.Step < 0 || parameter.Step > state.Step)
            {
                throw new ArgumentException(
                    $"Restore: the state counts {parameter.Step} updates of '{parameter.Name}' in {state.Step} steps; a count is not negative, and a step updates a parameter once.", nameof(state));
            }

            bool fits = parameter.Slots.Count == (parameter.Step == 0 ? 0 : StateCount)
                && parameter.Slots.All(values => values.Length == slots[i].Parameter.Length);
            if (!fits)
            {
                throw new ArgumentException(
                    $"Restore: the state of '{parameter.Name}' does not fit parameter {i}, '{NonFiniteGradients.NameOf(slots[i].Parameter, i)}' of shape {slots[i].Parameter.Shape}: "
                    + $"it has {parameter.Slots.Count} slots of {(parameter.Slots.Count > 0 ? parameter.Slots[0].Length : 0)} numbers where {StateCount} of {slots[i].Parameter.Length} are needed.", nameof(state));
            }
        }
    }

    /// <summary>Of parameters of one size nothing but their names tells that they have changed places. Other names alone are no fault: a model may be part of another by now.</summary>
    private void CheckOrder(OptimizerState state)
    {
        string[] own = [.. slots.Select((slot, i) => NonFiniteGradients.NameOf(slot.Parameter, i))];
        string[] saved = [.. state.Parameters.Select(parameter => parameter.Name)];
        int place = own.Zip(saved).TakeWhile(names => names.First == names.Second).Count();
        if (place < own.Length && own.Order(StringComparer.Ordinal).SequenceEqual(saved.Order(StringComparer.Ordinal)))
        {
            throw new ArgumentException(
                $"Restore: the state has the same parameters in another order: parameter {place} is '{saved[place]}' there, and '{own[place]}' here. Give the {GetType().Name} its parameters in the order in which they were saved.", nameof(state));
        }
    }

    /// <summary>What a serializer did not find is null.</summary>
    private static void CheckIsWhole(OptimizerState state)
    {
        string? missing =
            state.Groups is null || state.Groups.Contains(null!) ? nameof(state.Groups)
            : state.Parameters is null || state.Parameters.Any(parameter => parameter is null) ? nameof(state.Parameters)
            : state.Parameters.Any(parameter => parameter.Slots is null || parameter.Slots.Contains(null!)) ? nameof(ParameterState.Slots)
            : state.Stages is null || state.Stages.Contains(null!) ? nameof(state.Stages)
            : state.Stages.Any(stage => stage.Memories is null || stage.Memories.Contains(null!)) ? nameof(StageState.Memories)
            : null;
        if (missing is not null)
        {
            throw new ArgumentException(
                $"Restore: in the state {missing} is null, or holds something that is. Was it written by another program, or read under other names?", nameof(state));
        }
    }
}
