namespace Minigrad.Gpu.Kernels;

/// <summary>Where what belongs to one parameter lies in the tables of a step.</summary>
/// <param name="set">The set of gradients that it belongs to; −2 if it has no gradient in this step.</param>
/// <param name="firstChunk">Its first chunk.</param>
/// <param name="chunkCount">How many chunks it has.</param>
/// <param name="firstUnit">Its first unit.</param>
/// <param name="unitCount">How many units it has.</param>
internal readonly struct ParameterPlace(int set, int firstChunk, int chunkCount, int firstUnit, int unitCount)
{
    /// <summary>The set of a parameter that has no gradient.</summary>
    public const int NoGradient = -2;

    /// <summary>The set of gradients that it belongs to.</summary>
    public readonly int Set = set;

    /// <summary>Its first chunk.</summary>
    public readonly int FirstChunk = firstChunk;

    /// <summary>How many chunks it has.</summary>
    public readonly int ChunkCount = chunkCount;

    /// <summary>Its first unit.</summary>
    public readonly int FirstUnit = firstUnit;

    /// <summary>How many units it has.</summary>
    public readonly int UnitCount = unitCount;
}
