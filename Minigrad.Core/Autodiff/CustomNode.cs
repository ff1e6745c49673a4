namespace Minigrad.Autodiff;

/// <summary>An operation whose backward a user wrote.</summary>
internal sealed class CustomNode(string name, Tensor[] inputs, Func<Tensor, Tensor?[]> backward) : Node(inputs)
{
    private readonly int inputCount = inputs.Length;
    private Func<Tensor, Tensor?[]>? backward = backward;

    /// <inheritdoc/>
    public override string Operation => name;

    /// <inheritdoc/>
    public override bool ExposesGradient => true;

    /// <inheritdoc/>
    public override void Backward(Tensor gradient)
    {
        Tensor?[] gradients = backward!(gradient);
        if (gradients?.Length != inputCount)
        {
            throw new GradientException(
                $"The backward of {name} gave {gradients?.Length ?? 0} gradients for {inputCount} inputs; give one for each, null where an input needs none.");
        }

        for (int input = 0; input < gradients.Length; input++)
        {
            if (gradients[input] is { } flow)
            {
                // The user's function may keep what it returned.
                BackwardPass.MarkExposed(flow);
                Give(input, flow);
            }
        }
    }

    /// <inheritdoc/>
    protected override void ReleaseSaved() => backward = null;
}
