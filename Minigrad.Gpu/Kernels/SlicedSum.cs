using ILGPU;

namespace Minigrad.Gpu.Kernels;

/// <summary>
/// A tile of a matrix product by a group whose slices of threads take turns along the depth. A small product, as one step
/// of a recurrent layer, has few elements and takes its parallelism from the depth. What the slices have is added in their
/// order, so that bits repeat.
/// </summary>
internal static class SlicedSum
{
    /// <summary>Computes a tile. All threads of the group have to call it, and none may return before.</summary>
    /// <typeparam name="TTile">The tile.</typeparam>
    /// <typeparam name="TLeft">The lines of the left operand.</typeparam>
    /// <typeparam name="TRight">The lines of the right operand.</typeparam>
    /// <param name="left">The left operand.</param>
    /// <param name="leftStrip">Its rows.</param>
    /// <param name="right">The right operand.</param>
    /// <param name="rightStrip">Its columns.</param>
    /// <param name="begin">Where along the depth to begin.</param>
    /// <param name="end">Where to end.</param>
    /// <returns>
    /// Shared memory from which <see cref="Element"/> reads: of each slice <c>[4 · side, 4 · side]</c> numbers.
    /// </returns>
    public static ArrayView<float> Compute<TTile, TLeft, TRight>(
        ArrayView<float> left, TLeft leftStrip, ArrayView<float> right, TRight rightStrip, int begin, int end)
        where TTile : unmanaged, ITile
        where TLeft : unmanaged, IStrip
        where TRight : unmanaged, IStrip
    {
        int side = TTile.Side;
        int threads = side * side;
        int pitch = side + 1;
        ArrayView<Quad> leftShared = SharedMemory.Allocate<Quad>(TTile.Slices * TTile.Side * (TTile.Side + 1));
        ArrayView<Quad> rightShared = SharedMemory.Allocate<Quad>(TTile.Slices * TTile.Side * (TTile.Side + 1));
        ArrayView<Quad> sums = SharedMemory.Allocate<Quad>(TTile.Slices * 4 * TTile.Side * TTile.Side);
        int slice = Group.IdxX / threads;
        int thread = Group.IdxX % threads;
        int x = thread % side;
        int y = thread / side;
        ArrayView<Quad> leftQuads = leftShared.SubView(slice * side * pitch, side * pitch);
        ArrayView<Quad> rightQuads = rightShared.SubView(slice * side * pitch, side * pitch);
        ArrayView<float> leftNumbers = leftQuads.Cast<float>();
        ArrayView<float> rightNumbers = rightQuads.Cast<float>();
        StripCopy copy = new(thread, threads, 4 * side, side);

        QuadBlock sum = default;
        int own = slice * side;
        Quad nextLeft = copy.Fetch(left, leftStrip, begin + own, end);
        Quad nextRight = copy.Fetch(right, rightStrip, begin + own, end);
        for (int step = begin; step < end; step += TTile.Slices * side)
        {
            copy.Store(nextLeft, leftNumbers, leftStrip.DepthStep);
            copy.Store(nextRight, rightNumbers, rightStrip.DepthStep);
            Group.Barrier();
            int next = step + (TTile.Slices * side) + own;
            nextLeft = copy.Fetch(left, leftStrip, next, end);
            nextRight = copy.Fetch(right, rightStrip, next, end);
            for (int k = 0; k < side; k++)
            {
                sum = sum.AddProduct(TTile.Read(leftQuads, (k * pitch) + y), TTile.Read(rightQuads, (k * pitch) + x));
            }

            Group.Barrier();
        }

        int place = (((slice * 4 * side) + (4 * y)) * side) + x;
        sums[place] = sum.First;
        sums[place + side] = sum.Second;
        sums[place + (2 * side)] = sum.Third;
        sums[place + (3 * side)] = sum.Fourth;
        Group.Barrier();
        return sums.Cast<float>();
    }

    /// <summary>An element of the tile: what the slices have, added in order.</summary>
    /// <typeparam name="TTile">The tile.</typeparam>
    /// <param name="sums">What <see cref="Compute"/> gave.</param>
    /// <param name="element">row · 4 · side + column.</param>
    public static float Element<TTile>(ArrayView<float> sums, int element)
        where TTile : unmanaged, ITile
    {
        float sum = sums[element];
        for (int slice = 1; slice < TTile.Slices; slice++)
        {
            sum += sums[(slice * 16 * TTile.Side * TTile.Side) + element];
        }

        return sum;
    }
}
