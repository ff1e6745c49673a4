using Minigrad.Operations;

namespace Minigrad.Autodiff;

/// <summary>A finite number that was too large for the format that it was rounded to, and so became an infinity.</summary>
/// <param name="Exact">The number before.</param>
/// <param name="Format">The format.</param>
/// <param name="Role">What the number was to the operation.</param>
internal sealed record RoundedNumber(float Exact, Precision Format, RoundedNumber.Part Role)
{
    /// <summary>What a number is to an operation.</summary>
    public enum Part
    {
        /// <summary>An element of what the operation made.</summary>
        Result,

        /// <summary>An element of what it read.</summary>
        Operand,

        /// <summary>Something in between.</summary>
        Inside,

        /// <summary>An element of the gradient that its backward begins with, summed up from all who used the result.</summary>
        Gradient,
    }

    /// <summary>The format and its range, in words.</summary>
    public string FormatText =>
        $"{(Format == Precision.Half ? "half precision" : "bfloat16")}, whose largest number is {AnomalySource.Text(Largest(Format))},";

    /// <summary>The largest finite number of a format.</summary>
    public static float Largest(Precision format) => format switch
    {
        Precision.Half => RoundToHalf.Largest,
        Precision.BFloat16 => RoundToBFloat16.Largest,
        _ => float.MaxValue,
    };
}
