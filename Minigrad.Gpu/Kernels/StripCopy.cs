using ILGPU;

namespace Minigrad.Gpu.Kernels;

/// <summary>
/// What one thread brings from memory to shared memory: numbers thread, thread + threads, … of a strip, counted in the
/// order in which they lie in memory, so that threads side by side read side by side.
/// </summary>
/// <param name="thread">The thread.</param>
/// <param name="threads">How many threads share the strip; each brings four numbers.</param>
/// <param name="tile">How many lines a strip has.</param>
/// <param name="depth">How deep it is.</param>
internal readonly struct StripCopy(int thread, int threads, int tile, int depth)
{
    /// <summary>
    /// By how much a row of a strip in shared memory is longer than a tile. Without that, threads that copy a column of
    /// numbers would all write to one bank.
    /// </summary>
    public const int Padding = 4;

    private readonly int thread = thread;
    private readonly int threads = threads;
    private readonly int tile = tile;
    private readonly int depth = depth;

    /// <summary>Reads from memory; 0 for what is outside.</summary>
    /// <param name="values">The operand.</param>
    /// <param name="strip">Its lines.</param>
    /// <param name="begin">Where along the depth the strip begins.</param>
    /// <param name="end">Where the operand ends.</param>
    public Quad Fetch<TStrip>(ArrayView<float> values, TStrip strip, int begin, int end)
        where TStrip : unmanaged, IStrip => new(
        Fetch(values, strip, thread, begin, end),
        Fetch(values, strip, thread + threads, begin, end),
        Fetch(values, strip, thread + (2 * threads), begin, end),
        Fetch(values, strip, thread + (3 * threads), begin, end));

    /// <summary>Writes to shared memory.</summary>
    /// <param name="values">What was read.</param>
    /// <param name="shared">The shared memory: <c>[depth, tile + padding]</c>.</param>
    /// <param name="depthStep">The operand's step along the depth.</param>
    public void Store(Quad values, ArrayView<float> shared, int depthStep)
    {
        shared[Place(thread, depthStep)] = values.X;
        shared[Place(thread + threads, depthStep)] = values.Y;
        shared[Place(thread + (2 * threads), depthStep)] = values.Z;
        shared[Place(thread + (3 * threads), depthStep)] = values.W;
    }

    private float Fetch<TStrip>(ArrayView<float> values, TStrip strip, int number, int begin, int end)
        where TStrip : unmanaged, IStrip
    {
        int k = begin + DepthOf(number, strip.DepthStep);
        int place = strip.Place(LineOf(number, strip.DepthStep), k);
        float value = 0f;
        if (place >= 0 && k < end)
        {
            value = values[place];
        }

        return value;
    }

    private int Place(int number, int depthStep) =>
        (DepthOf(number, depthStep) * (tile + Padding)) + LineOf(number, depthStep);

    private int LineOf(int number, int depthStep) => depthStep == 1 ? number / depth : number % tile;

    private int DepthOf(int number, int depthStep) => depthStep == 1 ? number % depth : number / tile;
}
