using Minigrad.Numerics;

namespace Minigrad.Backends.Cpu;

/// <summary>
/// Copies between strided layouts: transposes, slices, expansions, concatenations. Where numbers lie side by side along one dimension in the
/// source and along another in the target, small blocks are transposed in registers, so that all numbers of a line of the cache are used while it is
/// there.
/// </summary>
internal static class StridedCopyLoops
{
    /// <summary>How many rows of the source a block has: a line of the cache in the target.</summary>
    private const int BlockLines = 16;

    /// <summary>How many numbers of each.</summary>
    private const int BlockSteps = 16;

    /// <summary>Fewer numbers than this are copied one by one before a block is laid out.</summary>
    private const int FewestToTranspose = 64;

    /// <summary>Copies a block of elements.</summary>
    public static void Copy(
        Workers workers, float[] x, StridedLayout source, float[] y, StridedLayout target, ReadOnlySpan<int> dimensions)
    {
        int length = 1;
        foreach (int dimension in dimensions)
        {
            length *= dimension;
        }

        if (length == 0)
        {
            return;
        }

        if (dimensions.Length == 0)
        {
            y[target.Offset] = x[source.Offset];
            return;
        }

        (int[] sizes, int[] from, int[] to) = Collapse(dimensions, source.Strides, target.Strides);
        int near = Array.IndexOf(to, 1);
        int across = Array.IndexOf(from, 1);
        if (near >= 0 && across >= 0 && from[near] > 1 && to[across] > 1 && length >= FewestToTranspose)
        {
            MoveLast(near, sizes, from, to);
            MoveLast(Array.IndexOf(from, 1), sizes, from, to); // It may have moved with the first.
            (int lines, int steps) = (sizes[^2], sizes[^1]);
            int blocks = (lines + BlockLines - 1) / BlockLines;
            TransposeBody transpose = new(x, source.Offset, from, y, target.Offset, to, sizes);
            workers.For(length / lines / steps * blocks, Math.Min(lines, BlockLines) * steps, transpose);
            return;
        }

        int rowLength = sizes[^1];
        workers.For(length / rowLength, rowLength, new Body(x, source.Offset, from, y, target.Offset, to, sizes));
    }

    /// <summary>Makes a dimension the last one.</summary>
    private static void MoveLast(int axis, params ReadOnlySpan<int[]> perDimension)
    {
        foreach (int[] values in perDimension)
        {
            int moved = values[axis];
            Array.Copy(values, axis + 1, values, axis, values.Length - axis - 1);
            values[^1] = moved;
        }
    }

    /// <summary>Where a row begins, of those that there are along the first dimensions.</summary>
    private static (int Source, int Target) Places(int row, ReadOnlySpan<int> sizes, int[] from, int[] to)
    {
        (int source, int target) = (0, 0);
        for (int axis = sizes.Length - 1; axis >= 0; axis--)
        {
            int index = row % sizes[axis];
            row /= sizes[axis];
            source += index * from[axis];
            target += index * to[axis];
        }

        return (source, target);
    }

    /// <summary>Joins dimensions that lie one inside the other in both layouts, and drops those of length 1.</summary>
    private static (int[] Sizes, int[] From, int[] To) Collapse(ReadOnlySpan<int> dimensions, int[] from, int[] to)
    {
        List<int> sizes = [dimensions[0]];
        List<int> fromStrides = [from[0]];
        List<int> toStrides = [to[0]];
        for (int axis = 1; axis < dimensions.Length; axis++)
        {
            int size = dimensions[axis];
            bool nested = fromStrides[^1] == from[axis] * size && toStrides[^1] == to[axis] * size;
            if (sizes[^1] == 1 || nested)
            {
                sizes[^1] *= size;
                fromStrides[^1] = from[axis];
                toStrides[^1] = to[axis];
            }
            else if (size != 1)
            {
                sizes.Add(size);
                fromStrides.Add(from[axis]);
                toStrides.Add(to[axis]);
            }
        }

        return (sizes.ToArray(), fromStrides.ToArray(), toStrides.ToArray());
    }

    private readonly struct Body(
        float[] x, int xOffset, int[] from, float[] y, int yOffset, int[] to, int[] sizes) : ILoopBody
    {
        public void Run<TLanes>(int row)
            where TLanes : struct, ILanes<TLanes>
        {
            (int source, int target) = Places(row, sizes.AsSpan(..^1), from, to);
            CopyRow(xOffset + source, yOffset + target);
        }

        private void CopyRow(int source, int target)
        {
            int count = sizes[^1];
            int step = from[^1];
            int stride = to[^1];
            if (stride == 1 && step == 1)
            {
                x.AsSpan(source, count).CopyTo(y.AsSpan(target, count));
            }
            else if (stride == 1 && step == 0)
            {
                y.AsSpan(target, count).Fill(x[source]);
            }
            else
            {
                for (int i = 0; i < count; i++)
                {
                    y[target + (i * stride)] = x[source + (i * step)];
                }
            }
        }
    }

    /// <summary>Some lines of the source become columns of the target: the last dimension runs along the lines, the last but one counts them.</summary>
    private readonly struct TransposeBody(
        float[] x, int xOffset, int[] from, float[] y, int yOffset, int[] to, int[] sizes) : ILoopBody
    {
        public void Run<TLanes>(int item)
            where TLanes : struct, ILanes<TLanes>
        {
            int blocks = (sizes[^2] + BlockLines - 1) / BlockLines;
            int firstLine = item % blocks * BlockLines;
            int lines = Math.Min(BlockLines, sizes[^2] - firstLine);
            (int source, int target) = Places(item / blocks, sizes.AsSpan(..^2), from, to);
            source += xOffset + (firstLine * from[^2]);
            target += yOffset + firstLine;
            for (int step = 0; step < sizes[^1]; step += BlockSteps)
            {
                int steps = Math.Min(BlockSteps, sizes[^1] - step);
                OperandPacking.Transpose(x.AsSpan(source + step), from[^2], lines, steps, y.AsSpan(target + (step * to[^1])), to[^1]);
            }
        }
    }
}
