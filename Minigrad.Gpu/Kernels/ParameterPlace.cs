using Minigrad.Backends;

namespace Minigrad.Gpu.Kernels;

/// <summary>Where what belongs to one parameter lies in the tables of a step.</summary>
/// <param name="set">The set of gradients that it belongs to; −2 if it has no gradient in this step.</param>
/// <param name="firstChunk">Its first chunk.</param>
/// <param name="chunkCount">How many chunks it has.</param>
/// <param name="firstUnit">The place of its first unit among all units.</param>
/// <param name="units">How many units it has; none if it has no gradient.</param>
/// <param name="length">How many elements it has.</param>
internal readonly struct ParameterPlace(int set, int firstChunk, int chunkCount, int firstUnit, UnitCounts units, int length)
{
    /// <summary>The set of a parameter that has no gradient.</summary>
    public const int NoGradient = -2;

    /// <summary>The set of gradients that it belongs to.</summary>
    public readonly int Set = set;

    /// <summary>Its first chunk.</summary>
    public readonly int FirstChunk = firstChunk;

    /// <summary>How many chunks it has.</summary>
    public readonly int ChunkCount = chunkCount;

    /// <summary>The place of its first unit among all units.</summary>
    public readonly int FirstUnit = firstUnit;

    /// <summary>How many rows it has.</summary>
    public readonly int RowCount = units.Rows;

    /// <summary>How many columns it has.</summary>
    public readonly int ColumnCount = units.Columns;

    /// <summary>How many elements it has.</summary>
    public readonly int Length = length;

    /// <summary>How many units it has of a kind.</summary>
    /// <param name="areColumns">1 for columns, 0 for rows.</param>
    public readonly int UnitCount(int areColumns) => areColumns != 0 ? ColumnCount : RowCount;
}
