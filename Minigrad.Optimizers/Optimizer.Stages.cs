using Minigrad.Optimizers.Clipping;

namespace Minigrad.Optimizers;

/// <content>The clipping stages of all groups in the order in which they act, and what they remember.</content>
public abstract partial class Optimizer
{
    // Those of groups of their own come first, then those of all others, whose group is null.
    private readonly List<(ClipStage Stage, ParameterGroup? Group)> stages = [];
    private readonly List<(ClipStage Stage, ParameterGroup? Group)> named = [];
    private readonly List<(UpdateClip Clip, ParameterGroup? Group)> updateClips = [];
    private readonly List<(UpdateClip Clip, ParameterGroup? Group)> placed = [];
    private string[] stageNames = [];
    private UpdateClipPlaces updateClipPlaces = UpdateClipPlaces.None;

    /// <summary>Begins a step in each stage, also if no step comes of it.</summary>
    private void BeginStages()
    {
        ListStages();
        foreach ((ClipStage stage, _) in stages)
        {
            stage.History?.Begin(this);
        }

        RuleThreshold?.Begin(this);

        foreach ((UpdateClip clip, _) in updateClips)
        {
            clip.History.Begin(this);
        }
    }

    private void ListStages()
    {
        stages.Clear();
        for (int i = 0; i < Groups.Count; i++)
        {
            AddStages(Groups[i].Clip ?? [], Groups[i]);
        }

        AddStages(Clip, group: null);
        if (!named.SequenceEqual(stages))
        {
            foreach ((ClipStage stage, ParameterGroup? group) in stages)
            {
                stage.History?.CheckRoom(SeenBy(group));
            }

            named.Clear();
            named.AddRange(stages);
            stageNames = [.. stages.Select(entry => Named(entry.Group, $"{entry.Stage}"))];
        }

        ListUpdateClips();
    }

    private void ListUpdateClips()
    {
        updateClips.Clear();
        for (int i = 0; i < Groups.Count; i++)
        {
            AddUpdateClip(Groups[i].UpdateClip, Groups[i]);
        }

        AddUpdateClip(UpdateClip, group: null);
        if (!placed.SequenceEqual(updateClips))
        {
            placed.Clear();
            placed.AddRange(updateClips);
            updateClipPlaces = new UpdateClipPlaces(
                [.. updateClips.Select(entry => Named(entry.Group, $"update {entry.Clip}"))],
                [.. slots.Select(slot => updateClips.FindIndex(entry => slot.Group.UpdateClip is null ? entry.Group is null : entry.Group == slot.Group))]);
        }
    }

    private void AddUpdateClip(UpdateClip? clip, ParameterGroup? group)
    {
        if (clip is null)
        {
            return;
        }

        if (clip is { NeedsSecondMoment: true } && !HasSecondMoment)
        {
            throw new InvalidOperationException(WhyNoSecondMoment(clip));
        }

        foreach ((UpdateClip other, _) in updateClips)
        {
            if (clip.History.Remembers && ReferenceEquals(other, clip))
            {
                throw ListedTwice(clip);
            }
        }

        updateClips.Add((clip, group));
    }

    /// <summary>The clip of updates of a number, −1 for none.</summary>
    internal UpdateClip? UpdateClipAt(int number) => number < 0 ? null : updateClips[number].Clip;

    private void AddStages(IReadOnlyList<ClipStage> added, ParameterGroup? group)
    {
        for (int i = 0; i < added.Count; i++)
        {
            foreach ((ClipStage other, _) in stages)
            {
                if (added[i].History is { Remembers: true } && ReferenceEquals(other, added[i]))
                {
                    throw ListedTwice(added[i]);
                }
            }

            stages.Add((added[i], group));
        }
    }

    private InvalidOperationException ListedTwice(object stage) => new(
        $"{GetType().Name}: the stage {stage} remembers norms and is listed twice. Those of both places would mix in one history. Make a stage for each.");

    private string WhyNoSecondMoment(UpdateClip clip) =>
        $"{GetType().Name}.UpdateClip = {clip}: it compares each gradient with the running mean of its squares, and {GetType().Name} keeps no such mean. "
        + "Adam, AdamW, NAdam, RAdam, RmsProp, Adadelta and Spam do; UpdateClip.Rms and UpdateClip.Clippy work with every optimizer.";

    private string Named(ParameterGroup? group, string stage) => group is null ? stage : $"{NameOf(group)}: {stage}";

    private string NameOf(ParameterGroup group) =>
        group.Name ?? $"group {Groups.TakeWhile(other => other != group).Count()}";

    /// <summary>The histories of the listed stages, of the rule and of the clips of updates that remember something, each with the parameters that it sees.</summary>
    private IEnumerable<(ThresholdHistory History, IEnumerable<Tensor> Parameters)> Remembering() => stages
        .Where(entry => entry.Stage.History is { Remembers: true })
        .Select(entry => (entry.Stage.History!, SeenBy(entry.Group)))
        .Concat(RuleThreshold is { Remembers: true } own ? [(own, parameters)] : [])
        .Concat(updateClips
            .Where(entry => entry.Clip.History.Remembers)
            .Select(entry => (entry.Clip.History, Of(group => entry.Group is null ? group.UpdateClip is null : group == entry.Group))));

    /// <summary>The parameters whose gradients the stages of a group see; those of no group see all that have none of their own.</summary>
    private IEnumerable<Tensor> SeenBy(ParameterGroup? owner) => Of(group => owner is null ? group.Clip is null : group == owner);

    private IEnumerable<Tensor> Of(Func<ParameterGroup, bool> isMeant) =>
        slots.Where(slot => isMeant(slot.Group)).Select(slot => slot.Parameter);

    private void CheckStagesFit(OptimizerState state)
    {
        (ThresholdHistory History, IEnumerable<Tensor> Parameters)[] remembering = [.. Remembering()];
        bool fits = remembering.Length == state.Stages.Count
            && remembering.Zip(state.Stages).All(pair => pair.First.History.Fits(pair.Second, pair.First.Parameters));
        if (!fits)
        {
            throw new ArgumentException(
                $"Restore: the state is of the clipping stages [{string.Join(", ", state.Stages.Select(stage => stage.Stage))}] "
                + $"that remember something, but this {GetType().Name} has [{string.Join(", ", remembering.Select(entry => entry.History.Text))}], "
                + "over parameters that must have the same sizes, after a count of steps that is not negative. "
                + "Set Clip and UpdateClip to those that it was saved with before Restore; to begin new histories, restore without them and set them afterwards. (The threshold of Spam is set where it is made.)",
                nameof(state));
        }

        foreach (((ThresholdHistory history, _), StageState saved) in remembering.Zip(state.Stages))
        {
            history.CheckMemories(
                saved,
                nameof(Restore),
                "to begin new histories, restore state with { Stages = [] } before Clip and UpdateClip are set. "
                + "(The threshold of Spam is set where it is made.)");
        }
    }
}
