namespace Minigrad.Backends;

/// <summary>What a clipping stage of a deferred step measured and decided, as the device writes it.</summary>
public struct StageRecord
{
    /// <summary>The norm that was compared with the threshold, the largest of several.</summary>
    public double Norm;

    /// <summary>The threshold, the smallest of several.</summary>
    public double Threshold;

    /// <summary>The factor, the smallest of several.</summary>
    public double Coefficient;

    /// <summary>How many gradients the stage scaled, or 1 if an element has passed its bound; 0 if it did not act.</summary>
    public double Acted;
}
