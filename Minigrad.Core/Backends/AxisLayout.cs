namespace Minigrad.Backends;

/// <summary>
/// A row-major tensor seen around one axis: element (o, a, i) is at (o · <see cref="Axis"/> + a) · <see cref="Inner"/> + i.
/// </summary>
/// <param name="Outer">The product of the dimensions before the axis.</param>
/// <param name="Axis">The length of the axis.</param>
/// <param name="Inner">The product of the dimensions after the axis.</param>
public readonly record struct AxisLayout(int Outer, int Axis, int Inner)
{
    /// <summary>The number of elements.</summary>
    public int Length => Outer * Axis * Inner;
}
