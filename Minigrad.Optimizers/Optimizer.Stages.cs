using Minigrad.Optimizers.Clipping;

namespace Minigrad.Optimizers;

/// <content>The clipping stages of all groups in the order in which they act, and what they remember.</content>
public abstract partial class Optimizer
{
    // Those of groups of their own come first, then those of all others, whose group is null.
    private readonly List<(ClipStage Stage, ParameterGroup? Group)> stages = [];
    private readonly List<(ClipStage Stage, ParameterGroup? Group)> named = [];
    private string[] stageNames = [];

    /// <summary>Begins a step in each stage, also if no step comes of it.</summary>
    private void BeginStages()
    {
        ListStages();
        foreach ((ClipStage stage, _) in stages)
        {
            stage.Begin(this);
        }
    }

    private void ListStages()
    {
        stages.Clear();
        foreach (ParameterGroup group in Groups)
        {
            AddStages(group.Clip ?? [], group);
        }

        AddStages(Clip, group: null);
        if (!named.SequenceEqual(stages))
        {
            named.Clear();
            named.AddRange(stages);
            stageNames = [.. stages.Select(entry => entry.Group is null ? $"{entry.Stage}" : $"{NameOf(entry.Group)}: {entry.Stage}")];
        }
    }

    private void AddStages(IReadOnlyList<ClipStage> added, ParameterGroup? group)
    {
        for (int i = 0; i < added.Count; i++)
        {
            if (added[i].Remembers && stages.Exists(entry => ReferenceEquals(entry.Stage, added[i])))
            {
                throw new InvalidOperationException(
                    $"{GetType().Name}: the stage {added[i]} remembers norms and is listed twice. Those of both places would mix in one history. Make a stage for each.");
            }

            stages.Add((added[i], group));
        }
    }

    private string NameOf(ParameterGroup group) =>
        group.Name ?? $"group {Groups.TakeWhile(other => other != group).Count()}";

    /// <summary>The listed stages that remember something, each with the parameters that it sees.</summary>
    private IEnumerable<(ClipStage Stage, IEnumerable<Tensor> Parameters)> Remembering() => stages
        .Where(entry => entry.Stage.Remembers)
        .Select(entry => (entry.Stage, slots.Where(slot => IsSeen(slot.Group, entry.Group)).Select(slot => slot.Parameter)));

    private static bool IsSeen(ParameterGroup group, ParameterGroup? by) => by is null ? group.Clip is null : group == by;

    private void CheckStagesFit(OptimizerState state)
    {
        (ClipStage Stage, IEnumerable<Tensor> Parameters)[] remembering = [.. Remembering()];
        bool fits = remembering.Length == state.Stages.Count
            && remembering.Zip(state.Stages).All(pair => pair.First.Stage.Fits(pair.Second, pair.First.Parameters));
        if (!fits)
        {
            throw new ArgumentException(
                $"Restore: the state is of the clipping stages [{string.Join(", ", state.Stages.Select(stage => stage.Stage))}] that remember something, but this {GetType().Name} has [{string.Join(", ", remembering.Select(entry => $"{entry.Stage}"))}], over parameters that must have the same sizes. "
                + "Set Clip to the stages that it was saved with before Restore; to begin new histories, restore without them and set Clip afterwards.",
                nameof(state));
        }
    }
}
