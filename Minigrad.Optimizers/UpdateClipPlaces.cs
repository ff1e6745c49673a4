namespace Minigrad.Optimizers;

/// <summary>The clips of updates of an optimizer, as reports call them, and which of them each parameter has.</summary>
/// <param name="names">What reports call them.</param>
/// <param name="clipOf">The clip of each parameter of the optimizer by its number, or −1.</param>
internal sealed class UpdateClipPlaces(string[] names, int[] clipOf)
{
    /// <summary>No clip.</summary>
    public static UpdateClipPlaces None { get; } = new([], []);

    /// <summary>What reports call them.</summary>
    public IReadOnlyList<string> Names { get; } = names;

    /// <summary>The clip of a parameter, or −1.</summary>
    /// <param name="parameter">The parameter's number.</param>
    public int ClipOf(int parameter) => Names.Count == 0 ? -1 : clipOf[parameter];
}
