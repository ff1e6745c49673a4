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
internal static partial class StepKernels
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
        int i = Group.IdxX;
        double total = 0.0;
        for (; i + (3 * Group.DimX) < chunk.Length; i += 4 * Group.DimX)
        {
            Quad four = new QuadPlace(chunk, i, Group.DimX).Read(x, 0);
            total = term.Combine(total, term.Term(reading.Plain(four.X), chunk.Parameter));
            total = term.Combine(total, term.Term(reading.Plain(four.Y), chunk.Parameter));
            total = term.Combine(total, term.Term(reading.Plain(four.Z), chunk.Parameter));
            total = term.Combine(total, term.Term(reading.Plain(four.W), chunk.Parameter));
        }

        for (; i < chunk.Length; i += Group.DimX)
        {
            total = term.Combine(total, term.Term(reading.Plain(x[chunk.Element(i)]), chunk.Parameter));
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
        Scalar moved = default;
        double total = 0.0;
        for (int i = Group.IdxX; i < chunk.Length; i += Group.DimX)
        {
            int element = chunk.Element(i);
            total = term.Combine(total, term.Term(Scaled(memory, state, chunk, reading, x, element, ref moved).Value, 0));
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
            Scalar moved = default;
            for (int i = Group.IdxX; i < chunk.Length; i += Group.DimX)
            {
                int element = chunk.Element(i);
                x[element] = Scaled(memory, state, chunk, reading, x, element, ref moved).Value;
            }

            NoteBound(memory, state, reading, moved);
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
            shared[0] = MakeRule<TStep, TRule>(memory, step, chunk.Parameter, state);
        }

        Group.Barrier();
        UpdateChunk(memory, gradients, parameters, shared[0], reading, chunk, state);
    }

    private static bool IsFinite(double x) => !double.IsNaN(x) && x <= double.MaxValue;

    /// <summary>
    /// The rule of a parameter's running update. All chunks of a parameter make the same. None reads what it writes: odd and
    /// even updates take turns.
    /// </summary>
    private static TRule MakeRule<TStep, TRule>(StepMemory memory, TStep step, int parameter, GradientState state)
        where TStep : unmanaged, IStepRule<TRule>
        where TRule : unmanaged, IUpdateRule
    {
        double carried = state.Carried;
        TRule rule = step.At<DeviceMath>(state.Updates, ref carried);
        if (state.IsEven)
        {
            memory.States[parameter].EvenMemory = carried;
        }
        else
        {
            memory.States[parameter].OddMemory = carried;
        }

        return rule;
    }

    private static void UpdateChunk<TRule>(
        StepMemory memory,
        GradientWindow gradients,
        ParameterMemory parameters,
        TRule rule,
        GradientReading reading,
        Chunk chunk,
        GradientState state)
        where TRule : unmanaged, IUpdateRule
    {
        ArrayView<float> x = gradients[chunk.View];
        int stride = Group.DimX;
        int i = Group.IdxX;
        Scalar moved = default;
        for (; i + (3 * stride) < chunk.Length; i += 4 * stride)
        {
            QuadPlace four = new(chunk, i, stride);
            Quad g = new(
                Scaled(memory, state, chunk, reading, x, four.X, ref moved).Value,
                Scaled(memory, state, chunk, reading, x, four.Y, ref moved).Value,
                Scaled(memory, state, chunk, reading, x, four.Z, ref moved).Value,
                Scaled(memory, state, chunk, reading, x, four.W, ref moved).Value);
            UpdateKernels.UpdateFour(rule, g, parameters, four, chunk.ParameterOffset, chunk.StateOffset);
        }

        for (; i < chunk.Length; i += stride)
        {
            int element = chunk.Element(i);
            UpdateKernels.Update(
                rule,
                Scaled(memory, state, chunk, reading, x, element, ref moved),
                parameters,
                chunk.ParameterOffset + element,
                chunk.StateOffset + element);
        }

        NoteBound(memory, state, reading, moved);
    }

    /// <summary>
    /// Notes that the stage of a pending bound has acted. Each thread that has seen it writes the same number, so nothing has to
    /// be combined and it does not matter which is the last.
    /// </summary>
    private static void NoteBound(StepMemory memory, GradientState state, GradientReading reading, Scalar moved)
    {
        if (moved.Value == 1f)
        {
            memory.Stages[reading.FirstStage + (int)state.BoundStage].Acted = 1.0;
        }
    }

    private static Scalar Scaled(
        StepMemory memory,
        GradientState state,
        Chunk chunk,
        GradientReading reading,
        ArrayView<float> x,
        int element,
        ref Scalar moved)
    {
        (float first, float second) = GradientScale.Split(state.Coefficient);
        if (state.ScaledUnits > 0.0)
        {
            int place = state.UnitsAreColumns > 0.0 ? element % chunk.ColumnCount : element / chunk.UnitLength;
            int unit = chunk.FirstUnit + place;
            first *= memory.UnitFactors[2 * unit];
            second *= memory.UnitFactors[(2 * unit) + 1];
        }

        return reading.Scaled(x[element], first, second, (float)state.Low, (float)state.High, ref moved);
    }

    private static void FindFaults(
        StepMemory memory, ArrayView<double> shared, ArrayView<float> x, Chunk chunk, int index)
    {
        double first = chunk.Length;
        double count = 0.0;
        for (int i = Group.IdxX; i < chunk.Length; i += Group.DimX)
        {
            if (!float.IsFinite(x[chunk.Element(i)]))
            {
                first = first < i ? first : i;
                count += 1.0;
            }
        }

        first = GroupSums.Smallest(shared, first);
        count = GroupSums.Sum(shared, count);

        // A sum of powers of |x| / largest is NaN, with no fault in it, where all are 0.
        if (Group.IdxX == 0 && count > 0.0)
        {
            int element = chunk.Element((int)first);
            memory.Faults[3 * index] = element;
            memory.Faults[(3 * index) + 1] = x[element];
            memory.Faults[(3 * index) + 2] = count;
        }
    }
}
