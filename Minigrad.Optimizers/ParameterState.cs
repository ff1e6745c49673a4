namespace Minigrad.Optimizers;

/// <summary>What an optimizer remembers of one parameter.</summary>
/// <param name="Name">The parameter's name, for messages and to know the order again.</param>
/// <param name="Step">How many updates it had.</param>
/// <param name="Slots">The rule's numbers, each as long as the parameter; empty before the first update.</param>
public sealed record ParameterState(string Name, int Step, IReadOnlyList<float[]> Slots);
