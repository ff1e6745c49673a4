namespace Minigrad.EmulatedCuda;

/// <summary>A thread that reads or writes memory.</summary>
/// <param name="Run">The number of the launch; for what a block shares the number of the block among those of all launches.</param>
/// <param name="Thread">The thread among those of all blocks.</param>
/// <param name="Block">Its block.</param>
/// <param name="BlockSize">How many threads a block has.</param>
/// <param name="Barriers">How many barriers it has passed.</param>
internal readonly record struct Accessor(long Run, int Thread, int Block, int BlockSize, int Barriers);
