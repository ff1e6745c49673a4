namespace Minigrad.Optimizers.Clipping;

/// <summary>What is wrong with a gradient.</summary>
/// <param name="Place">The first bad element, or −1 if it is not known.</param>
/// <param name="Value">Its value.</param>
/// <param name="Count">How many there are.</param>
internal readonly record struct BadElements(int Place, float Value, int Count);
