namespace Minigrad.Operations;

/// <summary>The numbers that a <see cref="IThresholdRule"/> remembers, wherever they lie: an array on the host, a buffer on a device.</summary>
public interface IThresholdMemory
{
    /// <summary>One of the numbers; 0 before anything was remembered.</summary>
    /// <param name="index">Which, from 0.</param>
    double this[int index] { get; set; }
}
