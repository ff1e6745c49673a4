using Minigrad.Backends;
using Minigrad.Numerics;
using Minigrad.Operations;

namespace Minigrad.Autodiff;

/// <summary>
/// Notes the finite numbers that rounding to a format of fewer bits makes infinite, until the operation in which that happens has
/// been looked at: afterwards an infinity does not tell what it was.
/// </summary>
internal sealed class RoundingWatch : IRoundingWatch
{
    private readonly List<Overflow> overflows = [];

    /// <summary>Whether anything was noted.</summary>
    public bool HasOverflows => overflows.Count > 0;

    /// <inheritdoc/>
    public void Look(Storage numbers, Part place)
    {
        Precision format = EmulatedPrecision.Current;
        if (Inspection.Largest(numbers) <= RoundedNumber.Largest(format))
        {
            return;
        }

        float[] exact = new float[numbers.Length];
        numbers.Backend.Download(numbers, exact);
        Overflow overflow = new(place, exact, format);
        if (overflow.First >= 0)
        {
            overflows.Add(overflow);
        }
    }

    /// <summary>Forgets what was noted: the operation has been looked at.</summary>
    public void Forget() => overflows.Clear();

    /// <summary>An element of a buffer before it was rounded to an infinity, or null if that is not what happened to it.</summary>
    /// <param name="storage">The buffer that was read or written.</param>
    /// <param name="element">Which element of it.</param>
    /// <param name="role">What the buffer is to the operation.</param>
    public RoundedNumber? At(Storage storage, int element, RoundedNumber.Part role)
    {
        // A buffer may have been written twice, and the last is what it holds.
        Overflow? overflow = overflows.FindLast(overflow => ReferenceEquals(overflow.Place.Storage, storage) && overflow.Holds(element - overflow.Place.Start));
        return overflow?.Told(element - overflow.Place.Start, role);
    }

    /// <summary>An element of some buffer of a length that is none of those given, before it was rounded to an infinity, or null.</summary>
    /// <param name="length">The length.</param>
    /// <param name="element">Which element of it.</param>
    /// <param name="others">The buffers that are not meant.</param>
    public RoundedNumber? Inside(int length, int element, IEnumerable<Storage> others) => overflows
        .Find(overflow => overflow.Length == length && overflow.Holds(element) && !others.Contains(overflow.Place.Storage))
        ?.Told(element, RoundedNumber.Part.Inside);

    /// <summary>The first number that was rounded to an infinity on the way to a result, or null.</summary>
    /// <param name="result">The result, whose own numbers are not meant.</param>
    /// <param name="read">What the operation read.</param>
    public RoundedNumber? First(Storage result, IEnumerable<Storage> read)
    {
        Overflow? overflow = overflows.Find(overflow => !ReferenceEquals(overflow.Place.Storage, result));
        return overflow?.Told(
            overflow.First, read.Contains(overflow.Place.Storage) ? RoundedNumber.Part.Operand : RoundedNumber.Part.Inside);
    }

    /// <summary>One rounding, in which a number became infinite.</summary>
    private sealed class Overflow(Part place, float[] exact, Precision format)
    {
        public Part Place => place;

        public int Length => exact.Length;

        public int First { get; } = Array.FindIndex(exact, value => IsTooLarge(value, format));

        public bool Holds(int element) => element >= 0 && element < exact.Length && IsTooLarge(exact[element], format);

        public RoundedNumber Told(int element, RoundedNumber.Part role) => new(exact[element], format, role);

        private static bool IsTooLarge(float value, Precision format) => float.IsFinite(value) && float.IsInfinity(
            (format == Precision.Half
                ? default(RoundToHalf).Forward(new Scalar(value))
                : default(RoundToBFloat16).Forward(new Scalar(value))).Value);
    }
}
