using ILGPU;
using Minigrad.Backends;

namespace Minigrad.Gpu.Kernels;

/// <summary>What the kernels of a step share, beside the numbers themselves.</summary>
internal struct StepMemory
{
    /// <summary>The chunks of all parameters, in order.</summary>
    public ArrayView<Chunk> Chunks;

    /// <summary>Each parameter's place in the tables.</summary>
    public ArrayView<ParameterPlace> Places;

    /// <summary>The numbers of the parameters of which a whole group combines the partial results.</summary>
    public ArrayView<int> LargeParameters;

    /// <summary>What is known of each gradient.</summary>
    public ArrayView<GradientState> States;

    /// <summary>The records of the last attempts, and behind them the counts that the host has set.</summary>
    public ArrayView<StepRecord> Records;

    /// <summary>The loss scale in force, one number.</summary>
    public ArrayView<float> LossScale;

    /// <summary>The gradients' norms at each of these attempts: <c>[records, parameters]</c>.</summary>
    public ArrayView<double> Norms;

    /// <summary>
    /// What became of each update that was measured at each of these attempts, and what was decided before it:
    /// <c>[records, 2, parameters]</c>.
    /// </summary>
    public ArrayView<UpdateRecord> Updates;

    /// <summary>Partial results: of L2 norms for each chunk, then of another order for each chunk.</summary>
    public ArrayView<double> Partials;

    /// <summary>For each chunk with numbers that are not finite: the first, its value, how many.</summary>
    public ArrayView<double> Faults;

    /// <summary>What the stages of the last attempts did: <c>[records, stages]</c>.</summary>
    public ArrayView<StageRecord> Stages;

    /// <summary>Of each unit: its coefficient, its squared norm under it, what was compared with the threshold, and that.</summary>
    public ArrayView<double> UnitResults;

    /// <summary>Each unit's coefficient as two factors.</summary>
    public ArrayView<float> UnitFactors;

    /// <summary>Each gradient's largest magnitude, where the running stage asks for it.</summary>
    public ArrayView<float> Largest;
}
