using CsCheck;
using Minigrad.Backends;
using Minigrad.Gpu;
using Minigrad.Numerics;
using Minigrad.Operations;

namespace Minigrad.Tests.Gpu;

/// <summary>Every way to compute a matrix product on the device, held against three plain loops in double precision.</summary>
public sealed class MatrixProductTests(GpuFixture fixture) : IClassFixture<GpuFixture>
{
    private const int Cases = 25;

    private GpuBackend Gpu => fixture.Backend;

    /// <summary>The plans that the device under test can run, whole and with the depth split.</summary>
    private IEnumerable<ProductPlan> Plans
    {
        get
        {
            ProductPlan[] tiles = Gpu.Device.Kind == GpuDeviceKind.CpuAccelerator
                ? [new(IsSliced: false, 2, 1, 1), new(IsSliced: true, 2, 2, 1)]
                : [new(IsSliced: false, 16, 1, 1), new(IsSliced: true, 16, 1, 1), new(IsSliced: true, 8, 4, 1)];
            return tiles.SelectMany(tile => (ProductPlan[])[tile, tile with { Splits = 3 }]);
        }
    }

    [Fact]
    public void Every_plan_computes_every_shape()
    {
        foreach (ProductPlan plan in Plans)
        {
            int edge = plan.Tile;
            Gen.Select(Gen.Int[1, edge + 3], Gen.Int[1, edge + 3], Gen.Int[1, (2 * plan.DepthStep) + 5], Gen.Int[1, 2], Gen.Int[0, 31]).Sample(
                (rows, columns, depth, batch, flags) => Check(Shape(rows, columns, depth, batch, flags), (flags & 16) != 0, plan),
                iter: Cases,
                threads: 1);
        }
    }

    [Fact]
    public void Edges_of_tiles()
    {
        foreach (ProductPlan plan in Plans)
        {
            foreach (int size in (int[])[plan.Tile - 1, plan.Tile, plan.Tile + 1])
            {
                for (int flags = 0; flags < 4; flags++)
                {
                    Check(Shape(size, size, plan.DepthStep * plan.Splits, 1, flags), hasBias: true, plan);
                    Check(Shape(1, size, (plan.DepthStep * plan.Splits) + 1, 1, flags), hasBias: false, plan);
                }
            }
        }
    }

    [Fact]
    public void Chosen_plans_compute_what_training_asks_for()
    {
        int shrink = Gpu.Device.Kind == GpuDeviceKind.CpuAccelerator ? 8 : 1;
        foreach ((int rows, int columns, int depth) in ((int, int, int)[])[(64, 128, 784), (10, 128, 64), (32, 1024, 256), (1, 256, 1024), (256, 64, 2048)])
        {
            for (int flags = 0; flags < 4; flags++)
            {
                MatrixProductShape shape = Shape(Math.Max(1, rows / shrink), columns / shrink, depth / shrink, 1, flags);
                Check(shape, hasBias: true, plan: null);
            }
        }
    }

    [Fact]
    public void A_product_of_no_depth_is_its_bias()
    {
        Storage result = GpuFixture.Upload(Gpu, 7f, 7f, 7f, 7f);
        Gpu.MatrixProduct(new MatrixProductShape(2, 2, 0), Gpu.Allocate(0), Gpu.Allocate(0), result, GpuFixture.Upload(Gpu, 1f, 2f), default(Identity));
        Assert.Equal([1f, 2f, 1f, 2f], GpuFixture.Download(result));
        Gpu.MatrixProduct(new MatrixProductShape(2, 2, 0), Gpu.Allocate(0), Gpu.Allocate(0), result);
        Assert.Equal([0f, 0f, 0f, 0f], GpuFixture.Download(result));
    }

    [Fact]
    public void Products_repeat_bit_by_bit()
    {
        foreach (ProductPlan plan in Plans)
        {
            MatrixProductShape shape = new(plan.Tile + 1, plan.Tile, 5 * plan.DepthStep);
            float[] first = Product(shape, null, plan, Numbers(shape.Rows * shape.Depth, 1), Numbers(shape.Depth * shape.Columns, 2));
            float[] second = Product(shape, null, plan, Numbers(shape.Rows * shape.Depth, 1), Numbers(shape.Depth * shape.Columns, 2));
            Assert.Equal(first, second);
        }
    }

