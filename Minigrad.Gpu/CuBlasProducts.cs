using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;
using Minigrad.Backends;

namespace Minigrad.Gpu;

/// <summary>
/// Matrix products by NVIDIA's cuBLAS, where the machine has it: in full float32 precision (never TF32), on the stream of
/// everything else. NVIDIA documents that it gives the same bits on every run as long as a handle is used on one stream
/// (cuBLAS documentation, "Results reproducibility").
/// </summary>
internal sealed class CuBlasProducts : IDisposable
{
    private readonly CuBlas library;

    private CuBlasProducts(CuBlas library) => this.library = library;

    /// <summary>Opens the library, or gives null where it is not installed or does not fit the driver.</summary>
    /// <param name="accelerator">The device.</param>
    public static CuBlasProducts? Open(CudaAccelerator accelerator)
    {
        try
        {
            // A new handle computes in the default mode, which is full float32.
            return new CuBlasProducts(new CuBlas(accelerator));
        }
        catch (Exception exception) when (exception is DllNotFoundException or EntryPointNotFoundException or CuBlasException)
        {
            return null;
        }
    }

    /// <summary>C = op(A) · op(B), one product.</summary>
    /// <remarks>
    /// cuBLAS counts by columns, so a row-major matrix is its transpose there: what is computed is Cᵀ = op(B)ᵀ · op(A)ᵀ.
    /// </remarks>
    /// <param name="stream">The stream of everything else.</param>
    /// <param name="shape">The shape; its batch is 1, and no dimension is 0.</param>
    /// <param name="left">A.</param>
    /// <param name="right">B.</param>
    /// <param name="result">C.</param>
    public void Product(
        AcceleratorStream stream, MatrixProductShape shape, ArrayView<float> left, ArrayView<float> right, ArrayView<float> result)
    {
        library.Stream = (CudaStream)stream;
        library.Gemm(
            shape.TransposeRight ? CuBlasOperation.Transpose : CuBlasOperation.NonTranspose,
            shape.TransposeLeft ? CuBlasOperation.Transpose : CuBlasOperation.NonTranspose,
            shape.Columns,
            shape.Rows,
            shape.Depth,
            1f,
            right,
            shape.TransposeRight ? shape.Depth : shape.Columns,
            left,
            shape.TransposeLeft ? shape.Rows : shape.Depth,
            0f,
            result,
            shape.Columns);
    }

    /// <inheritdoc/>
    public void Dispose() => library.Dispose();
}
