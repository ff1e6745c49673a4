namespace Minigrad.Autodiff;

/// <summary>
/// Which loss scale a leaf's gradient is multiplied by. Backward leaves it at each leaf that the gradient of a scaled loss
/// has reached, so that whoever reads the gradient knows what to divide by, or that it must not be read yet.
/// </summary>
/// <param name="Scale">A scale that never changes; 0 for one that does, whose number may be known to a device alone.</param>
/// <param name="Owner">Whose scale it is if it changes, else null: scales that are equal are then the same.</param>
/// <param name="Epoch">How often the owner may have changed its scale before.</param>
internal sealed record ScaleMark(double Scale, object? Owner, int Epoch)
{
    /// <summary>The mark of a sum of gradients under different scales, which nobody can undo.</summary>
    public static ScaleMark Mixed { get; } = new(0, new object(), 0);

    /// <summary>Whether the gradient was divided by the scale since.</summary>
    public bool IsUnscaled { get; init; }

    /// <summary>The mark of a sum of two gradients; null stands for one that never was scaled.</summary>
    public static ScaleMark? OfSum(ScaleMark? before, ScaleMark? added)
    {
        bool areAlike = Equals(before, added) || (added is null && before is { IsUnscaled: true });
        return areAlike ? before : Mixed;
    }
}
