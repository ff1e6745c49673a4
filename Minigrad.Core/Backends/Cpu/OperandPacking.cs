using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Minigrad.Numerics;

namespace Minigrad.Backends.Cpu;

/// <summary>
/// Lays an operand of a matrix product out in the order in which the tiles read it: strips of some rows of A, or columns
/// of B, in which the numbers of one step of the depth stand side by side. A strip is read from first to last, so it needs no
/// address arithmetic, no page of its own for each step, and does not collide with itself in the cache.
/// </summary>
internal static class OperandPacking
{
    private const MethodImplOptions Loop = MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization;

    /// <summary>How many steps before it is copied a row is asked for: a processor's own foresight ends with the page.</summary>
    private const int StepsAhead = 8;

    /// <summary>
    /// How many numbers of a strip are transposed before the next ones: what is written then stays in the nearest cache until its lines are
    /// full. A whole strip would pass through it once for each eight of its lines.
    /// </summary>
    private const int BlockLength = 2048;

    /// <summary>The width of a strip.</summary>
    private interface IWidth
    {
        /// <summary>How many lines it has.</summary>
        nuint Lines { get; }
    }

    /// <summary>Packs lines that stand side by side already: steps are rows of the source.</summary>
    /// <param name="source">Line i of step k at k · sourceStep + i.</param>
    /// <param name="sourceStep">From one step of the depth to the next.</param>
    /// <param name="lines">How many lines there are.</param>
    /// <param name="depth">How many steps.</param>
    /// <param name="strips">
    /// Strips of <paramref name="width"/> lines, one behind the other: line i of step k of a strip at k · width + i. In the
    /// last strip, lines that do not exist are 0.
    /// </param>
    /// <param name="width">How many lines a strip has.</param>
    /// <param name="stripStep">From one strip to the next.</param>
    public static void Copy(ReadOnlySpan<float> source, int sourceStep, int lines, int depth, Span<float> strips, int width, int stripStep)
    {
        // The last element of either that is touched, so that the loops below need no check.
        _ = source[((depth - 1) * sourceStep) + lines - 1];
        int whole = lines / width;
        int rest = lines % width;
        if (whole > 0)
        {
            _ = strips[((whole - 1) * stripStep) + (depth * width) - 1];
            CopyStrips(source, sourceStep, depth, strips, width, stripStep, whole);
        }

        if (rest > 0)
        {
            Span<float> last = strips.Slice(whole * stripStep, depth * width);
            last.Clear();
            for (int k = 0; k < depth; k++)
            {
                source.Slice((k * sourceStep) + (whole * width), rest).CopyTo(last[(k * width)..]);
            }
        }
    }

    /// <summary>The JIT knows the widths of whole tiles: a strip takes so few numbers of each row that to decide how takes a third of the time.</summary>
    private static void CopyStrips(ReadOnlySpan<float> source, int sourceStep, int depth, Span<float> strips, int width, int stripStep, int count)
    {
        ref float from = ref MemoryMarshal.GetReference(source);
        ref float to = ref strips[0];
        switch (width)
        {
            case 6:
                CopyStrips(ref from, (nuint)sourceStep, depth, ref to, default(KnownWidth<TileKernel.Six>), (nuint)stripStep, count);
                return;
            case 12:
                CopyStrips(ref from, (nuint)sourceStep, depth, ref to, default(KnownWidth<TileKernel.Twelve>), (nuint)stripStep, count);
                return;
            default:
                CopyStrips(ref from, (nuint)sourceStep, depth, ref to, new GivenWidth((nuint)width), (nuint)stripStep, count);
                return;
        }
    }

