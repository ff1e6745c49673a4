namespace Minigrad.Gpu;

/// <summary>Tells of row numbers which are equal, so that a device can add up the rows of each without looking through all.</summary>
internal static class RowGroups
{
    private const int DigitBits = 8;

    /// <summary>
    /// The numbers; then their places, those of equal numbers side by side, each group in its order; then where in these each group begins,
    /// and the end. A radix sort, in time proportional to the numbers.
    /// </summary>
    /// <param name="numbers">The numbers, none negative, at least one.</param>
    /// <param name="groups">How many differ.</param>
    public static int[] Of(ReadOnlySpan<int> numbers, out int groups)
    {
        int[] places = new int[numbers.Length];
        int largest = 0;
        for (int i = 0; i < places.Length; i++)
        {
            places[i] = i;
            largest = Math.Max(largest, numbers[i]);
        }

        int[] sorted = new int[numbers.Length];
        Span<int> begins = stackalloc int[(1 << DigitBits) + 1];
        for (int shift = 0; shift < 31 && largest >> shift != 0; shift += DigitBits)
        {
            begins.Clear();
            foreach (int number in numbers)
            {
                begins[Digit(number, shift) + 1]++;
            }

            for (int digit = 1; digit < begins.Length; digit++)
            {
                begins[digit] += begins[digit - 1];
            }

            foreach (int place in places)
            {
                sorted[begins[Digit(numbers[place], shift)]++] = place;
            }

            (places, sorted) = (sorted, places);
        }

        List<int> starts = [];
        for (int i = 0; i < places.Length; i++)
        {
            if (i == 0 || numbers[places[i]] != numbers[places[i - 1]])
            {
                starts.Add(i);
            }
        }

        groups = starts.Count;
        return [.. numbers, .. places, .. starts, numbers.Length];
    }

    private static int Digit(int number, int shift) => (number >> shift) & ((1 << DigitBits) - 1);
}
