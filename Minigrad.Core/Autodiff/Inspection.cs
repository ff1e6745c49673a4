using Minigrad.Backends;
using Minigrad.Operations;

namespace Minigrad.Autodiff;

/// <summary>
/// Looks at what an operation made, forward or backward. Where that is not finite, it says whether an operand was so before
/// (then it was passed on) or not (then it began here), element by element where the operation is elementwise.
/// </summary>
internal sealed class Inspection
{
    private readonly Node node;
    private readonly Tensor result;
    private readonly Tensor[] operands;
    private readonly bool isBackward;
    private readonly bool isElementwise;
    private readonly long begun = Finding.Made;

    /// <summary>An inspection of a result or of a gradient.</summary>
    /// <param name="node">The operation.</param>
    /// <param name="result">What it made.</param>
    /// <param name="operands">Of what: its inputs, or in backward the gradients that had arrived.</param>
    /// <param name="isBackward">Whether the operation's backward made it.</param>
    public Inspection(Node node, Tensor result, Tensor[] operands, bool isBackward)
    {
        this.node = node;
        this.result = result;
        this.operands = operands;
        this.isBackward = isBackward;
        isElementwise = node.IsElementwise && result.Shape.Equals(node.OutputShape);
    }

    private Tensor[] Inputs => node.Origin?.Inputs ?? [];

    /// <summary>The largest magnitude in a storage, NaN if there is one: how numbers are looked at where they lie.</summary>
    public static float Largest(Storage storage)
    {
        Storage largest = storage.Backend.Allocate(1);
        storage.Backend.Reduce(default(LargestAbsolute), storage, new AxisLayout(1, storage.Length, 1), largest);
        Span<float> value = stackalloc float[1];
        storage.Backend.Download(largest, value);
        largest.Recycle();
        return value[0];
    }

    /// <summary>What is not finite in a tensor that no traced operation made.</summary>
    /// <param name="tensor">The tensor.</param>
    /// <param name="holder">What a message calls it.</param>
    /// <param name="reader">The operation that is the first to read it.</param>
    /// <param name="origin">Where that was called, or null if it is not known.</param>
    public static Taint? Held(Tensor tensor, string holder, string reader, OperationOrigin? origin)
    {
        if (float.IsFinite(Largest(tensor.Storage)))
        {
            return null;
        }

        float[] values = tensor.ToArray();
        Finding? Find(Predicate<float> isBad)
        {
            int element = Array.FindIndex(values, isBad);
            return element < 0
                ? null
                : new Finding(reader, null, new AnomalySource(reader, origin, tensor, values, element) { HeldBy = holder });
        }

        return Taint.Mark(tensor.Storage, Find(float.IsNaN), Find(float.IsInfinity));
    }

    /// <summary>Looks.</summary>
    /// <returns>What is not finite, or null.</returns>
    public Taint? Run()
    {
        if (float.IsFinite(Largest(result.Storage)))
        {
            return null;
        }

        float[] values = result.ToArray();
        return Taint.Mark(result.Storage, Find(values, float.IsNaN), Find(values, float.IsInfinity));
    }

    private Finding? Find(float[] values, Predicate<float> isBad)
    {
        int element = Array.FindIndex(values, isBad);
        if (element < 0)
        {
            return null;
        }

        RoundedNumber? rounded = Rounded(element);
        if (rounded?.Role == RoundedNumber.Part.Result)
        {
            // It was finite until then, whatever else the operation read.
            return Began(values, element, null, rounded);
        }

        (Finding? nan, Finding? infinity) = Before(operands, element);
        Finding? before = nan ?? infinity;
        Finding? same = float.IsNaN(values[element]) ? nan : infinity;
        if (before is null && isBackward)
        {
            // A gradient that was finite met values that were not, as where an infinity was masked in the forward pass.
            (nan, infinity) = Before(Inputs, element);
            before = Finding.Earlier(nan, infinity) ?? node.Origin?.Result?.Worst;
        }

        if (same is not null)
        {
            // Where this operation is the first to read it, that has been said.
            return same.Sequence > begun ? same : new Finding(node.Operation, same, null);
        }

        return Began(values, element, before, before is null ? rounded : null);
    }

