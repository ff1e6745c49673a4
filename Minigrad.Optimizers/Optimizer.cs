using System.Runtime.InteropServices;
using Minigrad.Backends;
using Minigrad.Optimizers.Clipping;

namespace Minigrad.Optimizers;

/// <summary>
/// Moves parameters along their gradients. <see cref="Step"/> runs one pipeline whose order cannot be got wrong: unscale,
/// average, measure, deal with NaN and infinities, clip in the order given, decay weights, clip the update, update.
/// </summary>
/// <remarks>
/// <para>Unscaling, averaging and norm clipping touch no memory: they leave one factor that the update reads as it
/// streams over gradient and state. After a step <see cref="Tensor.Gradient"/> still holds the gradient as backward left
/// it; a stage that has to write (a norm after a value clip) writes to a copy, which the optimizer keeps for the steps that follow.</para>
/// <para>An optimizer of your own: write a rule (a <c>public readonly struct</c> that implements
/// <see cref="Operations.IUpdateRule"/>), derive from this class, and apply the rule in <see cref="Update"/>.</para>
/// </remarks>
public abstract partial class Optimizer
{
    private readonly List<ParameterSlot> slots = [];
    private readonly List<UpdateTarget> targets = [];
    private readonly Tensor[] parameters;

    // Used by each step anew, so that a step allocates next to nothing.
    private readonly GradientSet all = new();
    private readonly GradientSet shared = new();
    private readonly GradientSet[] own;
    private StageReport[] measured = [];
    private StageMeasurement[] updatesMeasured = [];
    private StageMeasurement ruleMeasured;
    private double[]? updateCoefficients;
    private bool[] clamped = [];
    private int takenUpdates;

    /// <summary>An optimizer of groups of parameters.</summary>
    /// <param name="groups">The groups, with at least one parameter among them.</param>
    /// <param name="learningRate">The learning rate η of groups that have no own, not negative.</param>
    /// <exception cref="ArgumentException">There is no parameter, a group is null, or a parameter is given twice, asks for no gradient or is the result of an operation.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The learning rate is negative or not finite.</exception>
    protected Optimizer(IEnumerable<ParameterGroup> groups, double learningRate)
    {
        ArgumentNullException.ThrowIfNull(groups);
        Groups = [.. groups];
        HashSet<Tensor> seen = [];
        for (int i = 0; i < Groups.Count; i++)
        {
            ParameterGroup group = Groups[i] ?? throw new ArgumentException($"{GetType().Name}: group {i} is null.", nameof(groups));
            foreach (Tensor parameter in group.Parameters)
            {
                AddParameter(group, parameter, seen);
            }
        }

        if (slots.Count == 0)
        {
            throw new ArgumentException(
                $"{GetType().Name} was given no parameters. Pass model.Parameters, after the model's layers were created.", nameof(groups));
        }

        parameters = [.. slots.Select(slot => slot.Parameter)];
        own = [.. Groups.Select(_ => new GradientSet())];
        LearningRate = learningRate;
    }

    /// <summary>The groups, in order.</summary>
    public IReadOnlyList<ParameterGroup> Groups { get; }

    /// <summary>The learning rate η of all groups that have no own. A schedule sets it.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is negative or not finite.</exception>
    public double LearningRate
    {
        get;
        set => field = CheckNotNegative(value, nameof(LearningRate));
    }

    /// <summary>The weight decay λ of all groups that have no own: added to the gradient as λ · p, or decoupled where the optimizer says so.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is negative or not finite.</exception>
    public double WeightDecay
    {
        get;
        set => field = CheckNotNegative(value, nameof(WeightDecay));
    }

    /// <summary>The clipping stages, in the order in which they act: <c>Clip = [Clip.Value(5), Clip.GlobalNorm(1)]</c>.</summary>
    /// <exception cref="ArgumentException">The list or one of the stages is null.</exception>
    public IReadOnlyList<ClipStage> Clip
    {
        get;
        set => field = ClipStage.CheckAll(value, GetType().Name);
    } = [];

