namespace Minigrad.Gpu;

/// <summary>
/// What computes matrix products. Internal: a user has no reason to choose, but tests hold one against the other and
/// benchmarks measure both.
/// </summary>
internal enum MatrixProductEngine
{
    /// <summary>cuBLAS for single products where it is there, else our kernels.</summary>
    Automatic,

    /// <summary>Our kernels.</summary>
    Own,

    /// <summary>cuBLAS, which must be there, for single products.</summary>
    CuBlas,
}
