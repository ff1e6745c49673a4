namespace Minigrad.EmulatedCuda;

/// <summary>What the driver answers.</summary>
internal enum CudaResult
{
    /// <summary>It was done, or will be.</summary>
    Success = 0,

    /// <summary>An argument is wrong.</summary>
    InvalidValue = 1,

    /// <summary>There is not so much memory.</summary>
    OutOfMemory = 2,

    /// <summary>There is no such device.</summary>
    InvalidDevice = 101,

    /// <summary>The text of a kernel can't be read.</summary>
    InvalidPtx = 218,

    /// <summary>There is no such kernel.</summary>
    NotFound = 500,

    /// <summary>The device has not come so far.</summary>
    NotReady = 600,

    /// <summary>A kernel did what it may not. Whatever is asked afterwards is answered so.</summary>
    IllegalAddress = 700,
}
