using System.Runtime.InteropServices;
using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;
using Minigrad.Backends;

namespace Minigrad.Gpu;

/// <summary>
/// Matrix products by NVIDIA's cuBLAS, where the machine has it: of float32 in full precision (never TF32), and of numbers of 16
/// bits, whose products are exact and are added in float32; on the stream of everything else. NVIDIA documents that it gives the same bits on every run as long as a handle is used on one stream
/// (cuBLAS documentation, "Results reproducibility").
/// </summary>
internal sealed class CuBlasProducts : IDisposable
{
    // What cublasGemmEx calls float32, its two formats of 16 bits, sums in float32, and the algorithm of its choice.
    private const int Single = 0;
    private const int Half = 2;
    private const int BFloat16 = 14;
    private const int SumsInSingle = 68;
    private const int AnyAlgorithm = -1;

    private readonly CuBlas library;
    private readonly GemmEx? productOf16Bits;

    private CuBlasProducts(CuBlas library)
    {
        this.library = library;
        productOf16Bits = Find("cublasGemmEx");
    }

    [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
    private delegate CuBlasStatus GemmEx(
        nint handle,
        CuBlasOperation first,
        CuBlasOperation second,
        int rows,
        int columns,
        int depth,
        in float factor,
        nint a,
        int formatOfA,
        int stepOfA,
        nint b,
        int formatOfB,
        int stepOfB,
        in float factorBefore,
        nint c,
        int formatOfC,
        int stepOfC,
        int sums,
        int algorithm);

    /// <summary>Whether <see cref="PairedProduct"/> is there; ILGPU's own binding has no mixed formats.</summary>
    public bool HasPairedProduct => productOf16Bits is not null;

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

    /// <summary>C = op(A) · op(B) of numbers of 16 bits, two in a word; C and all sums are float32.</summary>
    /// <param name="stream">The stream of everything else.</param>
    /// <param name="shape">The shape; its batch is 1, and no dimension is 0.</param>
    /// <param name="exponentBits">The format: 5 for IEEE half, 8 for bfloat16.</param>
    /// <param name="left">A.</param>
    /// <param name="right">B.</param>
    /// <param name="result">C.</param>
    public void PairedProduct(
        AcceleratorStream stream, MatrixProductShape shape, int exponentBits, ArrayView<int> left, ArrayView<int> right, ArrayView<float> result)
    {
        library.Stream = (CudaStream)stream;
        int format = exponentBits == 5 ? Half : BFloat16;
        CuBlasException.ThrowIfFailed(productOf16Bits!(
            library.Handle,
            shape.TransposeRight ? CuBlasOperation.Transpose : CuBlasOperation.NonTranspose,
            shape.TransposeLeft ? CuBlasOperation.Transpose : CuBlasOperation.NonTranspose,
            shape.Columns,
            shape.Rows,
            shape.Depth,
            1f,
            right.LoadEffectiveAddressAsPtr(),
            format,
            shape.TransposeRight ? shape.Depth : shape.Columns,
            left.LoadEffectiveAddressAsPtr(),
            format,
            shape.TransposeLeft ? shape.Rows : shape.Depth,
            0f,
            result.LoadEffectiveAddressAsPtr(),
            Single,
            shape.Columns,
            SumsInSingle,
            AnyAlgorithm));
    }

    /// <inheritdoc/>
    public void Dispose() => library.Dispose();

    /// <summary>A function of the very library that ILGPU has loaded, whose handle it is given; null if it is not there.</summary>
    private GemmEx? Find(string function)
    {
        int major = library.Version / 10000;
        string file = OperatingSystem.IsWindows() ? $"cublas64_{major}.dll" : $"libcublas.so.{major}";
        return major >= 11 && NativeLibrary.TryLoad(file, out nint module) && NativeLibrary.TryGetExport(module, function, out nint address)
            ? Marshal.GetDelegateForFunctionPointer<GemmEx>(address)
            : null;
    }
}
