namespace Minigrad.Backends;

/// <summary>Which numbers of the counter-based generator a fill uses.</summary>
/// <param name="Seed">The seed of the run.</param>
/// <param name="Stream">The purpose's stream, so that dropout does not shift what initialisation draws.</param>
/// <param name="Position">How many numbers of the stream were used before.</param>
public readonly record struct Randomness(ulong Seed, ulong Stream, ulong Position);
