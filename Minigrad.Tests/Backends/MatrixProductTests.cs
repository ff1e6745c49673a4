using CsCheck;
using Minigrad.Backends;
using Minigrad.Backends.Cpu;

namespace Minigrad.Tests.Backends;

/// <summary>The register-tiled product held against three plain loops.</summary>
public sealed class MatrixProductTests
{
    private static readonly Gen<int> Size = Gen.OneOf(Gen.Int[0, 5], Gen.Int[6, 40], Gen.OneOfConst(31, 32, 33, 63, 64, 65, 95, 96, 97, 130));

    private static readonly Gen<MatrixProductShape> Shapes =
        from rows in Size
        from columns in Size
        from depth in Size
        from batch in Gen.Int[0, 3]
        from flags in Gen.Int[0, 15]
        select new MatrixProductShape(rows, columns, depth)
        {
            Batch = batch,
            TransposeLeft = (flags & 1) != 0,
            TransposeRight = (flags & 2) != 0,
            SharedLeft = (flags & 4) != 0,
            SharedRight = (flags & 8) != 0,
        };

    [Fact]
    public void Any_shape_agrees_with_plain_loops() => Shapes.Sample(
        shape =>
        {
            (float[] left, float[] right) = Operands(shape);
            int length = shape.Batch * shape.Rows * shape.Columns;
            float[] result = [.. Enumerable.Repeat(-7f, length + 5)];
            MatrixProduct.Run(new Workers(), shape, left, right, result);
            double[] expected = Reference(shape, left, right);
            double tolerance = 1e-6 * Math.Sqrt(shape.Depth + 1) * 4;
            return Enumerable.Range(0, length).All(i => Math.Abs(result[i] - expected[i]) <= tolerance)
                && result.Skip(length).All(guard => guard == -7f);
        },
        iter: 400);

    [Fact]
    public void The_bits_do_not_depend_on_the_number_of_threads()
    {
        MatrixProductShape shape = new(230, 170, 90) { TransposeRight = true, Batch = 2 };
        (float[] left, float[] right) = Operands(shape);
        float[] Product(int threads)
        {
            float[] result = new float[2 * 230 * 170];
            MatrixProduct.Run(new Workers { ThreadCount = threads }, shape, left, right, result);
            return result;
        }

        Assert.Equal(Product(1), Product(2));
        Assert.Equal(Product(1), Product(4));
    }

    [Fact]
    public void NaN_and_infinity_are_not_skipped_and_stay_in_their_places()
    {
        MatrixProductShape shape = new(5, 33, 3);
        float[] left = new float[15];
        float[] right = [.. Enumerable.Repeat(1f, 99)];
        right[40] = float.NaN; // Row 1, column 7.
        right[10] = float.PositiveInfinity; // Row 0, column 10.
        float[] result = new float[5 * 33];
        MatrixProduct.Run(new Workers(), shape, left, right, result);
        for (int i = 0; i < result.Length; i++)
        {
            Assert.Equal(i % 33 is 7 or 10, float.IsNaN(result[i]));
        }
    }

    private static (float[] Left, float[] Right) Operands(MatrixProductShape shape)
    {
        Generator generator = new(5);
        int left = (shape.SharedLeft ? 1 : shape.Batch) * shape.Rows * shape.Depth;
        int right = (shape.SharedRight ? 1 : shape.Batch) * shape.Columns * shape.Depth;
        return (Tensor.Normal([left], generator: generator).ToArray(), Tensor.Normal([right], generator: generator).ToArray());
    }

    private static double[] Reference(MatrixProductShape shape, float[] left, float[] right)
    {
        double[] result = new double[shape.Batch * shape.Rows * shape.Columns];
        for (int b = 0; b < shape.Batch; b++)
        {
            int leftStart = shape.SharedLeft ? 0 : b * shape.Rows * shape.Depth;
            int rightStart = shape.SharedRight ? 0 : b * shape.Depth * shape.Columns;
            for (int i = 0; i < shape.Rows; i++)
            {
                for (int j = 0; j < shape.Columns; j++)
                {
                    for (int k = 0; k < shape.Depth; k++)
                    {
                        double a = left[leftStart + (shape.TransposeLeft ? (k * shape.Rows) + i : (i * shape.Depth) + k)];
                        double c = right[rightStart + (shape.TransposeRight ? (j * shape.Depth) + k : (k * shape.Columns) + j)];
                        result[(((b * shape.Rows) + i) * shape.Columns) + j] += a * c;
                    }
                }
            }
        }

        return result;
    }
}
