namespace Minigrad.Autodiff;

/// <summary>Where an operation was called and with what, for a trace to tell.</summary>
internal sealed class OperationOrigin
{
    private readonly int[] versions;
    private Tensor[] inputs;

    /// <summary>The record of a call.</summary>
    /// <param name="inputs">The inputs; they are kept until backward has passed.</param>
    /// <param name="layer">The innermost layer that was running, or null.</param>
    /// <param name="line">The line of the user's program, or null if it is not known.</param>
    /// <param name="within">The operation whose backward made this one, under createGraph, or null.</param>
    public OperationOrigin(Tensor[] inputs, string? layer, SourceLine? line, string? within)
    {
        this.inputs = inputs;
        versions = Array.ConvertAll(inputs, input => input.Storage.Version);
        Layer = layer;
        Line = line;
        Within = within;
    }

    /// <summary>The innermost layer that was running, or null.</summary>
    public string? Layer { get; }

    /// <summary>The line of the user's program, or null.</summary>
    public SourceLine? Line { get; }

    /// <summary>The operation whose backward made this one, or null.</summary>
    public string? Within { get; }

    /// <summary>What is not finite in the result, or null.</summary>
    public Taint? Result { get; set; }

    /// <summary>The inputs as they were; none if one was changed in place since.</summary>
    public Tensor[] Inputs
    {
        get
        {
            for (int i = 0; i < inputs.Length; i++)
            {
                if (inputs[i].Storage.Version != versions[i])
                {
                    return [];
                }
            }

            return inputs;
        }
    }

    /// <summary>Lets go of the inputs.</summary>
    public void Release() => inputs = [];
}
