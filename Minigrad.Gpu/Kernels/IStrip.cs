namespace Minigrad.Gpu.Kernels;

/// <summary>The lines (rows of A, columns of B) of one operand that a tile needs, and where they lie in memory.</summary>
internal interface IStrip
{
    /// <summary>The step along the depth; 1 tells threads side by side to read along it.</summary>
    int DepthStep { get; }

    /// <summary>Where an element lies, or −1 for a line that the matrix does not have.</summary>
    /// <param name="line">The line of the tile.</param>
    /// <param name="depth">The place along the depth.</param>
    int Place(int line, int depth);
}
