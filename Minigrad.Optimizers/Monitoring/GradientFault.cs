namespace Minigrad.Optimizers.Monitoring;

/// <summary>What is wrong with the gradients of a layer, the gravest first.</summary>
public enum GradientFault
{
    /// <summary>A gradient was NaN or infinite.</summary>
    NotFinite,

    /// <summary>Gradients grow: from one step of training to another, on their way back through the layers, or through time.</summary>
    Exploding,

    /// <summary>Units give 0 for every example, so that nothing flows back through them.</summary>
    DeadUnits,

    /// <summary>Gradients shrink on their way back through the layers, or through time.</summary>
    Vanishing,

    /// <summary>A step changes the weights by a large part of themselves.</summary>
    LargeUpdate,
}
