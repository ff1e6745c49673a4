using ILGPU;

namespace Minigrad.Gpu.Kernels;

/// <summary>
/// Matrix products. A group computes a tile of the result: it copies a strip of each operand to shared memory, and each
/// thread keeps 4 × 4 or 8 × 8 elements in registers, so that a number that was read is used that often. The strips of the
/// next step are already on their way while one is computed. Steps between elements say how an operand is read, so
/// transposing costs nothing; what lies outside a matrix is read as 0 and not written.
/// </summary>
/// <remarks>
/// An element is one sum over the depth, or, where a product has too few tiles to fill a device, a sum of sums over equal
/// parts of it; which one follows from the shape and the device alone.
/// </remarks>
internal static class MatrixKernels
{
    /// <summary>
    /// C = op(A) · op(B) with 8 × 8 elements a thread, in four blocks of 4 × 4 half a tile apart, so that threads side by
    /// side read side by side.
    /// </summary>
    public static void BlockedProduct<TTile>(
        MatrixArguments shape, ArrayView<float> left, ArrayView<float> right, ArrayView<float> bias, ArrayView<float> result)
        where TTile : unmanaged, ITile
    {
        int side = TTile.Side;
        int tile = 8 * side;
        int depth = side >> 1;
        int pitch = (2 * side) + 1;
        ArrayView<Quad> leftStrip = SharedMemory.Allocate<Quad>((TTile.Side >> 1) * ((2 * TTile.Side) + 1));
        ArrayView<Quad> rightStrip = SharedMemory.Allocate<Quad>((TTile.Side >> 1) * ((2 * TTile.Side) + 1));
        ArrayView<float> leftNumbers = leftStrip.Cast<float>();
        ArrayView<float> rightNumbers = rightStrip.Cast<float>();
        int thread = Group.IdxX;
        int x = thread % side;
        int y = thread / side;
        TilePlace place = shape.Place(Grid.IdxX, tile);
        Strip rows = shape.LeftOf(place);
        Strip columns = shape.RightOf(place);
        StripCopy copy = new(thread, side * side, tile, depth);

        QuadBlock topLeft = default;
        QuadBlock topRight = default;
        QuadBlock bottomLeft = default;
        QuadBlock bottomRight = default;
        Quad nextLeft = copy.Fetch(left, rows, place.Begin, place.End);
        Quad nextRight = copy.Fetch(right, columns, place.Begin, place.End);
        for (int step = place.Begin; step < place.End; step += depth)
        {
            copy.Store(nextLeft, leftNumbers, rows.DepthStep);
            copy.Store(nextRight, rightNumbers, columns.DepthStep);
            Group.Barrier();
            nextLeft = copy.Fetch(left, rows, step + depth, place.End);
            nextRight = copy.Fetch(right, columns, step + depth, place.End);
            for (int k = 0; k < depth; k++)
            {
                Quad top = TTile.Read(leftStrip, (k * pitch) + y);
                Quad bottom = TTile.Read(leftStrip, (k * pitch) + side + y);
                Quad first = TTile.Read(rightStrip, (k * pitch) + x);
                Quad second = TTile.Read(rightStrip, (k * pitch) + side + x);
                topLeft = topLeft.AddProduct(top, first);
                topRight = topRight.AddProduct(top, second);
                bottomLeft = bottomLeft.AddProduct(bottom, first);
                bottomRight = bottomRight.AddProduct(bottom, second);
            }

            Group.Barrier();
        }

        int row = place.Row + (4 * y);
        int column = place.Column + (4 * x);
        Write(topLeft, shape, place, row, column, bias, result);
        Write(topRight, shape, place, row, column + (4 * side), bias, result);
        Write(bottomLeft, shape, place, row + (4 * side), column, bias, result);
        Write(bottomRight, shape, place, row + (4 * side), column + (4 * side), bias, result);
    }

    /// <summary>C = op(A) · op(B) with 4 × 4 elements a thread and slices along the depth; see <see cref="SlicedSum"/>.</summary>
    public static void SlicedProduct<TTile>(
        MatrixArguments shape, ArrayView<float> left, ArrayView<float> right, ArrayView<float> bias, ArrayView<float> result)
        where TTile : unmanaged, ITile
    {
        int tile = 4 * TTile.Side;
        TilePlace place = shape.Place(Grid.IdxX, tile);
        ArrayView<float> sums = SlicedSum.Compute<TTile, Strip, Strip>(
            left, shape.LeftOf(place), right, shape.RightOf(place), place.Begin, place.End);
        for (int element = Group.IdxX; element < tile * tile; element += Group.DimX)
        {
            int row = place.Row + (element / tile);
            int column = place.Column + (element % tile);
            if (row < shape.Rows && column < shape.Columns)
            {
                float sum = SlicedSum.Element<TTile>(sums, element);
                if (shape.HasBias != 0 && shape.Splits == 1)
                {
                    sum += bias[column];
                }

                result[(((place.Result * shape.Rows) + row) * shape.Columns) + column] = sum;
            }
        }
    }

    /// <summary>The second pass of a product whose depth was split: adds the parts in order, and the bias.</summary>
    public static void AddSplits(
        Index1D output, MatrixArguments shape, ArrayView<float> parts, ArrayView<float> bias, ArrayView<float> result)
    {
        int outputs = shape.Batch * shape.Rows * shape.Columns;
        float sum = 0f;
        for (int split = 0; split < shape.Splits; split++)
        {
            sum += parts[(split * outputs) + output];
        }

        if (shape.HasBias != 0)
        {
            sum += bias[output % shape.Columns];
        }

        result[output] = sum;
    }

    private static void Write(
        QuadBlock block, MatrixArguments shape, TilePlace place, int row, int column, ArrayView<float> bias, ArrayView<float> result)
    {
        Quad added = default;
        if (shape.HasBias != 0 && shape.Splits == 1)
        {
            added = new Quad(
                BiasAt(shape, column, bias),
                BiasAt(shape, column + 1, bias),
                BiasAt(shape, column + 2, bias),
                BiasAt(shape, column + 3, bias));
        }

        Write(block.First + added, shape, place, row, column, result);
        Write(block.Second + added, shape, place, row + 1, column, result);
        Write(block.Third + added, shape, place, row + 2, column, result);
        Write(block.Fourth + added, shape, place, row + 3, column, result);
    }

    private static float BiasAt(MatrixArguments shape, int column, ArrayView<float> bias)
    {
        float value = 0f;
        if (column < shape.Columns)
        {
            value = bias[column];
        }

        return value;
    }

    private static void Write(
        Quad values, MatrixArguments shape, TilePlace place, int row, int column, ArrayView<float> result)
    {
        if (row < shape.Rows)
        {
            int start = (((place.Result * shape.Rows) + row) * shape.Columns) + column;
            if (column < shape.Columns)
            {
                result[start] = values.X;
            }

            if (column + 1 < shape.Columns)
            {
                result[start + 1] = values.Y;
            }

            if (column + 2 < shape.Columns)
            {
                result[start + 2] = values.Z;
            }

            if (column + 3 < shape.Columns)
            {
                result[start + 3] = values.W;
            }
        }
    }
}
