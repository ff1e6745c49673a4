namespace Minigrad.Backends.Cpu;

/// <summary>
/// Presents any broadcast operand to an elementwise loop as either consecutive numbers (step 1) or one number repeated
/// (step 0), so that a loop needs one form only. Long rows and long repeats are such already and are read where they lie;
/// short ones are copied side by side, up to <see cref="ChunkLength"/> of them.
/// </summary>
internal ref struct OperandReader
{
    /// <summary>How many elements are expanded at a time: two operands and a result stay in the first-level cache.</summary>
    public const int ChunkLength = 1024;

    /// <summary>Runs of fewer elements are expanded: a call of a loop and the end of a run that fills no vector cost more than copying it.</summary>
    private const int LeastRun = 256;

    private readonly float[] array;
    private readonly int period;
    private readonly int repeat;
    private readonly bool isWhole;
    private readonly Span<float> scratch;
    private int expandedElement;
    private int expandedCount;

    /// <summary>Prepares to read an operand.</summary>
    /// <param name="operand">The operand.</param>
    /// <param name="length">How many outputs read it: a row as long as its storage still starts again for the next row.</param>
    /// <param name="scratch">Room for an expanded chunk.</param>
    public OperandReader(Operand operand, int length, Span<float> scratch)
    {
        array = ((CpuStorage)operand.Storage).Array;
        period = operand.Period;
        repeat = period == 1 ? length : operand.Repeat;
        isWhole = period == 1 || (repeat == 1 && period >= length);
        this.scratch = scratch;
    }

    /// <summary>How many elements from one on can be read at once.</summary>
    /// <param name="start">The first output that reads them.</param>
    public readonly int Reach(int start)
    {
        if (isWhole)
        {
            return int.MaxValue;
        }

        int run = Run(start);
        return run >= LeastRun ? run
            : repeat == 1 && period < LeastRun ? ChunkLength / period * period
            : ChunkLength;
    }

    /// <summary>The first of the elements that outputs read.</summary>
    /// <param name="start">The first output.</param>
    /// <param name="count">How many outputs, at most as many as can be read at once.</param>
    /// <param name="step">How far to move for each element: 1, or 0 for a repeated number.</param>
    public ref float At(int start, int count, out nuint step)
    {
        int element = start / repeat % period;
        step = 1;
        if (isWhole || Run(start) >= count)
        {
            if (repeat == 1)
            {
                return ref array[element];
            }

            step = 0;
            scratch[..16].Fill(array[element]);
            return ref scratch[0];
        }

        // The rows of one chunk lie as those of the last, if both begin with the same element.
        if (repeat != 1 || element != expandedElement || count > expandedCount)
        {
            Expand(start, count);
            (expandedElement, expandedCount) = (element, count);
        }

        return ref scratch[0];
    }

    /// <summary>How many elements from one on are consecutive, or one number.</summary>
    private readonly int Run(int start) => repeat == 1 ? period - (start % period) : repeat - (start % repeat);

    private readonly void Expand(int start, int count)
    {
        int element = start / repeat % period;
        for (int done = 0, run = Run(start); done < count; run = repeat == 1 ? period : repeat)
        {
            run = Math.Min(run, count - done);
            if (repeat == 1)
            {
                array.AsSpan(element, run).CopyTo(scratch[done..]);
                element = 0;
            }
            else
            {
                scratch.Slice(done, run).Fill(array[element]);
                element = element + 1 == period ? 0 : element + 1;
            }

            done += run;
        }
    }
}