    /// <summary>Of ones that follow 2²⁶ one sum would have lost all; here those of a whole part come through.</summary>
    [Fact]
    public void A_deep_product_is_made_of_parts()
    {
        const int Depth = 9000;
        MatrixProductShape shape = new(9, 2, Depth);
        float[] row = [1 << 26, .. Enumerable.Repeat(1f, Depth - 2), -(1 << 26)];
        float[] left = [.. Enumerable.Repeat(row, 9).SelectMany(numbers => numbers)];
        float[] found = Product(shape, [0f, 0f], null, left, [.. Enumerable.Repeat(1f, 2 * Depth)]);
        Assert.All(found, sum => Assert.InRange(sum, 3000f, Depth));
    }

    /// <summary>Parts of 4,096 steps, unless their sums would take too much memory.</summary>
    [Theory]
    [InlineData(1, 1, 4096, 1)]
    [InlineData(1, 1, 4097, 2)]
    [InlineData(7, 9, 20_000_000, 4883)]
    [InlineData(4096, 4096, 60_000, 4)]
    [InlineData(40_000, 40_000, 9_000, 1)]
    [InlineData(1, 1, 2_147_418_112, 524_272)]
    public void A_great_depth_is_split(int rows, int columns, int depth, int splits)
    {
        ProductPlan plan = new(IsSliced: true, 16, 1, 1);
        MatrixProductShape shape = new(rows, columns, depth);
        ProductPlan found = plan.InChains(shape);
        Assert.Equal(splits, found.Splits);
        Assert.InRange((long)found.SplitDepth(depth) * splits, depth, depth + ((long)plan.DepthStep * splits));
        Assert.Equal(600_000, (plan with { Splits = 600_000 }).InChains(shape).Splits);
    }

    [Fact]
    public void Infinity_and_NaN_go_through_and_spread_no_further()
    {
        foreach (ProductPlan plan in Plans)
        {
            MatrixProductShape shape = new(3, 2, 4);
            float[] left = [1f, 2f, 3f, 4f, float.NaN, 0f, 0f, 0f, float.PositiveInfinity, 0f, 0f, 0f];
            float[] found = Product(shape, null, plan, left, [1f, 1f, 1f, 1f, 1f, 1f, 1f, 1f]);
            Assert.Equal([10f, 10f, float.NaN, float.NaN, float.PositiveInfinity, float.PositiveInfinity], found);
        }
    }

    [Theory]
    [InlineData(4096, 4096, 4096, false, 16, 1)]
    [InlineData(1024, 256, 2048, false, 0, 0)]
    [InlineData(32, 1024, 256, true, 8, 1)]
    [InlineData(128, 10, 64, true, 8, 1)]
    public void Large_products_use_wide_tiles_and_small_ones_slices(int rows, int columns, int depth, bool isSliced, int side, int splits)
    {
        ProductPlan plan = ProductPlan.Choose(new MatrixProductShape(rows, columns, depth), multiprocessors: 132);
        Assert.True(side == 0 || (plan.IsSliced, plan.Side, plan.Splits) == (isSliced, side, splits), plan.ToString());
        Assert.InRange(plan.SplitDepth(depth) * plan.Splits, depth, int.MaxValue);
    }

    [Fact]
    public void Split_products_fill_a_device()
    {
        // The weight gradient of a recurrent layer: 16 tiles of 128 × 128 would leave most of 132 multiprocessors idle.
        MatrixProductShape shape = new(1024, 256, 2048);
        ProductPlan plan = ProductPlan.Choose(shape, multiprocessors: 132);
        Assert.InRange(plan.Tiles(shape) * plan.Splits, 64, 1024);
    }

    [Fact]
    public void An_engine_that_is_not_there_is_refused()
    {
        if (!Gpu.HasCuBlas)
        {
            GpuException exception = Assert.Throws<GpuException>(() => Gpu.ProductEngine = MatrixProductEngine.CuBlas);
            Assert.Contains("libcublas", exception.Message, StringComparison.Ordinal);
        }

        Assert.Equal(MatrixProductEngine.Automatic, Gpu.ProductEngine);
    }

