namespace Minigrad.Backends.Cpu;

/// <summary>Consecutive elements of one of the runs of a <see cref="BlockList"/>.</summary>
/// <param name="Run">Which run, by its number.</param>
/// <param name="Start">Where the block begins in the run's buffer.</param>
/// <param name="Length">How many elements it has.</param>
internal readonly record struct Block(int Run, int Start, int Length);
