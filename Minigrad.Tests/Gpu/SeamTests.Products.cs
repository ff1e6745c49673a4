using CsCheck;
using Minigrad.Backends;
using Minigrad.Operations;

namespace Minigrad.Tests.Gpu;

/// <content>Matrix products.</content>
public sealed partial class SeamTests
{
    [Fact]
    public void MatrixProduct() =>
        Gen.Select(Gen.Int[0, 9], Gen.Int[0, 9], Gen.Int[0, 17], Gen.Int[0, 3], Gen.Int[0, 63]).Sample(
            (rows, columns, depth, batch, flags) =>
            {
                MatrixProductShape shape = new(rows, columns, depth)
                {
                    Batch = batch,
                    TransposeLeft = (flags & 1) != 0,
                    TransposeRight = (flags & 2) != 0,
                    SharedLeft = (flags & 4) != 0,
                    SharedRight = (flags & 8) != 0,
                };
                int left = rows * depth * (shape.SharedLeft ? 1 : batch);
                int right = depth * columns * (shape.SharedRight ? 1 : batch);
                Same(
                    batch * rows * columns,
                    (backend, y) =>
                    {
                        Storage? bias = (flags & 16) != 0 ? Numbers(backend, columns, 3) : null;
                        Part a = Numbers(backend, left, 1);
                        Part b = Numbers(backend, right, 2);
                        if ((flags & 32) != 0)
                        {
                            backend.MatrixProduct(shape, a, b, y, bias, default(HyperbolicTangent));
                        }
                        else
                        {
                            backend.MatrixProduct(shape, a, b, y, bias, default(Identity));
                        }
                    },
                    1e-4f);
            },
            iter: 2 * Cases,
            threads: 1);

    [Fact]
    public void MatrixProduct_of_parts() => Same(
        20,
        (backend, y) =>
        {
            backend.Fill(y, -1f);
            MatrixProductShape shape = new(3, 4, 5) { TransposeRight = true };
            backend.MatrixProduct(
                shape, new Part(Numbers(backend, 30, 1), 7), new Part(Numbers(backend, 40, 2), 11), new Part(y, 6));
        },
        1e-4f);
}