    /// <summary>Packs lines that stand one after the other: steps are columns of the source, so this transposes a block.</summary>
    /// <param name="source">Line i of step k at i · sourceStep + k.</param>
    /// <param name="sourceStep">From one line to the next.</param>
    /// <param name="lines">How many lines there are.</param>
    /// <param name="depth">How many steps.</param>
    /// <param name="strip">Line i of step k at k · width + i; what is between the lines of two steps is left as it is.</param>
    /// <param name="width">From one step of the strip to the next.</param>
    public static void Transpose(ReadOnlySpan<float> source, int sourceStep, int lines, int depth, Span<float> strip, int width)
    {
        int steps = Math.Max(8, BlockLength / lines / 8 * 8);
        for (int k = 0; k < depth; k += steps)
        {
            TransposeBlock(source[k..], sourceStep, lines, Math.Min(steps, depth - k), strip[(k * width)..], width);
        }
    }

    private static void TransposeBlock(ReadOnlySpan<float> source, int sourceStep, int lines, int depth, Span<float> strip, int width)
    {
        int line = 0;
        if (Avx.IsSupported)
        {
            for (; line + 8 <= lines; line += 8)
            {
                TransposeEight(source[(line * sourceStep)..], sourceStep, depth, strip[line..], width);
            }
        }

        if (Sse.IsSupported)
        {
            for (; line + 4 <= lines; line += 4)
            {
                TransposeFour(source[(line * sourceStep)..], sourceStep, depth, strip[line..], width);
            }

            if (line < lines && lines > 4)
            {
                // The last four lines, some of them again: faster than one by one.
                TransposeFour(source[((lines - 4) * sourceStep)..], sourceStep, depth, strip[(lines - 4)..], width);
                return;
            }
        }

        for (; line < lines; line++)
        {
            ReadOnlySpan<float> numbers = source.Slice(line * sourceStep, depth);
            for (int k = 0; k < numbers.Length; k++)
            {
                strip[(k * width) + line] = numbers[k];
            }
        }
    }

    /// <summary>Packed numbers in another form: the first vector of a step and the second, or both in the room of one.</summary>
    /// <param name="strips">Whole strips, two vectors a step.</param>
    /// <param name="rounded">The same in the form.</param>
    [MethodImpl(Loop)]
    public static void Round<TLanes, TForm>(ReadOnlySpan<float> strips, Span<float> rounded)
        where TLanes : struct, ILanes<TLanes>
        where TForm : struct, IPackedForm
    {
        _ = rounded[(strips.Length / TForm.Value) - 1];
        ref float from = ref MemoryMarshal.GetReference(strips);
        ref float to = ref MemoryMarshal.GetReference(rounded);
        nuint count = (nuint)TLanes.Count;
        for (nuint i = 0; i < (nuint)strips.Length; i += 2 * count)
        {
            TLanes first = TForm.Round(TLanes.Load(in from, i));
            TLanes second = TForm.Round(TLanes.Load(in from, i + count));
            if (TForm.Value == 2)
            {
                TLanes.Store(TLanes.Pair(first, second, TForm.SpareBits), ref to, i / 2);
                continue;
            }

            TLanes.Store(first, ref to, i);
            TLanes.Store(second, ref to, i + count);
        }
    }

    /// <summary>
    /// A row of the source goes to all strips before the next one is read: rows are read from first to last, as caches
    /// and their prefetchers like it.
    /// </summary>
    [MethodImpl(Loop)]
    private static void CopyStrips<TWidth>(ref float from, nuint fromStep, int depth, ref float to, TWidth width, nuint stripStep, int strips)
        where TWidth : struct, IWidth
    {
        nuint ahead = StepsAhead * fromStep;
        for (int k = 0; k < depth; k++)
        {
            ref float source = ref from;
            ref float target = ref to;
            for (int strip = 0; strip < strips; strip++)
            {
                CacheLine.Fetch(in source, ahead);
                CopyLines(ref source, ref target, width.Lines);
                source = ref Unsafe.Add(ref source, width.Lines);
                target = ref Unsafe.Add(ref target, stripStep);
            }

            from = ref Unsafe.Add(ref from, fromStep);
            to = ref Unsafe.Add(ref to, width.Lines);
        }
    }

