using Minigrad.EmulatedCuda;

namespace Minigrad.Tests.EmulatedCuda;

/// <summary>The emulated functions of cuBLAS, on the driver's memory.</summary>
[Collection(DriverTests.Collection)]
public sealed unsafe class BlasTests
{
    private const int InvalidValue = 7;
    private const int ExecutionFailed = 13;
    private const int NotSupported = 15;

    private static readonly delegate* unmanaged<nint, int, int, int, int, int, float*, byte*, int, byte*, int, float*, byte*, int, int> Product = &Blas.Product;
    private static readonly delegate* unmanaged<nint, int, int, int, int, int, float*, byte*, int, int, byte*, int, int, float*, byte*, int, int, int, int, int> MixedProduct = &Blas.MixedProduct;

    /// <summary>A of 2 × 3 and B of 3 × 2, column by column, and their transposes.</summary>
    [Theory]
    [InlineData(0, 0)]
    [InlineData(0, 1)]
    [InlineData(1, 0)]
    [InlineData(1, 1)]
    public void A_product_counts_by_columns(int transposeA, int transposeB)
    {
        float[] a = transposeA == 0 ? [1, 4, 2, 5, 3, 6] : [1, 2, 3, 4, 5, 6];
        float[] b = transposeB == 0 ? [7, 9, 11, 8, 10, 12] : [7, 8, 9, 10, 11, 12];
        using Memory device = new([.. a, .. b, 1, 1, 1, 1]);
        float factor = 2;
        float before = 3;
        byte* begin = device.Begin;
        Assert.Equal(0, Product(1, transposeA, transposeB, 2, 2, 3, &factor, begin, transposeA == 0 ? 2 : 3, begin + 24, transposeB == 0 ? 3 : 2, &before, begin + 48, 2));

        // [[1 2 3] [4 5 6]] · [[7 8] [9 10] [11 12]] is [[58 64] [139 154]].
        Assert.Equal([119f, 281f, 131f, 311f], device.Read(12, 4));
    }

    [Theory]
    [InlineData(2, 0x3C004000u, 0x42004400u)] // IEEE half: 2 and 1, 4 and 3, the lower half of a word first.
    [InlineData(14, 0x3F804000u, 0x40404080u)] // bfloat16.
    public void Numbers_of_16_bits_are_multiplied_exactly(int format, uint a, uint b)
    {
        using Memory device = new([BitConverter.UInt32BitsToSingle(a), BitConverter.UInt32BitsToSingle(b), 9]);
        float factor = 1;
        float before = 0;
        byte* begin = device.Begin;
        Assert.Equal(0, MixedProduct(1, 0, 0, 1, 1, 2, &factor, begin, format, 1, begin + 4, format, 2, &before, begin + 8, 0, 1, 68, -1));
        Assert.Equal([11f], device.Read(2, 1));
    }

    [Fact]
    public void What_cuBLAS_does_not_take_is_refused()
    {
        using Memory device = new([1, 2, 3, 4]);
        float factor = 1;
        byte* begin = device.Begin;
        Assert.Equal(InvalidValue, Product(1, 0, 0, 2, 1, 1, &factor, begin, 1, begin, 1, &factor, begin + 8, 2));
        Assert.Equal(InvalidValue, Product(1, 0, 0, 2, 1, 1, &factor, begin, 2, begin, 1, &factor, begin + 8, 1));
        Assert.Equal(NotSupported, MixedProduct(1, 0, 0, 1, 1, 1, &factor, begin, 2, 1, begin, 14, 1, &factor, begin + 8, 0, 1, 68, -1));
        Assert.Equal(NotSupported, MixedProduct(1, 0, 0, 1, 1, 1, &factor, begin, 2, 1, begin, 2, 1, &factor, begin + 8, 2, 1, 68, -1));
        Assert.Equal(ExecutionFailed, Product(1, 0, 0, 2, 2, 1, &factor, begin, 2, begin + 8, 1, &factor, begin + 8, 2));
    }

    /// <summary>Numbers on the emulated device, in a context of their own.</summary>
    private sealed class Memory : IDisposable
    {
        private static readonly delegate* unmanaged<nint*, int, int, CudaResult> CreateContext = &Driver.CreateContext;
        private static readonly delegate* unmanaged<byte**, nuint, CudaResult> Allocate = &Driver.Allocate;
        private static readonly delegate* unmanaged<byte*, CudaResult> Free = &Driver.Free;
        private static readonly delegate* unmanaged<CudaResult> Synchronize = &Driver.SynchronizeContext;

        public Memory(float[] values)
        {
            nint context;
            byte* begin;
            Assert.Equal(CudaResult.Success, CreateContext(&context, 0, 0));
            Assert.Equal(CudaResult.Success, Allocate(&begin, (nuint)(4 * values.Length)));
            Begin = begin;
            values.CopyTo(new Span<float>(begin, values.Length));
        }

        public byte* Begin { get; }

        public float[] Read(int first, int count)
        {
            Assert.Equal(CudaResult.Success, Synchronize());
            return new Span<float>(Begin + (4 * first), count).ToArray();
        }

        public void Dispose() => Free(Begin);
    }
}