    /// <summary>Without cuBLAS both are our kernels, and the test says that forcing them changes nothing.</summary>
    [Fact]
    public void Engines_agree()
    {
        MatrixProductShape shape = new(17, 9, 33);
        float[] left = Numbers(17 * 33, 1);
        float[] right = Numbers(33 * 9, 2);
        float[] automatic = Product(shape, null, null, left, right);
        Gpu.ProductEngine = MatrixProductEngine.Own;
        float[] own = Product(shape, null, null, left, right);
        Gpu.ProductEngine = MatrixProductEngine.Automatic;
        Assert.All(automatic.Zip(own), pair => Assert.Equal(pair.First, pair.Second, 1e-4f));
    }

    private static MatrixProductShape Shape(int rows, int columns, int depth, int batch, int flags) => new(rows, columns, depth)
    {
        Batch = batch,
        TransposeLeft = (flags & 1) != 0,
        TransposeRight = (flags & 2) != 0,
        SharedLeft = (flags & 4) != 0,
        SharedRight = (flags & 8) != 0,
    };

    private static float[] Numbers(int length, ulong seed)
    {
        float[] values = new float[length];
        for (int i = 0; i < length; i++)
        {
            Philox.Uniform(seed, 0, (ulong)i, out values[i], out _);
            values[i] -= 0.5f;
        }

        return values;
    }

    private void Check(MatrixProductShape shape, bool hasBias, ProductPlan? plan)
    {
        float[] left = Numbers(shape.Rows * shape.Depth * (shape.SharedLeft ? 1 : shape.Batch), 1);
        float[] right = Numbers(shape.Depth * shape.Columns * (shape.SharedRight ? 1 : shape.Batch), 2);
        float[]? bias = hasBias ? Numbers(shape.Columns, 3) : null;
        float[] found = Product(shape, bias, plan, left, right);
        for (int i = 0; i < found.Length; i++)
        {
            (double sum, double magnitude) = Element(shape, left, right, bias, i);

            // A float32 sum in any order is off by at most depth · 6e-8 of the sum of the magnitudes.
            double tolerance = 6e-8 * (shape.Depth + 2) * magnitude;
            Assert.True(Math.Abs(found[i] - sum) <= tolerance, $"{shape}, {plan}: element {i} is {found[i]:R} instead of {sum:R}");
        }
    }

    private static (double Sum, double Magnitude) Element(
        MatrixProductShape shape, float[] left, float[] right, float[]? bias, int i)
    {
        int column = i % shape.Columns;
        int row = i / shape.Columns % shape.Rows;
        int batch = i / shape.Columns / shape.Rows;
        int a = shape.SharedLeft ? 0 : batch * shape.Rows * shape.Depth;
        int b = shape.SharedRight ? 0 : batch * shape.Depth * shape.Columns;
        double sum = bias?[column] ?? 0f;
        double magnitude = Math.Abs(sum);
        for (int k = 0; k < shape.Depth; k++)
        {
            double x = left[a + (shape.TransposeLeft ? (k * shape.Rows) + row : (row * shape.Depth) + k)];
            double y = right[b + (shape.TransposeRight ? (column * shape.Depth) + k : (k * shape.Columns) + column)];
            sum += x * y;
            magnitude += Math.Abs(x * y);
        }

        return (sum, magnitude);
    }

    private float[] Product(MatrixProductShape shape, float[]? bias, ProductPlan? plan, float[] left, float[] right)
    {
        Storage result = Gpu.Allocate(shape.Batch * shape.Rows * shape.Columns);
        Gpu.Fill(result, float.NaN);
        Storage a = GpuFixture.Upload(Gpu, left);
        Storage b = GpuFixture.Upload(Gpu, right);
        Storage? added = bias is null ? null : GpuFixture.Upload(Gpu, bias);
        if (plan is { } chosen)
        {
            Gpu.MatrixProduct(chosen, shape, a, b, result, added);
        }
        else
        {
            Gpu.MatrixProduct(shape, a, b, result, added, default(Identity));
        }

        return GpuFixture.Download(result);
    }
}
