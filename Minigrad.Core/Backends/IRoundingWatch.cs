namespace Minigrad.Backends;

/// <summary>Sees what a <see cref="RoundingBackend{TRounding}"/> is about to round, as an overflow can be told from then on only by its exact number.</summary>
internal interface IRoundingWatch
{
    /// <summary>Looks at numbers before they are rounded.</summary>
    /// <param name="numbers">The numbers, all of the buffer.</param>
    /// <param name="place">Where they were read from, or will be written to.</param>
    void Look(Storage numbers, Part place);
}
