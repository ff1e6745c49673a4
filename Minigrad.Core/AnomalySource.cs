using System.Globalization;
using System.Text;
using Minigrad.Autodiff;

namespace Minigrad;

/// <summary>An operation that made a NaN or an infinity, or that was the first to read one: what, of what, and where in the program.</summary>
public sealed class AnomalySource
{
    private readonly string? within;

    internal AnomalySource(string operation, OperationOrigin? origin, Tensor tensor, float[] values, int element)
    {
        Operation = operation;
        Value = values[element];
        Index = tensor.Shape.Place(element);
        Place = Shape.Text([.. Index]);
        Count = values.Count(float.IsNaN(Value) ? float.IsNaN : float.IsInfinity);
        Length = values.Length;
        Layer = origin?.Layer;
        File = origin?.Line?.File;
        Line = origin?.Line?.Line ?? 0;
        Method = origin?.Line?.Method;
        within = origin?.Within;
    }

    /// <summary>The operation: <c>Logarithm</c>, <c>Divide</c>, <c>Sequence(ElmanCell)</c>.</summary>
    public string Operation { get; }

    /// <summary>Whether not the operation itself but its backward made it.</summary>
    public bool IsBackward { get; internal init; }

    /// <summary>
    /// What held it already when the operation read it, as <c>'encoder.0.weight' of shape [8, 2]</c>: then the operation is not to
    /// blame. Null where the operation made it of finite numbers, or something worse of infinities.
    /// </summary>
    public string? HeldBy { get; internal init; }

    /// <summary>The first NaN, +∞ or −∞ there.</summary>
    public float Value { get; }

    /// <summary>Where it is: one index for each dimension.</summary>
    public IReadOnlyList<int> Index { get; }

    /// <summary>How many elements are like it: NaN, or infinite.</summary>
    public int Count { get; }

    /// <summary>How many elements there are in all.</summary>
    public int Length { get; }

    /// <summary>The innermost layer that was running, its path and its kind: <c>'2', Linear(16 → 1)</c>; null outside of layers.</summary>
    public string? Layer { get; }

    /// <summary>The source file of the innermost call that is not Minigrad's own, with its path; null if there are no debug symbols.</summary>
    public string? File { get; }

    /// <summary>The line in <see cref="File"/> at which the statement of the call begins, from 1; 0 if it is not known.</summary>
    public int Line { get; }

    /// <summary>The type and method of that call; null if the operation was called before the trace began.</summary>
    public string? Method { get; }

    /// <summary>
    /// The finite number that became infinite because it was rounded to a format in which it is too large; null where no rounding
    /// made it. It is an element of what the operation made or read, or of the gradient that its backward began with.
    /// </summary>
    public float? RoundedFrom => Rounded?.Exact;

    /// <summary>The format that <see cref="RoundedFrom"/> was rounded to, see <see cref="EmulatedPrecision"/>; <see cref="Precision.Full"/> where no rounding made it.</summary>
    public Precision RoundedTo => Rounded?.Format ?? Precision.Full;

    /// <summary>What was rounded to an infinity, or null.</summary>
    internal RoundedNumber? Rounded { get; init; }

    /// <summary>Where the first element is, in the words of the operation.</summary>
    internal string Place { get; init; }

    /// <summary>Whose gradients were added up, where it is a sum of gradients that made it; else null.</summary>
    internal string? SumOf { get; init; }

    /// <summary>What it was made of.</summary>
    internal string Operands { get; init; } = string.Empty;

    /// <summary>The operation, what it made of what, where in the tensor, in which layer, and at which line.</summary>
    public override string ToString()
    {
        string name = within is null ? Operation : $"{Operation} (in the backward of {within})";
        string maker = $"{(IsBackward ? "the backward of " : string.Empty)}{name}";
        StringBuilder text = new();
        text.Append(this switch
        {
            { HeldBy: { } holder } => $"{holder} held {Text(Value)} already",
            { SumOf: { } owner } => $"the gradients of {owner}, added up, made {Text(Value)}",
            { Rounded: { } rounded } => RoundedText(maker, name, rounded),
            _ => $"{maker} made {Text(Value)} of {Operands}",
        });
        if (Length > 1)
        {
            text.Append($" at {Place} ({Count} of {Length} elements)");
        }

        text.Append(HeldBy is null ? string.Empty : $"; {name} was the first to read it");
        text.Append(Layer is null ? string.Empty : $", in layer {Layer}");
        return text.Append(Where).ToString();
    }

    /// <summary>A number as messages write it.</summary>
    internal static string Text(float value) => value switch
    {
        float.PositiveInfinity => "+∞",
        float.NegativeInfinity => "−∞",
        _ => value.ToString(CultureInfo.InvariantCulture),
    };

    private string RoundedText(string maker, string name, RoundedNumber rounded)
    {
        string exact = Text(rounded.Exact);
        string infinity = Text(rounded.Exact < 0 ? float.NegativeInfinity : float.PositiveInfinity);
        return rounded.Role switch
        {
            RoundedNumber.Part.Result => $"{maker} made {exact} of {Operands}, which rounding to {rounded.FormatText} made {infinity}",
            RoundedNumber.Part.Operand => $"{maker} read {exact}, which rounding to {rounded.FormatText} made {infinity}, and made {Text(Value)} of {Operands}",
            RoundedNumber.Part.Inside => $"{maker} had {exact} on the way, which rounding to {rounded.FormatText} made {infinity}, and made {Text(Value)} of {Operands}",
            _ => $"the gradient of the result of {name} was {exact}, which rounding to {rounded.FormatText} made {infinity}",
        };
    }

    private string Where => this switch
    {
        { File: { } file } => $", at {file[(file.LastIndexOfAny(['/', '\\']) + 1)..]}:{Line}",
        { Method: { } method } => $", in {method} (a program with debug symbols would show the line)",
        _ => string.Empty,
    };
}
