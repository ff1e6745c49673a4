using ILGPU;

namespace Minigrad.Gpu.Kernels;

/// <summary>
/// Several gradients as one kernel argument, so that one launch reads them all where backward has left them. (A buffer of
/// addresses would be shorter, but works on CUDA only.)
/// </summary>
internal readonly struct GradientWindow
{
    /// <summary>How many gradients there are at most.</summary>
    public const int Size = 16;

    private readonly ArrayView<float> v0;
    private readonly ArrayView<float> v1;
    private readonly ArrayView<float> v2;
    private readonly ArrayView<float> v3;
    private readonly ArrayView<float> v4;
    private readonly ArrayView<float> v5;
    private readonly ArrayView<float> v6;
    private readonly ArrayView<float> v7;
    private readonly ArrayView<float> v8;
    private readonly ArrayView<float> v9;
    private readonly ArrayView<float> v10;
    private readonly ArrayView<float> v11;
    private readonly ArrayView<float> v12;
    private readonly ArrayView<float> v13;
    private readonly ArrayView<float> v14;
    private readonly ArrayView<float> v15;

    /// <summary>A window of up to <see cref="Size"/> views; the first stands in where there is none.</summary>
    /// <param name="views">The views, at least one.</param>
    public GradientWindow(ReadOnlySpan<ArrayView<float>> views)
    {
        v0 = views[0];
        v1 = At(views, 1);
        v2 = At(views, 2);
        v3 = At(views, 3);
        v4 = At(views, 4);
        v5 = At(views, 5);
        v6 = At(views, 6);
        v7 = At(views, 7);
        v8 = At(views, 8);
        v9 = At(views, 9);
        v10 = At(views, 10);
        v11 = At(views, 11);
        v12 = At(views, 12);
        v13 = At(views, 13);
        v14 = At(views, 14);
        v15 = At(views, 15);
    }

    /// <summary>One of the gradients.</summary>
    /// <param name="view">Its number.</param>
    public ArrayView<float> this[int view] => view switch
    {
        0 => v0,
        1 => v1,
        2 => v2,
        3 => v3,
        4 => v4,
        5 => v5,
        6 => v6,
        7 => v7,
        8 => v8,
        9 => v9,
        10 => v10,
        11 => v11,
        12 => v12,
        13 => v13,
        14 => v14,
        _ => v15,
    };

    private static ArrayView<float> At(ReadOnlySpan<ArrayView<float>> views, int view) =>
        views[view < views.Length ? view : 0];
}