    /// <summary>
    /// One step of a strip, of at most 32 lines. A width that is no number of whole vectors, 6 say, ends in a vector that overlaps the one
    /// before; a width below four goes number by number.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void CopyLines(ref float source, ref float target, nuint lines)
    {
        if (lines < 4)
        {
            for (nuint i = 0; i < lines; i++)
            {
                Unsafe.Add(ref target, i) = Unsafe.Add(ref source, i);
            }

            return;
        }

        if (lines < 8)
        {
            Vector128.LoadUnsafe(ref source).StoreUnsafe(ref target);
            Vector128.LoadUnsafe(ref source, lines - 4).StoreUnsafe(ref target, lines - 4);
            return;
        }

        Vector256.LoadUnsafe(ref source).StoreUnsafe(ref target);
        if (lines > 16)
        {
            Vector256.LoadUnsafe(ref source, 8).StoreUnsafe(ref target, 8);
            Vector256.LoadUnsafe(ref source, lines - 16).StoreUnsafe(ref target, lines - 16);
        }

        if (lines > 8)
        {
            Vector256.LoadUnsafe(ref source, lines - 8).StoreUnsafe(ref target, lines - 8);
        }
    }

    /// <summary>Eight lines, eight steps at a time: eight vectors are transposed in registers.</summary>
    [MethodImpl(Loop)]
    private static void TransposeEight(ReadOnlySpan<float> source, int sourceStep, int depth, Span<float> strip, int width)
    {
        _ = source[(7 * sourceStep) + depth - 1];
        _ = strip[((depth - 1) * width) + 7];
        nuint line = (nuint)sourceStep;
        nuint step = (nuint)width;
        ref float from = ref MemoryMarshal.GetReference(source);
        ref float to = ref MemoryMarshal.GetReference(strip);
        int k = 0;
        for (; k + 8 <= depth; k += 8)
        {
            ref float fifth = ref Unsafe.Add(ref from, 4 * line);
            Vector256<float> a = Vector256.LoadUnsafe(ref from);
            Vector256<float> b = Vector256.LoadUnsafe(ref from, line);
            Vector256<float> c = Vector256.LoadUnsafe(ref from, 2 * line);
            Vector256<float> d = Vector256.LoadUnsafe(ref from, 3 * line);
            Vector256<float> e = Vector256.LoadUnsafe(ref fifth);
            Vector256<float> f = Vector256.LoadUnsafe(ref fifth, line);
            Vector256<float> g = Vector256.LoadUnsafe(ref fifth, 2 * line);
            Vector256<float> h = Vector256.LoadUnsafe(ref fifth, 3 * line);

            // Within each half of 128 bits: pairs of two lines, then fours of four.
            (a, b) = (Avx.UnpackLow(a, b), Avx.UnpackHigh(a, b));
            (c, d) = (Avx.UnpackLow(c, d), Avx.UnpackHigh(c, d));
            (e, f) = (Avx.UnpackLow(e, f), Avx.UnpackHigh(e, f));
            (g, h) = (Avx.UnpackLow(g, h), Avx.UnpackHigh(g, h));
            (a, c) = (Avx.Shuffle(a, c, 0x44), Avx.Shuffle(a, c, 0xEE));
            (b, d) = (Avx.Shuffle(b, d, 0x44), Avx.Shuffle(b, d, 0xEE));
            (e, g) = (Avx.Shuffle(e, g, 0x44), Avx.Shuffle(e, g, 0xEE));
            (f, h) = (Avx.Shuffle(f, h, 0x44), Avx.Shuffle(f, h, 0xEE));

            // The lower halves hold steps 0 to 3, the upper ones 4 to 7.
            Avx.Permute2x128(a, e, 0x20).StoreUnsafe(ref to);
            Avx.Permute2x128(c, g, 0x20).StoreUnsafe(ref to, step);
            Avx.Permute2x128(b, f, 0x20).StoreUnsafe(ref to, 2 * step);
            Avx.Permute2x128(d, h, 0x20).StoreUnsafe(ref to, 3 * step);
            ref float upper = ref Unsafe.Add(ref to, 4 * step);
            Avx.Permute2x128(a, e, 0x31).StoreUnsafe(ref upper);
            Avx.Permute2x128(c, g, 0x31).StoreUnsafe(ref upper, step);
            Avx.Permute2x128(b, f, 0x31).StoreUnsafe(ref upper, 2 * step);
            Avx.Permute2x128(d, h, 0x31).StoreUnsafe(ref upper, 3 * step);
            from = ref Unsafe.Add(ref from, 8);
            to = ref Unsafe.Add(ref to, 8 * step);
        }

        // One vector is stored, not eight numbers: who reads it as a vector next would wait until all of them have arrived in the cache.
        for (; k < depth; k++)
        {
            ref float fifth = ref Unsafe.Add(ref from, 4 * line);
            Vector256.Create(
                from,
                Unsafe.Add(ref from, line),
                Unsafe.Add(ref from, 2 * line),
                Unsafe.Add(ref from, 3 * line),
                fifth,
                Unsafe.Add(ref fifth, line),
                Unsafe.Add(ref fifth, 2 * line),
                Unsafe.Add(ref fifth, 3 * line)).StoreUnsafe(ref to);
            from = ref Unsafe.Add(ref from, 1);
            to = ref Unsafe.Add(ref to, step);
        }
    }

