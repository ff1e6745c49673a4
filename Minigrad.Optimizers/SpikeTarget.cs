namespace Minigrad.Optimizers;

/// <summary>What <see cref="Threshold.ZScore"/> clips a spike to: a norm whose distance from the mean μ is more than z₀ deviations σ.</summary>
public enum SpikeTarget
{
    /// <summary>μ + z₀ · σ · z₀ / z: the farther out the spike, the nearer to the mean.</summary>
    Reciprocal,

    /// <summary>μ.</summary>
    Mean,

    /// <summary>μ + z₀ · σ.</summary>
    Limit,
}
