namespace Minigrad.Backends.Cpu;

/// <summary>
/// Presents any broadcast operand to an elementwise loop as either consecutive numbers (step 1) or one number repeated
/// (step 0), so that a loop needs one form only.
/// </summary>
internal readonly ref struct OperandReader
{
    /// <summary>How many elements are expanded at a time: two operands and a result stay in the first-level cache.</summary>
    public const int ChunkLength = 1024;

    private readonly float[] array;
    private readonly int period;
    private readonly int repeat;
    private readonly Span<float> scratch;

    /// <summary>Prepares to read an operand.</summary>
    /// <param name="operand">The operand.</param>
    /// <param name="length">How many outputs read it: a row as long as its storage still starts again for the next row.</param>
    /// <param name="scratch">Room for an expanded chunk.</param>
    public OperandReader(Operand operand, int length, Span<float> scratch)
    {
        array = ((CpuStorage)operand.Storage).Array;
        period = operand.Period;
        repeat = operand.Repeat;
        this.scratch = scratch;
        Step = period == 1 ? (nuint)0 : 1;
        IsExpanded = period != 1 && (repeat != 1 || period < length);
        if (Step == 0)
        {
            scratch[..16].Fill(array[0]);
        }
    }

    /// <summary>Whether elements are copied chunk by chunk, so that no more than a chunk can be read at once.</summary>
    public bool IsExpanded { get; }

    /// <summary>How far to move for each element: 1, or 0 for a repeated number.</summary>
    public nuint Step { get; }

    /// <summary>The first of the elements that outputs <paramref name="start"/> onwards read.</summary>
    public ref float At(int start, int count)
    {
        if (Step == 0)
        {
            return ref scratch[0];
        }

        if (!IsExpanded)
        {
            return ref array[start];
        }

        Expand(start, count);
        return ref scratch[0];
    }

    private void Expand(int start, int count)
    {
        int done = 0;
        while (done < count)
        {
            int output = start + done;
            int element = output / repeat % period;
            int run = repeat == 1 ? period - element : repeat - (output % repeat);
            run = Math.Min(run, count - done);
            if (repeat == 1)
            {
                array.AsSpan(element, run).CopyTo(scratch[done..]);
            }
            else
            {
                scratch.Slice(done, run).Fill(array[element]);
            }

            done += run;
        }
    }
}
