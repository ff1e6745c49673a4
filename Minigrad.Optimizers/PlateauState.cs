using System.Text.Json.Serialization;

namespace Minigrad.Optimizers;

/// <summary>What a <see cref="ReduceOnPlateau"/> remembers, as plain data that a serializer writes and reads back bit for bit.</summary>
/// <param name="Value">The value. JSON without it is no state: read under other names it would be 0, which teaches nothing.</param>
/// <param name="Best">The best metric so far, or null before the first.</param>
/// <param name="BadCount">How many metrics in a row were no improvement.</param>
/// <param name="CooldownLeft">For how many more metrics none is counted as bad.</param>
public sealed record PlateauState([property: JsonRequired] double Value, double? Best, int BadCount, int CooldownLeft);
