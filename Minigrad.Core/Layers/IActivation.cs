namespace Minigrad.Layers;

/// <summary>An activation that a fully connected layer before it can apply to its outputs while they are in the cache.</summary>
internal interface IActivation
{
    /// <summary>This activation of a layer's output, in one pass.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="input">The layer's input.</param>
    Tensor After(Linear layer, Tensor input);
}
