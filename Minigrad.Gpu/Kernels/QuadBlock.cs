namespace Minigrad.Gpu.Kernels;

/// <summary>4 × 4 elements of a matrix product in the registers of one thread.</summary>
/// <param name="first">The first row.</param>
/// <param name="second">The second row.</param>
/// <param name="third">The third row.</param>
/// <param name="fourth">The fourth row.</param>
internal readonly struct QuadBlock(Quad first, Quad second, Quad third, Quad fourth)
{
    /// <summary>The first row.</summary>
    public readonly Quad First = first;

    /// <summary>The second row.</summary>
    public readonly Quad Second = second;

    /// <summary>The third row.</summary>
    public readonly Quad Third = third;

    /// <summary>The fourth row.</summary>
    public readonly Quad Fourth = fourth;

    /// <summary>this + column · row: one step of the depth.</summary>
    /// <param name="column">Four elements of a column of A.</param>
    /// <param name="row">Four elements of a row of B.</param>
    public QuadBlock AddProduct(Quad column, Quad row) => new(
        First.AddProduct(column.X, row),
        Second.AddProduct(column.Y, row),
        Third.AddProduct(column.Z, row),
        Fourth.AddProduct(column.W, row));
}
