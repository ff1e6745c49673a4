using Minigrad.Numerics;

namespace Minigrad.Backends.Cpu;

/// <summary>Copies between strided layouts: transposes, slices, expansions, concatenations.</summary>
internal static class StridedCopyLoops
{
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
        int rowLength = sizes[^1];
        Body body = new(x, source.Offset, from, y, target.Offset, to, sizes);
        workers.For(length / rowLength, rowLength, body);
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
            int source = xOffset;
            int target = yOffset;
            int rest = row;
            for (int axis = sizes.Length - 2; axis >= 0; axis--)
            {
                int index = rest % sizes[axis];
                rest /= sizes[axis];
                source += index * from[axis];
                target += index * to[axis];
            }

            CopyRow(source, target);
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
}
