namespace Minigrad.Optimizers.Schedules;

/// <summary>Schedules one after another, each from its own step 0; the last goes on beyond its length.</summary>
internal sealed class JoinedSchedule : Schedule
{
    private readonly (Schedule Schedule, int Length)[] pieces;

    /// <summary>A schedule.</summary>
    /// <param name="pieces">The schedules, and for how many steps each is followed.</param>
    public JoinedSchedule(IReadOnlyList<(Schedule Schedule, int Length)> pieces)
    {
        ArgumentNullException.ThrowIfNull(pieces);
        this.pieces = [.. pieces];
        if (this.pieces.Length == 0)
        {
            throw new ArgumentException("Schedule.Joined was given no piece. Pass (schedule, length) pairs.", nameof(pieces));
        }

        foreach ((Schedule schedule, int length) in this.pieces)
        {
            ArgumentNullException.ThrowIfNull(schedule, nameof(pieces));
            CheckLength(length, "the length of a piece", nameof(Joined));
        }
    }

    /// <inheritdoc/>
    protected override double ValueAt(int step)
    {
        int piece = 0;
        while (piece < pieces.Length - 1 && step >= pieces[piece].Length)
        {
            step -= pieces[piece].Length;
            piece++;
        }

        return pieces[piece].Schedule.At(step);
    }
}
