namespace Minigrad.Optimizers.Clipping;

/// <summary>What of a gradient's norm is compared with the threshold.</summary>
internal enum NormMeasure
{
    /// <summary>The norm n.</summary>
    Norm,

    /// <summary>n / √size, which of an L2 norm is the root of the mean square.</summary>
    RootMeanSquare,

    /// <summary>n / size.</summary>
    Average,
}