    /// <summary>
    /// The clip of each parameter's update in groups that have no own, or null for none: <c>UpdateClip = UpdateClip.Rms(1)</c>. It acts
    /// after all of <see cref="Clip"/>.
    /// </summary>
    /// <exception cref="ArgumentException">It needs a mean square, and the optimizer keeps none.</exception>
    public UpdateClip? UpdateClip
    {
        get;
        set => field = value is not { NeedsSecondMoment: true } || HasSecondMoment
            ? value
            : throw new ArgumentException(WhyNoSecondMoment(value), nameof(value));
    }

    /// <summary>What happens when a gradient is not finite.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such policy.</exception>
    public NonFinitePolicy NonFinite
    {
        get;
        set => field = Enum.IsDefined(value)
            ? value
            : throw new ArgumentOutOfRangeException(
                nameof(NonFinite), value, $"{GetType().Name}.NonFinite must be one of {string.Join(", ", Enum.GetNames<NonFinitePolicy>())}, but it is {value}.");
    } = NonFinitePolicy.Throw;

    /// <summary>How many steps in a row <see cref="NonFinitePolicy.SkipStep"/> may skip before it throws.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is negative.</exception>
    public int MaximumConsecutiveSkips
    {
        get;
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value, nameof(MaximumConsecutiveSkips));
            field = value;
        }
    } = 100;

    /// <summary>How many backward passes are summed in the gradients of the next step; they are divided by it.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is not positive.</exception>
    public int AccumulationCount
    {
        get;
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(value, nameof(AccumulationCount));
            field = value;
        }
    } = 1;

    /// <summary>Whether to follow the gradient uphill.</summary>
    public bool Maximize { get; set; }

    /// <summary>How many steps were made. Where a device counts, reading it waits for the device.</summary>
    public int StepCount
    {
        get => LearnedOr(pipeline => pipeline.StepCount, field);
        private set;
    }

    /// <summary>How many steps were skipped. Where a device counts, reading it waits for the device.</summary>
    public int SkippedSteps
    {
        get => LearnedOr(pipeline => pipeline.SkippedSteps, field);
        private set;
    }

    /// <summary>How many steps in a row were skipped, up to now. Where a device counts, reading it waits for the device.</summary>
    public int ConsecutiveSkips
    {
        get => LearnedOr(pipeline => pipeline.ConsecutiveSkips, field);
        private set;
    }

    /// <summary>How many numbers the rule remembers per parameter element.</summary>
    protected abstract int StateCount { get; }

    /// <summary>Whether weight decay shrinks the parameters apart from the gradient.</summary>
    protected virtual bool HasDecoupledDecay => false;

    /// <summary>Whether the rule keeps a mean square of gradients, and <see cref="Update"/> applies it by <c>ApplyWithSecondMoment</c>.</summary>
    protected virtual bool HasSecondMoment => false;

    /// <summary>
    /// Makes one step from the gradients that backward has left. A parameter without a gradient is passed over, never
    /// treated as having a gradient of zero.
    /// </summary>
    /// <returns>What was measured and done.</returns>
    /// <exception cref="InvalidOperationException">
    /// No parameter has a gradient, or one has another shape or lies on another backend than its parameter; too many steps were skipped in a
    /// row; a group has an <see cref="UpdateClip"/> that needs a mean square which the optimizer does not keep; a stage that remembers is
    /// listed twice, or used by another optimizer or by hand as well, or would remember more of a parameter than an array holds; the schedule
    /// of a threshold gives a number that is not positive;
    /// or <see cref="LossScaling"/> is set and a gradient is not of a loss that <see cref="Scale"/> gave, or the other way round.
    /// </exception>
    /// <exception cref="ArgumentOutOfRangeException">The schedule of a threshold has ended, as that of <see cref="Schedule.OneCycle"/> does.</exception>
    /// <exception cref="NonFiniteGradientException">A gradient is not usable and the policy is to throw.</exception>
    public StepReport Step()
    {
        List<string>? without = Collect(1.0 / AccumulationCount);
        if (all.Gradients.Length == 0)
        {
            throw new InvalidOperationException(
                $"{GetType().Name}.Step() found no gradient in any of its {slots.Count} parameters. Call loss.Backward() before it, after ZeroGradients(); "
                + "if you did, the loss does not depend on these parameters (was the model replaced, or the forward pass inside NoGrad?).");
        }

        BeginStages();
        bool areScaled = AreLossScaled();
        if (Deferred() is { } pipeline)
        {
            return StepOnDevice(pipeline, without, areScaled);
        }

        CountOnHost();
        measured = [];
        if (areScaled)
        {
            all.DivideBy(lossScale);
        }

        bool isDynamic = ScaleRule.IsDynamic;
        if (!NonFiniteGradients.Handle(all, isDynamic ? NonFinitePolicy.SkipStep : NonFinite, StepCount + 1))
        {
            return Skip(all.KnownNorms().ToArray(), without, hasOverflowed: isDynamic);
        }

        double[] norms = all.KnownNorms().ToArray();
        ApplyStages();
        if (!NonFiniteGradients.HandleTooLarge(all, NonFinite, StepCount + 1))
        {
            return Skip(norms, without, hasOverflowed: false);
        }

        // Counted and remembered is a step that was made: an update of one's own may throw.
        BeginUpdates(norms.Length);
        UpdateAll();
        StepCount++;
        ConsecutiveSkips = 0;
        foreach ((ClipStage stage, _) in stages)
        {
            stage.History?.Observe();
        }

        EndUpdates();
        StepReport report = Report(norms, StepCount, without, wasSkipped: false, hasOverflowed: false);
        FollowScale(hasOverflowed: false);
        return report;
    }

    /// <summary>Forgets the gradients of all parameters, before the next backward.</summary>
    public void ZeroGradients()
    {
        foreach (ParameterSlot slot in slots)
        {
            slot.Parameter.Gradient = null;
            slot.Pending.Forget();
        }
    }

    /// <summary>Makes this step's rule and applies it: <c>step.Apply(new MyRule(…), targets)</c>.</summary>
    /// <remarks>
    /// What it throws, <see cref="Step"/> throws, and that step is not counted: <see cref="StepCount"/>, the norms that clipping remembers
    /// and the loss scale stay as they were; the schedule of a threshold goes on, as it was asked. Parameters that were updated before it
    /// threw, as those of a group before it, stay updated, so check whatever may be wrong before a step is asked for. On a device a step is
    /// counted where it is decided, which is before this is called: the step's number is in <paramref name="step"/>.
    /// </remarks>
    /// <param name="step">The step: its number, its learning rate.</param>
    /// <param name="targets">The parameters.</param>
    protected abstract void Update(UpdateStep step, ReadOnlySpan<UpdateTarget> targets);

    /// <summary>What a remembered number is before the first step.</summary>
    /// <param name="slot">Which of the rule's numbers, from 0.</param>
    protected virtual float InitialState(int slot) => 0f;

    /// <summary>What the rule of a step carries to the next (see <see cref="Operations.IStepRule{TRule}"/>); 0 if it carries nothing.</summary>
    /// <param name="step">After how many updates.</param>
    protected virtual double Memory(int step) => 0;

    /// <summary>Checks a constant that may be 0 but not negative.</summary>
    /// <param name="value">The constant.</param>
    /// <param name="name">What it is called.</param>
    /// <exception cref="ArgumentOutOfRangeException">It is negative or not finite.</exception>
    protected static double CheckNotNegative(double value, string name) =>
        value >= 0 && double.IsFinite(value)
            ? value
            : throw new ArgumentOutOfRangeException(name, value, $"{name} must be a finite number that is not negative, but it is {value}.{(name == nameof(LearningRate) ? " (To go uphill set Maximize.)" : string.Empty)}");

    /// <summary>Checks a rate of a running mean.</summary>
    /// <param name="value">The rate.</param>
    /// <param name="name">What it is called.</param>
    /// <exception cref="ArgumentOutOfRangeException">It is not from 0 up to, not including, 1.</exception>
    protected static double CheckRate(double value, string name) =>
        value >= 0 && value < 1
            ? value
            : throw new ArgumentOutOfRangeException(name, value, $"{name} is the rate of a running mean and must be at least 0 and less than 1, but it is {value}.");

    private void AddParameter(ParameterGroup group, Tensor parameter, HashSet<Tensor> seen)
    {
        string name = NonFiniteGradients.NameOf(parameter, slots.Count);
        if (!parameter.RequiresGradient)
        {
            throw new ArgumentException(
                $"{GetType().Name}: '{name}' of shape {parameter.Shape} asks for no gradient, so it would never move. Call WithGradient() on it, Unfreeze() its module, or leave it out.");
        }

        if (parameter.Producer is { } producer)
        {
            throw new ArgumentException(
                $"{GetType().Name}: '{name}' of shape {parameter.Shape} is the result of {producer.Operation}, which keeps no gradient and is computed anew in each forward pass, so it would never move. "
                + "Give the tensor that it was computed from, or make a parameter of its values, Detach().WithGradient(), and compute with that.");
        }

        if (!seen.Add(parameter))
        {
            throw new ArgumentException(
                $"{GetType().Name}: '{name}' of shape {parameter.Shape} was given twice and would be moved twice each step. Give each parameter once; module.Parameters lists a tied one once.");
        }

        slots.Add(new ParameterSlot(parameter, group, slots.Count));
    }

    /// <summary>Gathers what backward has left.</summary>
    /// <returns>The names of parameters without a gradient, or null if there are none.</returns>
    private List<string>? Collect(double scale)
    {
        List<string>? without = null;
        all.Clear();
        for (int i = 0; i < slots.Count; i++)
        {
            PendingGradient pending = slots[i].Pending;
            if (slots[i].Parameter.GatheredGradient is { } gradient)
            {
                CheckGradient(gradient, slots[i].Parameter, i);
                pending.Begin(gradient, scale);
                all.Add(pending);
            }
            else
            {
                pending.Forget();
                (without ??= []).Add(NonFiniteGradients.NameOf(slots[i].Parameter, i));
            }
        }

        return without;
    }

    private void CheckGradient(Tensor gradient, Tensor parameter, int number)
    {
        if (!PendingGradient.Fits(gradient, parameter))
        {
            throw new InvalidOperationException($"{GetType().Name}.Step(): {PendingGradient.WhyNoFit(gradient, parameter, number)}");
        }
    }

    /// <summary>Groups with stages of their own are clipped by themselves, the others together.</summary>
    private void ApplyStages()
    {
        int stageNumber = 0;
        measured = stages.Count == 0 ? [] : new StageReport[stages.Count];
        bool hasOwn = false;
        for (int i = 0; i < Groups.Count; i++)
        {
            hasOwn |= Groups[i].Clip is not null;
        }

        if (!hasOwn)
        {
            ApplyStages(Clip, all, ref stageNumber);
            return;
        }

        shared.Clear();
        for (int i = 0; i < Groups.Count; i++)
        {
            ParameterGroup group = Groups[i];
            GradientSet set = group.Clip is null ? shared : own[i];
            if (group.Clip is not null)
            {
                set.Clear();
            }

            foreach (ParameterSlot slot in slots)
            {
                if (ReferenceEquals(slot.Group, group) && slot.Pending.HasGradient)
                {
                    set.Add(slot.Pending);
                }
            }

            if (group.Clip is not null)
            {
                ApplyStages(group.Clip, set, ref stageNumber);
                all.IsScaled |= set.IsScaled;
            }
        }

        ApplyStages(Clip, shared, ref stageNumber);
        all.Coefficient = shared.Coefficient;
        all.IsScaled |= shared.IsScaled;
    }

    private void ApplyStages(IReadOnlyList<ClipStage> stages, GradientSet set, ref int number)
    {
        for (int i = 0; i < stages.Count; i++)
        {
            set.StageNumber = number;
            StageMeasurement stage = stages[i].Run(set);
            measured[number] = stage.Report(stageNames[number]);
            number++;
        }
    }

    /// <summary>Counts a step that is not made.</summary>
    /// <param name="norms">The gradients' norms before any stage.</param>
    /// <param name="without">The names of parameters without a gradient, or null.</param>
    /// <param name="hasOverflowed">Whether a dynamic loss scale was the reason.</param>
    private StepReport Skip(double[] norms, List<string>? without, bool hasOverflowed)
    {
        SkippedSteps++;
        ConsecutiveSkips++;
        goodSteps = 0;
        StepReport report = Report(norms, StepCount + 1, without, wasSkipped: true, hasOverflowed);
        if (hasOverflowed)
        {
            FollowScale(hasOverflowed);
        }

        return ConsecutiveSkips > MaximumConsecutiveSkips ? throw TooManySkips(ConsecutiveSkips) : report;
    }

    private StepReport Report(double[] norms, int step, List<string>? without, bool wasSkipped, bool hasOverflowed)
    {
        int[]? places = Places(without);
        return new(
            Measured(places),
            places,
            norms,
            all,
            NoteBounds(),
            wasSkipped ? [] : UpdateReports(),
            step,
            wasSkipped,
            lossScale,
            hasOverflowed,
            wasSkipped ? null : updateCoefficients)
        {
            WithoutGradient = without ?? [],
        };
    }

    /// <summary>The numbers of the parameters that have a gradient, or null if all have one.</summary>
    private int[]? Places(List<string>? without) =>
        without is null ? null : [.. Enumerable.Range(0, slots.Count).Where(i => slots[i].Pending.HasGradient)];

    private Tensor[] Measured(int[]? places) => places is null ? parameters : Array.ConvertAll(places, place => parameters[place]);

    /// <summary>Updates parameters in runs that share group, step number and backend, each run by one call.</summary>
    private void UpdateAll()
    {
        int start = 0;
        while (start < slots.Count)
        {
            ParameterSlot first = slots[start];
            int number = first.Step + 1;
            int end = start;
            targets.Clear();
            while (end < slots.Count
                && ReferenceEquals(slots[end].Group, first.Group)
                && slots[end].Step == first.Step
                && ReferenceEquals(slots[end].Parameter.Backend, first.Parameter.Backend))
            {
                if (slots[end].Pending.HasGradient)
                {
                    targets.Add(Target(slots[end]));
                }

                end++;
            }

            if (targets.Count > 0)
            {
                int taken = takenUpdates + targets.Count;
                Update(MakeStep(first, number, deferred: null, start, end), CollectionsMarshal.AsSpan(targets));
                takenUpdates = taken;
            }

            for (int i = start; i < end; i++)
            {
                if (slots[i].Pending.HasGradient)
                {
                    slots[i].Parameter.Storage.MarkChanged();
                    slots[i].Step = number;
                }
            }

            start = end;
        }

        targets.Clear();
    }

    private UpdateTarget Target(ParameterSlot slot)
    {
        if (slot.State.Count != StateCount || (StateCount > 0 && !ReferenceEquals(slot.State[0].Backend, slot.Parameter.Backend)))
        {
            slot.PlaceState(InitialStates());
        }

        return new UpdateTarget(slot.Parameter.Storage, slot.Pending.Gradient.Storage, slot.Pending.Scale(), slot.State);
    }

    private float[] InitialStates() => [.. Enumerable.Range(0, StateCount).Select(InitialState)];

    private UpdateStep MakeStep(ParameterSlot slot, int number, DeferredPipeline? deferred, int first, int end)
    {
        double learningRate = slot.Group.LearningRate ?? LearningRate;
        double decay = slot.Group.WeightDecay ?? WeightDecay;
        return new UpdateStep(
            this,
            deferred,
            first,
            end,
            slot.Parameter.Backend,
            updateClipPlaces.ClipOf(first),
            number,
            learningRate,
            sign: Maximize ? -1f : 1f,
            added: HasDecoupledDecay ? 0f : (float)decay,
            shrinkage: HasDecoupledDecay ? learningRate * decay : 0);
    }
}
