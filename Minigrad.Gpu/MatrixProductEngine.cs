namespace Minigrad.Gpu;

/// <summary>
/// What computes matrix products. Internal: a user has no reason to choose, but tests hold one against the other and
/// benchmarks measure both.
/// </summary>
internal enum MatrixProductEngine
{
    /// <summary>cuBLAS for single products where it is there and worth a call, else our kernels; in 16 bits in a scope of half precision.</summary>
    Automatic,

    /// <summary>Our kernels.</summary>
    Own,

    /// <summary>cuBLAS, which must be there, for all single products, of float32.</summary>
    CuBlas,
}
