namespace Minigrad.Layers;

/// <summary>An activation, as far as initialisation has to know it.</summary>
public enum Activation
{
    /// <summary>None: the layer's output is used as it is.</summary>
    Linear,

    /// <summary>1 / (1 + e⁻ˣ).</summary>
    Sigmoid,

    /// <summary>tanh x.</summary>
    Tanh,

    /// <summary>max(x, 0).</summary>
    Relu,

    /// <summary>x for x &gt; 0, slope · x elsewhere.</summary>
    LeakyRelu,
}
