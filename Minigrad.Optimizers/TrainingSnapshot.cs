using Minigrad.Autodiff;
using Minigrad.Layers;

namespace Minigrad.Optimizers;

/// <summary>A model and its optimizer as they are, to be put back to the bit after a trial.</summary>
internal sealed class TrainingSnapshot
{
    private readonly List<(Tensor Tensor, float[] Values, Tensor? Gradient, ScaleMark? Mark)> tensors = [];
    private readonly List<(Module Module, bool IsTraining)> modes = [];
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

        AddModes(model);
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

        foreach ((Module module, bool isTraining) in modes)
        {
            // An outer module sets all inside it, so the inner ones come after it.
            if (isTraining)
            {
                module.Train();
            }
            else
            {
                module.Evaluate();
            }
        }
    }

    private void AddModes(Module module)
    {
        modes.Add((module, module.IsTraining));
        foreach ((_, Module child) in module.Children)
        {
            AddModes(child);
        }
    }
}
