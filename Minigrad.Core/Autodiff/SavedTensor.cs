namespace Minigrad.Autodiff;

/// <summary>
/// A tensor that backward will need, as it was when it was saved. Reading it after it was changed in place is an error,
/// because the gradient would silently be another one.
/// </summary>
internal struct SavedTensor(Tensor tensor)
{
    private readonly int version = tensor.Storage.Version;
    private Tensor? tensor = tensor;

    /// <summary>The tensor's shape, which no change in place changes.</summary>
    public readonly Shape Shape => tensor!.Shape;

    /// <summary>The tensor as it was saved.</summary>
    /// <exception cref="GradientException">It was changed in place since.</exception>
    public readonly Tensor Read(Node node)
    {
        Tensor saved = tensor!;
        if (saved.Storage.Version != version)
        {
            string name = saved.Name is null ? "a tensor" : $"'{saved.Name}', a tensor";
            throw new GradientException(
                $"Backward through {node.Operation} needs {name} of shape {saved.Shape} as it was in the forward pass, but it was changed in place since "
                + $"(version {saved.Storage.Version}, saved at {version}). Call Backward before the change (before optimizer.Step()), or run the forward pass again, or change a Clone() instead.");
        }

        return saved;
    }

    /// <summary>Lets go of the tensor.</summary>
    public void Release() => tensor = null;
}
