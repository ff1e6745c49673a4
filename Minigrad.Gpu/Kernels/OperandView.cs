using ILGPU;

namespace Minigrad.Gpu.Kernels;

/// <summary>An <see cref="Backends.Operand"/> as a kernel argument.</summary>
/// <param name="values">The numbers.</param>
/// <param name="period">After how many elements the pattern starts again.</param>
/// <param name="repeat">How many consecutive outputs read the same element.</param>
internal readonly struct OperandView(ArrayView<float> values, int period, int repeat)
{
    /// <summary>The numbers.</summary>
    public readonly ArrayView<float> Values = values;

    private readonly int period = period;
    private readonly int repeat = repeat;

    /// <summary>Whether output i reads element i.</summary>
    /// <param name="outputs">How many outputs there are.</param>
    public bool IsInOrder(int outputs) => repeat == 1 && period >= outputs;

    /// <summary>The element that an output reads.</summary>
    /// <param name="output">The output's index.</param>
    public float Read(int output)
    {
        int place = output;
        if (repeat > 1)
        {
            place /= repeat;
        }

        if (place >= period)
        {
            place %= period;
        }

        return Values[place];
    }
}
