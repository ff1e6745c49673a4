using Minigrad.Backends;
using Minigrad.Gpu.Kernels;

namespace Minigrad.Gpu;

/// <content>Steps of recurrent cells.</content>
public sealed partial class GpuBackend
{
    /// <summary>How a step's product is cut: tiles so narrow that most of a GPU's multiprocessors have one.</summary>
    private ProductPlan StepPlan => queue.IsEmulated ? new(IsSliced: true, 2, 2, 1) : new(IsSliced: true, 4, 16, 1);

    /// <inheritdoc/>
    public override void Cell<TCell>(TCell cell, in CellForward step)
    {
        queue.Launch(
            CellKernels.Forward<TCell>, step.Rows * step.Width, cell, Inputs(step), View(step.Recurrent), Outputs(step));
        KeepAlive(step);
    }

    /// <inheritdoc/>
    /// <remarks>One launch; <see cref="CellForward.Recurrent"/> stays as it is.</remarks>
    public override void CellStep<TCell>(TCell cell, Storage weight, in CellForward step)
    {
        RecurrentProduct product = new(step.Rows, step.Rows, View(step.HiddenBefore), View(weight));
        Action<TCell, RecurrentProduct, CellInputs, CellOutputs> kernel = (queue.IsEmulated, queue.Cuda is null) switch
        {
            (true, _) => CellKernels.Step<TCell, EmulatedTile>,
            (_, true) => CellKernels.Step<TCell, PortableNarrowTile>,
            _ => CellKernels.Step<TCell, NarrowTile>,
        };
        int groups = Tiles(step.Rows, StepPlan.Tile) * Tiles(step.Width, StepPlan.Side);
        queue.LaunchGroups(kernel, groups, StepPlan.GroupSize, cell, product, Inputs(step), Outputs(step));
        KeepAlive(step);
        GC.KeepAlive(weight);
    }

    /// <inheritdoc/>
    public override void CellBackward<TCell>(TCell cell, in CellBackward step)
    {
        queue.Launch(
            CellKernels.Backward<TCell>,
            step.Rows * step.Width,
            cell,
            Memory(step),
            Gradients(step),
            View(step.GateGradient),
            Results(step));
        KeepAlive(step);
    }

    /// <inheritdoc/>
    /// <remarks>One launch; <see cref="CellBackward.GateGradient"/> stays as it is.</remarks>
    public override void CellStepBackward<TCell>(
        TCell cell, Storage weight, int rowsAfter, Part gradientAfter, in CellBackward step)
    {
        RecurrentProduct product = new(step.Rows, rowsAfter, View(gradientAfter), View(weight));
        Action<TCell, RecurrentProduct, CellMemory, CellGradients, CellResults> kernel = (queue.IsEmulated, queue.Cuda is null) switch
        {
            (true, _) => CellKernels.StepBackward<TCell, EmulatedTile>,
            (_, true) => CellKernels.StepBackward<TCell, PortableNarrowTile>,
            _ => CellKernels.StepBackward<TCell, NarrowTile>,
        };
        int groups = Tiles(step.Rows, StepPlan.Tile) * Tiles(step.Width, StepPlan.Tile);
        queue.LaunchGroups(kernel, groups, StepPlan.GroupSize, cell, product, Memory(step), Gradients(step), Results(step));
        KeepAlive(step);
        KeepAlive(weight, gradientAfter.Storage);
    }

    private static int Tiles(int length, int tile) => (length + tile - 1) / tile;

    private static void KeepAlive(in CellForward step)
    {
        KeepAlive(step.Input.Storage, step.Recurrent.Storage, step.Bias.Storage);
        KeepAlive(step.HiddenBefore.Storage, step.StateBefore.Storage, step.Saved.Storage);
        KeepAlive(step.Hidden.Storage, step.State.Storage);
    }

    private static void KeepAlive(in CellBackward step)
    {
        KeepAlive(step.Saved.Storage, step.HiddenBefore.Storage, step.StateBefore.Storage);
        KeepAlive(step.OutputGradient.Storage, step.DirectGradient.Storage, step.GateGradient.Storage);
        KeepAlive(step.StateGradient.Storage, step.DirectGradientBefore.Storage, step.StateGradientBefore.Storage);
        KeepAlive(step.InputGradient.Storage, step.RecurrentGradient.Storage);
    }

    private CellInputs Inputs(in CellForward step) =>
        new(step.Width, View(step.Input), View(step.Bias), View(step.HiddenBefore), View(step.StateBefore));

    private CellOutputs Outputs(in CellForward step) => new(View(step.Hidden), View(step.State), View(step.Saved));

    private CellMemory Memory(in CellBackward step) =>
        new(step.Width, View(step.Saved), View(step.HiddenBefore), View(step.StateBefore));

    private CellGradients Gradients(in CellBackward step) =>
        new(View(step.OutputGradient), View(step.DirectGradient), View(step.StateGradient));

    private CellResults Results(in CellBackward step) => new(
        View(step.DirectGradientBefore),
        View(step.StateGradientBefore),
        View(step.InputGradient),
        View(step.RecurrentGradient));
}
