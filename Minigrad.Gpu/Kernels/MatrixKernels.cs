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
    /// <summary>How many numbers of each operand a thread brings to shared memory in one step, for any tile.</summary>
    private const int Quadruple = 4;

    /// <summary>
    /// C = op(A) · op(B) with 8 × 8 elements a thread, in four blocks of 4 × 4 half a tile apart, so that threads side by
    /// side read side by side.
    /// </summary>
    public static void BlockedProduct<TTile>(
        MatrixArguments shape, ArrayView<float> left, ArrayView<float> right, ArrayView<float> bias, ArrayView<float> result)
        where TTile : unmanaged, ITile
    {
        // Rows of a strip are four numbers longer than a tile: without that, threads that copy a column of numbers would
        // all write to one bank of shared memory.
        int side = TTile.Side;
        int tile = 8 * side;
        int depth = side / 2;
        int pitch = (2 * side) + 1;
        ArrayView<Quad> leftStrip = SharedMemory.Allocate<Quad>(TTile.Side / 2 * ((2 * TTile.Side) + 1));
        ArrayView<Quad> rightStrip = SharedMemory.Allocate<Quad>(TTile.Side / 2 * ((2 * TTile.Side) + 1));
        ArrayView<float> leftNumbers = leftStrip.Cast<float>();
        ArrayView<float> rightNumbers = rightStrip.Cast<float>();
        int thread = Group.IdxX;
        int x = thread % side;
        int y = thread / side;
        TilePlace place = shape.Place(Grid.IdxX, tile);

        QuadBlock topLeft = default;
        QuadBlock topRight = default;
        QuadBlock bottomLeft = default;
        QuadBlock bottomRight = default;
        Quad nextLeft = Fetch(left, shape.LeftOf(place), thread, tile, depth, side * side, place.Begin, place.End);
        Quad nextRight = Fetch(right, shape.RightOf(place), thread, tile, depth, side * side, place.Begin, place.End);
        for (int step = place.Begin; step < place.End; step += depth)
        {
            Store(nextLeft, leftNumbers, shape.LeftDepth, thread, tile, depth, side * side);
            Store(nextRight, rightNumbers, shape.RightDepth, thread, tile, depth, side * side);
            Group.Barrier();
            nextLeft = Fetch(left, shape.LeftOf(place), thread, tile, depth, side * side, step + depth, place.End);
            nextRight = Fetch(right, shape.RightOf(place), thread, tile, depth, side * side, step + depth, place.End);
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

    /// <summary>
    /// C = op(A) · op(B) with 4 × 4 elements a thread. The slices of a group take turns along the depth and their sums are
    /// added in order at the end: a small product, as one step of a recurrent layer, has few elements and needs its
    /// parallelism from the depth.
    /// </summary>
    public static void SlicedProduct<TTile>(
        MatrixArguments shape, ArrayView<float> left, ArrayView<float> right, ArrayView<float> bias, ArrayView<float> result)
        where TTile : unmanaged, ITile
    {
        int side = TTile.Side;
        int threads = side * side;
        int tile = 4 * side;
        int pitch = side + 1;
        ArrayView<Quad> leftStrips = SharedMemory.Allocate<Quad>(TTile.Slices * TTile.Side * (TTile.Side + 1));
        ArrayView<Quad> rightStrips = SharedMemory.Allocate<Quad>(TTile.Slices * TTile.Side * (TTile.Side + 1));
        int slice = Group.IdxX / threads;
        int thread = Group.IdxX % threads;
        int x = thread % side;
        int y = thread / side;
        int strip = slice * side * pitch;
        ArrayView<Quad> leftStrip = leftStrips.SubView(strip, side * pitch);
        ArrayView<Quad> rightStrip = rightStrips.SubView(strip, side * pitch);
        ArrayView<float> leftNumbers = leftStrip.Cast<float>();
        ArrayView<float> rightNumbers = rightStrip.Cast<float>();
        TilePlace place = shape.Place(Grid.IdxX, tile);

        QuadBlock sum = default;
        int ahead = slice * side;
        Quad nextLeft = Fetch(left, shape.LeftOf(place), thread, tile, side, threads, place.Begin + ahead, place.End);
        Quad nextRight = Fetch(right, shape.RightOf(place), thread, tile, side, threads, place.Begin + ahead, place.End);
        for (int step = place.Begin; step < place.End; step += TTile.Slices * side)
        {
            Store(nextLeft, leftNumbers, shape.LeftDepth, thread, tile, side, threads);
            Store(nextRight, rightNumbers, shape.RightDepth, thread, tile, side, threads);
            Group.Barrier();
            int next = step + (TTile.Slices * side) + ahead;
            nextLeft = Fetch(left, shape.LeftOf(place), thread, tile, side, threads, next, place.End);
            nextRight = Fetch(right, shape.RightOf(place), thread, tile, side, threads, next, place.End);
            for (int k = 0; k < side; k++)
            {
                sum = sum.AddProduct(TTile.Read(leftStrip, (k * pitch) + y), TTile.Read(rightStrip, (k * pitch) + x));
            }

            Group.Barrier();
        }

        if (TTile.Slices > 1)
        {
            sum = AddSlices<TTile>(sum, slice, thread);
        }

        if (slice == 0)
        {
            Write(sum, shape, place, place.Row + (4 * y), place.Column + (4 * x), bias, result);
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

    /// <summary>
    /// Reads what this thread brings to shared memory: numbers thread, thread + threads, … of the strip, counted in the
    /// order in which they lie in memory, so that threads side by side read side by side.
    /// </summary>
    private static Quad Fetch(
        ArrayView<float> values, Strip strip, int thread, int tile, int depth, int threads, int begin, int end) => new(
        Fetch(values, strip, thread, tile, depth, begin, end),
        Fetch(values, strip, thread + threads, tile, depth, begin, end),
        Fetch(values, strip, thread + (2 * threads), tile, depth, begin, end),
        Fetch(values, strip, thread + (3 * threads), tile, depth, begin, end));

    private static float Fetch(ArrayView<float> values, Strip strip, int number, int tile, int depth, int begin, int end)
    {
        int line = number % tile;
        int k = number / tile;
        if (strip.DepthStep == 1)
        {
            line = number / depth;
            k = number % depth;
        }

        k += begin;
        float value = 0f;
        if (line < strip.Lines && k < end)
        {
            value = values[strip.Start + (line * strip.LineStep) + (k * strip.DepthStep)];
        }

        return value;
    }

    private static void Store(
        Quad values, ArrayView<float> strip, int depthStep, int thread, int tile, int depth, int threads)
    {
        Store(values.X, strip, depthStep, thread, tile, depth);
        Store(values.Y, strip, depthStep, thread + threads, tile, depth);
        Store(values.Z, strip, depthStep, thread + (2 * threads), tile, depth);
        Store(values.W, strip, depthStep, thread + (3 * threads), tile, depth);
    }

    private static void Store(float value, ArrayView<float> strip, int depthStep, int number, int tile, int depth)
    {
        int line = number % tile;
        int k = number / tile;
        if (depthStep == 1)
        {
            line = number / depth;
            k = number % depth;
        }

        strip[(k * (tile + Quadruple)) + line] = value;
    }

    /// <summary>The sum of the blocks that the slices hold for the same elements; right in slice 0 only.</summary>
    private static QuadBlock AddSlices<TTile>(QuadBlock own, int slice, int thread)
        where TTile : unmanaged, ITile
    {
        ArrayView<Quad> blocks = SharedMemory.Allocate<Quad>((TTile.Slices - 1) * 4 * TTile.Side * TTile.Side);
        int threads = TTile.Side * TTile.Side;
        if (slice > 0)
        {
            int place = ((slice - 1) * 4 * threads) + thread;
            blocks[place] = own.First;
            blocks[place + threads] = own.Second;
            blocks[place + (2 * threads)] = own.Third;
            blocks[place + (3 * threads)] = own.Fourth;
        }

        Group.Barrier();
        QuadBlock sum = own;
        if (slice == 0)
        {
            for (int other = 0; other < TTile.Slices - 1; other++)
            {
                int place = (other * 4 * threads) + thread;
                sum = new QuadBlock(
                    sum.First + TTile.Read(blocks, place),
                    sum.Second + TTile.Read(blocks, place + threads),
                    sum.Third + TTile.Read(blocks, place + (2 * threads)),
                    sum.Fourth + TTile.Read(blocks, place + (3 * threads)));
            }
        }

        return sum;
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
