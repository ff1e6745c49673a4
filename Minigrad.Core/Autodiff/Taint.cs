using System.Runtime.CompilerServices;
using Minigrad.Backends;

namespace Minigrad.Autodiff;

/// <summary>
/// What is known of numbers that are not finite: where their NaN and where their infinities came from. It belongs to the
/// numbers, so it goes with every tensor that shares them, and ends when they are changed in place.
/// </summary>
internal sealed class Taint
{
    private static readonly ConditionalWeakTable<Storage, Taint> Known = [];

    private readonly int version;

    private Taint(int version, Finding? nan, Finding? infinity)
    {
        this.version = version;
        NaN = nan;
        Infinity = infinity;
    }

    /// <summary>Where the first NaN came from, if there is one.</summary>
    public Finding? NaN { get; }

    /// <summary>Where the first infinity came from, if there is one.</summary>
    public Finding? Infinity { get; }

    /// <summary>What to tell: a NaN is worse than an infinity.</summary>
    public Finding Worst => NaN ?? Infinity!;

    // Who was the first to read what was there already is a matter of the trace that is open, not of one before it.
    private bool IsOutdated =>
        Worst is { Source.HeldBy: not null } held && AnomalyTrace.Current is { } trace && held.Sequence <= trace.Opened;

    /// <summary>What is known of a storage's numbers as they are now.</summary>
    public static Taint? Of(Storage storage) =>
        Known.TryGetValue(storage, out Taint? taint) && taint.version == storage.Version && !taint.IsOutdated ? taint : null;

    /// <summary>Remembers where a storage's NaN and infinities came from.</summary>
    public static Taint Mark(Storage storage, Finding? nan, Finding? infinity)
    {
        Taint taint = new(storage.Version, nan, infinity);
        Known.AddOrUpdate(storage, taint);
        return taint;
    }

    /// <summary>Remembers of a copy what is known of the original.</summary>
    public static void Copy(Storage source, Storage target)
    {
        if (Of(source) is { } taint)
        {
            Mark(target, taint.NaN, taint.Infinity);
        }
    }
}
