using System.Runtime.InteropServices;

namespace Minigrad.EmulatedCuda;

/// <summary>
/// The functions of cuBLAS that Minigrad calls, as cuBLAS's documentation has them: matrices lie column by column. A sum is exact
/// to double precision, and rounded once.
/// </summary>
internal static unsafe class Blas
{
    private const int Single = 0;
    private const int Half = 2;
    private const int BFloat16 = 14;
    private const int SumsInSingle = 68;
    private const int Success = 0;
    private const int InvalidValue = 7;
    private const int ExecutionFailed = 13;
    private const int NotSupported = 15;

    [UnmanagedCallersOnly(EntryPoint = "cublasCreate_v2")]
    public static int Create(nint* handle)
    {
        *handle = 1;
        return Success;
    }

    [UnmanagedCallersOnly(EntryPoint = "cublasDestroy_v2")]
    public static int Destroy(nint handle) => Success;

    [UnmanagedCallersOnly(EntryPoint = "cublasGetVersion_v2")]
    public static int GetVersion(nint handle, int* version)
    {
        *version = 120400;
        return Success;
    }

    [UnmanagedCallersOnly(EntryPoint = "cublasSetStream_v2")]
    public static int SetStream(nint handle, nint stream) => Success;

    /// <summary>C = factor · op(A) · op(B) + before · C of float32: <c>[rows, depth] × [depth, columns] → [rows, columns]</c>.</summary>
    [UnmanagedCallersOnly(EntryPoint = "cublasSgemm_v2")]
    public static int Product(
        nint handle, int first, int second, int rows, int columns, int depth, float* factor, byte* a, int stepOfA, byte* b, int stepOfB, float* before, byte* c, int stepOfC) =>
        Product(rows, columns, depth, *factor, new(a, Single, stepOfA, first != 0), new(b, Single, stepOfB, second != 0), *before, c, stepOfC);

    /// <summary>The same of two matrices of a format of 16 bits, or of float32.</summary>
    [UnmanagedCallersOnly(EntryPoint = "cublasGemmEx")]
    public static int MixedProduct(
        nint handle,
        int first,
        int second,
        int rows,
        int columns,
        int depth,
        float* factor,
        byte* a,
        int formatOfA,
        int stepOfA,
        byte* b,
        int formatOfB,
        int stepOfB,
        float* before,
        byte* c,
        int formatOfC,
        int stepOfC,
        int sums,
        int algorithm) => formatOfC == Single && sums == SumsInSingle && formatOfA == formatOfB && formatOfA is Single or Half or BFloat16
        ? Product(rows, columns, depth, *factor, new(a, formatOfA, stepOfA, first != 0), new(b, formatOfB, stepOfB, second != 0), *before, c, stepOfC)
        : NotSupported;

    private static int Product(int rows, int columns, int depth, float factor, Matrix a, Matrix b, float before, byte* c, int stepOfC)
    {
        if (rows < 0 || columns < 0 || depth < 0 || !a.Fits(rows, depth) || !b.Fits(depth, columns) || stepOfC < Math.Max(1, rows))
        {
            return InvalidValue;
        }

        nuint size = columns == 0 ? 0 : (nuint)(((long)stepOfC * (columns - 1)) + rows) * sizeof(float);
        return Driver.Ask(
            [((nint)a.Begin, a.SizeOf(rows, depth)), ((nint)b.Begin, b.SizeOf(depth, columns)), ((nint)c, size)],
            () =>
            {
                for (int column = 0; column < columns; column++)
                {
                    for (int row = 0; row < rows; row++)
                    {
                        double sum = 0;
                        for (int k = 0; k < depth; k++)
                        {
                            sum += (double)a[row, k] * b[k, column];
                        }

                        float* target = (float*)c + ((long)column * stepOfC) + row;
                        *target = (float)((factor * sum) + (before == 0 ? 0 : before * *target));
                    }
                }
            }) == CudaResult.Success ? Success : ExecutionFailed;
    }

    /// <summary>A matrix of which columns lie side by side, perhaps to be read as its transpose.</summary>
    private readonly struct Matrix(byte* begin, int format, int step, bool isTransposed)
    {
        public byte* Begin => begin;

        public float this[int row, int column]
        {
            get
            {
                long place = isTransposed ? ((long)row * step) + column : ((long)column * step) + row;
                return format switch
                {
                    Single => ((float*)begin)[place],
                    Half => (float)((System.Half*)begin)[place],
                    _ => BitConverter.UInt32BitsToSingle((uint)((ushort*)begin)[place] << 16),
                };
            }
        }

        public bool Fits(int rows, int columns) => step >= Math.Max(1, isTransposed ? columns : rows);

        public nuint SizeOf(int rows, int columns)
        {
            (int height, int width) = isTransposed ? (columns, rows) : (rows, columns);
            return height == 0 || width == 0 ? 0 : (nuint)(((long)step * (width - 1)) + height) * (format == Single ? 4u : 2u);
        }
    }
}