    /// <summary>Four lines, four steps at a time: four vectors are transposed in registers.</summary>
    [MethodImpl(Loop)]
    private static void TransposeFour(ReadOnlySpan<float> source, int sourceStep, int depth, Span<float> strip, int width)
    {
        ref float line0 = ref MemoryMarshal.GetReference(source);
        ref float line1 = ref Unsafe.Add(ref line0, sourceStep);
        ref float line2 = ref Unsafe.Add(ref line1, sourceStep);
        ref float line3 = ref Unsafe.Add(ref line2, sourceStep);
        ref float target = ref MemoryMarshal.GetReference(strip);
        nuint whole = (nuint)depth & ~(nuint)3;
        nuint step = (nuint)width;
        for (nuint k = 0; k < whole; k += 4)
        {
            Vector128<float> a = Vector128.LoadUnsafe(ref line0, k);
            Vector128<float> b = Vector128.LoadUnsafe(ref line1, k);
            Vector128<float> c = Vector128.LoadUnsafe(ref line2, k);
            Vector128<float> d = Vector128.LoadUnsafe(ref line3, k);
            Vector128<float> lowLeft = Sse.UnpackLow(a, b);
            Vector128<float> lowRight = Sse.UnpackLow(c, d);
            Vector128<float> highLeft = Sse.UnpackHigh(a, b);
            Vector128<float> highRight = Sse.UnpackHigh(c, d);
            Sse.MoveLowToHigh(lowLeft, lowRight).StoreUnsafe(ref target);
            Sse.MoveHighToLow(lowRight, lowLeft).StoreUnsafe(ref target, step);
            Sse.MoveLowToHigh(highLeft, highRight).StoreUnsafe(ref target, 2 * step);
            Sse.MoveHighToLow(highRight, highLeft).StoreUnsafe(ref target, 3 * step);
            target = ref Unsafe.Add(ref target, 4 * step);
        }

        for (nuint k = whole; k < (nuint)depth; k++)
        {
            Vector128.Create(Unsafe.Add(ref line0, k), Unsafe.Add(ref line1, k), Unsafe.Add(ref line2, k), Unsafe.Add(ref line3, k))
                .StoreUnsafe(ref target);
            target = ref Unsafe.Add(ref target, step);
        }
    }

    /// <summary>A width that is known at run time only.</summary>
    private readonly struct GivenWidth(nuint lines) : IWidth
    {
        public nuint Lines
        {
            [MethodImpl(MethodImplOptions.AggressiveInlining)]
            get => lines;
        }
    }

    /// <summary>A width that the JIT knows.</summary>
    private readonly struct KnownWidth<TCount> : IWidth
        where TCount : struct, TileKernel.ICount
    {
        public nuint Lines
        {
            [MethodImpl(MethodImplOptions.AggressiveInlining)]
            get => (nuint)TCount.Value;
        }
    }
}
