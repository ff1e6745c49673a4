namespace Minigrad.Backends;

/// <summary>
/// Where the elements of a block lie in a storage: element (i₀, i₁, …) at <see cref="Offset"/> + Σ iₖ · <see cref="Strides"/>ₖ.
/// A stride of 0 repeats, a negative one reverses.
/// </summary>
/// <param name="Offset">The place of element (0, 0, …).</param>
/// <param name="Strides">The step of each dimension, in elements.</param>
public readonly record struct StridedLayout(int Offset, int[] Strides)
{
    /// <summary>The layout of a dense row-major tensor.</summary>
    /// <param name="dimensions">Its dimensions.</param>
    public static StridedLayout RowMajor(ReadOnlySpan<int> dimensions)
    {
        int[] strides = new int[dimensions.Length];
        int step = 1;
        for (int axis = dimensions.Length - 1; axis >= 0; axis--)
        {
            strides[axis] = step;
            step *= dimensions[axis];
        }

        return new StridedLayout(0, strides);
    }
}
