using System.Globalization;
using System.Text;

namespace Minigrad;

/// <content>Printing.</content>
public sealed partial class Tensor
{
    private const int EdgeItems = 3;
    private const int LongestWhole = 1000;

    /// <summary>
    /// The numbers in nested brackets, in columns, with four decimals or, where they differ much in size, in scientific
    /// notation; of large tensors only the corners.
    /// </summary>
    public override string ToString()
    {
        float[] values = ToArray();
        string format = FormatOf(values);
        bool isCut = Length > LongestWhole;
        int width = 0;
        foreach (int place in isCut ? ShownPlaces(0, 0) : Enumerable.Range(0, Length))
        {
            width = Math.Max(width, Text(values[place], format).Length);
        }

        StringBuilder text = new("Tensor(");
        Append(text, values, format, width, axis: 0, start: 0, isCut, indent: text.Length);
        bool isPlain = Name is null && !RequiresGradient && Length > 0;
        text.Append(isPlain ? string.Empty : $", shape {Shape}");
        text.Append(Name is null ? string.Empty : $", '{Name}'");
        text.Append(RequiresGradient ? Producer is null ? ", with gradient" : $", from {Producer.Operation}" : string.Empty);
        return text.Append(')').ToString();
    }

    private static string FormatOf(float[] values)
    {
        float largest = 0f;
        float smallest = float.PositiveInfinity;
        bool isWhole = true;
        foreach (float value in values)
        {
            if (float.IsFinite(value) && value != 0)
            {
                largest = MathF.Max(largest, MathF.Abs(value));
                smallest = MathF.Min(smallest, MathF.Abs(value));
                isWhole &= value == MathF.Floor(value);
            }
        }

        return largest >= 1e8f || (!isWhole && (largest / smallest >= 1e5f || smallest < 1e-4f))
            ? "0.0000e+00"
            : isWhole ? "0." : "0.0000";
    }

    private static string Text(float value, string format) => value switch
    {
        float.NaN => "nan",
        float.PositiveInfinity => "inf",
        float.NegativeInfinity => "-inf",
        _ when format == "0." => value.ToString("0", CultureInfo.InvariantCulture) + ".",
        _ => value.ToString(format, CultureInfo.InvariantCulture),
    };

    private static bool IsHidden(int index, int length, bool isCut) =>
        isCut && length > 2 * EdgeItems && index >= EdgeItems && index < length - EdgeItems;

    private IEnumerable<int> ShownPlaces(int axis, int start)
    {
        if (axis == Rank)
        {
            yield return start;
            yield break;
        }

        int length = Shape.Dimensions[axis];
        int step = Shape.Product(axis + 1, Rank);
        for (int index = 0; index < length; index++)
        {
            if (!IsHidden(index, length, isCut: true))
            {
                foreach (int place in ShownPlaces(axis + 1, start + (index * step)))
                {
                    yield return place;
                }
            }
        }
    }

    private void Append(
        StringBuilder text, float[] values, string format, int width, int axis, int start, bool isCut, int indent)
    {
        if (axis == Rank)
        {
            text.Append(Text(values[start], format).PadLeft(width));
            return;
        }

        text.Append('[');
        int length = Shape.Dimensions[axis];
        int step = Shape.Product(axis + 1, Rank);
        string separator = axis == Rank - 1
            ? ", "
            : "," + string.Concat(Enumerable.Repeat('\n', Rank - 1 - axis)) + new string(' ', indent + axis + 1);
        bool isFirst = true;
        for (int index = 0; index < length; index++)
        {
            if (IsHidden(index, length, isCut))
            {
                text.Append(separator).Append("...");
                index = length - EdgeItems - 1;
                continue;
            }

            text.Append(isFirst ? string.Empty : separator);
            isFirst = false;
            Append(text, values, format, width, axis + 1, start + (index * step), isCut, indent);
        }

        text.Append(']');
    }
}