    private Finding Began(float[] values, int element, Finding? before, RoundedNumber? rounded) =>
        new(node.Operation, before, new AnomalySource(node.Operation, node.Origin, result, values, element)
        {
            IsBackward = isBackward,
            Place = isBackward ? Shape.Text(result.Shape.Place(element)) : node.PlaceText(element),
            Operands = isElementwise ? ValuesAt(result.Shape.Place(element)) : Describe(operands),
            Rounded = rounded,
        });

    /// <summary>The finite number on the way to an element that was rounded to an infinity, or null if none was.</summary>
    private RoundedNumber? Rounded(int element)
    {
        if (AnomalyTrace.Current?.Roundings is not { HasOverflows: true } roundings)
        {
            return null;
        }

        if (roundings.At(result.Storage, element, RoundedNumber.Part.Result) is { } own)
        {
            return own;
        }

        Tensor[] read = isBackward ? [.. operands, .. Inputs] : operands;
        if (!isElementwise)
        {
            return roundings.First(result.Storage, read.Select(tensor => tensor.Storage));
        }

        int[] place = result.Shape.Place(element);
        return read
            .Select(tensor => roundings.At(tensor.Storage, tensor.Shape.ElementAt(place), RoundedNumber.Part.Operand))
            .FirstOrDefault(number => number is not null)
            ?? roundings.Inside(result.Length, element, read.Append(result).Select(tensor => tensor.Storage));
    }

    /// <summary>Where a NaN and an infinity among what an element was made of came from.</summary>
    private (Finding? NaN, Finding? Infinity) Before(Tensor[] tensors, int element)
    {
        Finding? nan = null;
        Finding? infinity = null;
        foreach (Tensor tensor in tensors)
        {
            if ((Taint.Of(tensor.Storage) ?? Held(tensor, Describe(tensor), node.Operation, node.Origin)) is { } taint)
            {
                float value = isElementwise ? ValueAt(tensor, result.Shape.Place(element)) : float.NaN;
                bool isEither = !isElementwise;
                nan = isEither || float.IsNaN(value) ? Finding.Earlier(nan, taint.NaN) : nan;
                infinity = isEither || float.IsInfinity(value) ? Finding.Earlier(infinity, taint.Infinity) : infinity;
            }
        }

        return (nan, infinity);
    }

    private static float ValueAt(Tensor tensor, int[] place) => tensor.ToArray()[tensor.Shape.ElementAt(place)];

    private string ValuesAt(int[] place)
    {
        List<string> values = [.. Inputs.Select(input => AnomalySource.Text(ValueAt(input, place)))];
        if (node.Constant is { } constant)
        {
            values.Insert(constant.IsFirst ? 0 : values.Count, $"the number {AnomalySource.Text(constant.Number)}");
        }

        string inputs = string.Join(" and ", values);
        if (!isBackward)
        {
            return inputs;
        }

        string gradient = string.Join(" and ", operands.Select(operand => AnomalySource.Text(ValueAt(operand, place))));
        return inputs.Length == 0 ? $"the gradient {gradient}" : $"the gradient {gradient} where forward had {inputs}";
    }

    private string Describe(Tensor[] tensors)
    {
        IEnumerable<string> parts = tensors.DistinctBy(tensor => tensor.Storage).Select(tensor =>
            $"{(isBackward ? $"a gradient of shape {tensor.Shape}" : Describe(tensor))} (largest magnitude {AnomalySource.Text(Largest(tensor.Storage))})");
        return string.Join(" and ", parts);
    }

    private static string Describe(Tensor tensor) => tensor switch
    {
        { Name: { } name } => $"'{name}' of shape {tensor.Shape}",
        { Producer: { } producer } => $"the result of {producer.Operation} of shape {tensor.Shape}",
        _ => $"a tensor of shape {tensor.Shape}",
    };
}
