using Minigrad.Operations;

namespace Minigrad.Layers;

/// <summary>
/// Long short-term memory (Hochreiter and Schmidhuber, 1997), with a forget gate; the formula is in <see cref="LstmCell"/>:
/// <c>[batch, time, in] → [batch, time, hidden]</c>. Its state has hidden values and cell states.
/// </summary>
public sealed class Lstm : Recurrent<LstmCell>
{
    /// <summary>A layer with PyTorch's default initialisation: all parameters uniform within ±1/√hidden.</summary>
    /// <param name="inputSize">How many features a step has, at least 1.</param>
    /// <param name="hiddenSize">How many hidden values, at least 1.</param>
    /// <param name="options">Layers, directions, dropout and the like; the defaults if null.</param>
    /// <param name="forgetBias">
    /// What the forget gates' bias begins with; 1 makes them remember from the start (Jozefowicz, Zaremba and Sutskever,
    /// 2015). Null keeps the default.
    /// </param>
    /// <exception cref="ArgumentException">A size or an option is out of its range, there is no bias to begin with, or what it should begin with is not finite.</exception>
    /// <exception cref="ShapeException">There would be more numbers than one array can hold.</exception>
    public Lstm(int inputSize, int hiddenSize, RecurrentOptions? options = null, float? forgetBias = null)
        : base(default, inputSize, hiddenSize, options)
    {
        if (forgetBias is not { } bias)
        {
            return;
        }

        if (options is { HasBias: false })
        {
            throw new ArgumentException($"Lstm: a forget bias of {bias} was given, but HasBias is false.", nameof(forgetBias));
        }

        if (!float.IsFinite(bias))
        {
            throw new ArgumentOutOfRangeException(nameof(forgetBias), bias, $"Lstm: the forget gates' bias would begin with {bias}, but it must be a finite number; 1 is usual.");
        }

        foreach ((Tensor fromInput, Tensor fromHidden) in Biases())
        {
            SetForgetGate(fromInput, bias);
            SetForgetGate(fromHidden, 0f);
        }
    }

    private void SetForgetGate(Tensor biases, float value)
    {
        float[] values = biases.ToArray();
        values.AsSpan(HiddenSize, HiddenSize).Fill(value);
        using NoGrad scope = new();
        biases.Assign(values);
    }
}
