using Minigrad.Operations;

namespace Minigrad.Gpu.Kernels;

/// <summary>What one launch of <see cref="StepKernels.Decide"/> has to do.</summary>
internal struct DecideArguments
{
    /// <summary>Which attempt at a step this is.</summary>
    public int Attempt;

    /// <summary>Where in <see cref="StepMemory.Records"/> the counts are that the attempt goes on from.</summary>
    public int Predecessor;

    /// <summary>The last attempt whose failure the host knows of.</summary>
    public int Acknowledged;

    /// <summary>A <see cref="Backends.BadGradients"/>.</summary>
    public int Bad;

    /// <summary>Whether the step begins here: nothing is known but the partial L2 norms.</summary>
    public int IsFirst;

    /// <summary>Whether L2 norms are combined anew because what was pending has been written to memory.</summary>
    public int IsWritten;

    /// <summary>Whether unit factors were a reason to write.</summary>
    public int UnitsToo;

    /// <summary>Whether partial results of another order are combined: 0 no, 1 to the norm, 2 to the largest magnitude only.</summary>
    public int CombinesOrder;

    /// <summary>Whether the units' results are combined.</summary>
    public int CombinesUnits;

    /// <summary>Whether these units are columns: 1, or 0 for rows.</summary>
    public int UnitsAreColumns;

    /// <summary>Where in <see cref="StepMemory.Stages"/> the stage's record goes; −1 if the launch is not a stage's.</summary>
    public int StagePlace;

    /// <summary>Which stage of the step that is.</summary>
    public int StageNumber;

    /// <summary>Whether the step ends here.</summary>
    public int IsLast;

    /// <summary>The set of gradients that the stage sees.</summary>
    public int Set;

    /// <summary>How many chunks there are.</summary>
    public int ChunkCount;

    /// <summary>What every gradient is multiplied by before anything else.</summary>
    public double Scale;

    /// <summary>Whether every gradient is divided by the loss scale as well.</summary>
    public int IsLossScaled;

    /// <summary>What becomes of the loss scale.</summary>
    public LossScaleRule LossScaling;

    /// <summary>The order of the norms that the stage decides from.</summary>
    public double Order;

    /// <summary>The norm from which on a finite gradient is no longer usable.</summary>
    public double LargestUsable;
}
