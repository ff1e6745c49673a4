using Minigrad.Backends;
using Minigrad.Gpu.Kernels;

namespace Minigrad.Gpu;

/// <content>Steps of recurrent cells.</content>
public sealed partial class GpuBackend
{
    /// <inheritdoc/>
    public override void Cell<TCell>(TCell cell, in CellForward step)
    {
        CellInputs inputs = new(
            step.Width, View(step.Input), View(step.Recurrent), View(step.Bias), View(step.HiddenBefore), View(step.StateBefore));
        queue.Launch(
            CellKernels.Forward<TCell>,
            step.Rows * step.Width,
            cell,
            inputs,
            View(step.Hidden),
            View(step.State),
            View(step.Saved));
        KeepAlive(step.Input.Storage, step.Recurrent.Storage, step.Bias.Storage);
        KeepAlive(step.HiddenBefore.Storage, step.StateBefore.Storage, step.Saved.Storage);
        KeepAlive(step.Hidden.Storage, step.State.Storage);
    }

    /// <inheritdoc/>
    public override void CellBackward<TCell>(TCell cell, in CellBackward step)
    {
        CellGradients gradients = new(
            View(step.OutputGradient), View(step.DirectGradient), View(step.GateGradient), View(step.StateGradient));
        CellMemory memory = new(step.Width, View(step.Saved), View(step.HiddenBefore), View(step.StateBefore));
        queue.Launch(
            CellKernels.Backward<TCell>,
            step.Rows * step.Width,
            cell,
            memory,
            gradients,
            View(step.DirectGradientBefore),
            View(step.StateGradientBefore),
            View(step.InputGradient),
            View(step.RecurrentGradient));
        KeepAlive(step.Saved.Storage, step.HiddenBefore.Storage, step.StateBefore.Storage);
        KeepAlive(step.OutputGradient.Storage, step.DirectGradient.Storage, step.GateGradient.Storage);
        KeepAlive(step.StateGradient.Storage, step.DirectGradientBefore.Storage, step.StateGradientBefore.Storage);
        KeepAlive(step.InputGradient.Storage, step.RecurrentGradient.Storage);
    }
}
