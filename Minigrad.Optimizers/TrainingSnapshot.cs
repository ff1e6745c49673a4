using Minigrad.Autodiff;
using Minigrad.Layers;

namespace Minigrad.Optimizers;

/// <summary>A model and its optimizer as they are, to be put back to the bit after a trial.</summary>
internal sealed class TrainingSnapshot
{
    private readonly List<(Tensor Tensor, float[] Values, Tensor? Gradient, ScaleMark? Mark)> tensors = [];
    private readonly (Module Module, bool IsTraining)[] modes;
    private readonly Optimizer optimizer;
    private readonly OptimizerState optimizerState;
    private readonly ScaleMark? mark;

    /// <summary>Takes it.</summary>
    /// <param name="model">The model: parameters, buffers, and which parts of it behave as in training.</param>
    /// <param name="optimizer">The optimizer: its state, and the parameters that are not the model's.</param>
    public TrainingSnapshot(Module model, Optimizer optimizer)
    {
        this.optimizer = optimizer;
        optimizerState = optimizer.State();
        mark = optimizer.CurrentMark;
        IEnumerable<Tensor> all = model.NamedParameters().Concat(model.NamedBuffers()).Select(entry => entry.Tensor)
            .Concat(optimizer.Groups.SelectMany(group => group.Parameters));
        foreach (Tensor tensor in all.Distinct())
        {
            tensors.Add((tensor, tensor.ToArray(), tensor.Gradient, tensor.GradientMark));
        }

        modes = model.Modes();
    }

    /// <summary>Forgets the gradients of all that was taken; those taken are kept for <see cref="Restore"/>.</summary>
    public void ZeroGradients()
    {
        foreach ((Tensor tensor, _, _, _) in tensors)
        {
            tensor.Gradient = null;
        }
    }

    /// <summary>Puts everything back.</summary>
    public void Restore()
    {
        using NoGrad scope = new();
        optimizer.Restore(optimizerState);
        foreach ((Tensor tensor, float[] values, Tensor? gradient, ScaleMark? scale) in tensors)
        {
            tensor.Assign(values);
            tensor.Gradient = gradient;

            // The scale is what it was, under a new mark.
            tensor.GradientMark = Equals(scale, mark) ? optimizer.CurrentMark : scale;
        }

        Module.RestoreModes(modes);
    }
}
