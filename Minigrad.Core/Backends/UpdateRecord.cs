namespace Minigrad.Backends;

/// <summary>What became of one parameter's update that was measured before it was made, as the device writes it.</summary>
public struct UpdateRecord
{
    /// <summary>The size of the update, which was compared with the threshold.</summary>
    public double Size;

    /// <summary>The threshold.</summary>
    public double Threshold;

    /// <summary>Which part of the update was made.</summary>
    public double Coefficient;
}
