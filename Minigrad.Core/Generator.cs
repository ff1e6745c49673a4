using Minigrad.Backends;
using Minigrad.Numerics;

namespace Minigrad;

/// <summary>
/// A source of random numbers: a seed, a stream for a purpose, and how far it was read. The numbers are a function of
/// these three (<see cref="Philox"/>), so they are the same on every backend and for any number of threads. Threads of a program's own
/// that draw from one generator at once, also from <see cref="Default"/>, take its numbers in an order that changes from run to run: give each its own.
/// </summary>
public sealed class Generator
{
    /// <summary>A generator.</summary>
    /// <param name="seed">One seed makes a run.</param>
    /// <param name="stream">What the numbers are for; streams of one seed are independent.</param>
    public Generator(ulong seed, ulong stream = 0)
    {
        Seed = seed;
        Stream = stream;
    }

    /// <summary>The generator used where none is given. It has seed 0 until set, so that every run repeats.</summary>
    /// <exception cref="ArgumentNullException">It is null.</exception>
    public static Generator Default
    {
        get;
        set
        {
            ArgumentNullException.ThrowIfNull(value);
            field = value;
        }
    } = new(0);

    /// <summary>The seed.</summary>
    public ulong Seed { get; }

    /// <summary>The stream.</summary>
    public ulong Stream { get; }

    /// <summary>How many numbers were drawn. Setting it goes back or ahead, which is how a run is resumed.</summary>
    public ulong Position { get; set; }

    /// <summary>An independent generator for a purpose, as <c>generator.For("dropout")</c>: drawing from it does not shift this one.</summary>
    /// <param name="purpose">A name; the same name gives the same numbers.</param>
    public Generator For(string purpose)
    {
        ArgumentNullException.ThrowIfNull(purpose);
        const ulong OffsetBasis = 14695981039346656037;
        const ulong Prime = 1099511628211;

        // The hash of Fowler, Noll and Vo, which is the same in every process. Streams, often 0, 1, 2, …, are set apart before, or the first
        // letter of a name, which differs in the same bits, could make up for the difference between two.
        const ulong GoldenRatio = 0x9E3779B97F4A7C15;
        ulong hash = OffsetBasis ^ (Stream * GoldenRatio);
        foreach (char letter in purpose)
        {
            hash = (hash ^ letter) * Prime;
        }

        return new Generator(Seed, hash);
    }

    /// <summary>An independent generator, another at each call: two dropout layers must not draw the same masks.</summary>
    /// <param name="purpose">What it is for.</param>
    public Generator Fork(string purpose) => For($"{purpose} {Position++}");

    /// <summary>A number drawn uniformly from [0, 1).</summary>
    public float Next()
    {
        Philox.Uniform(Seed, Stream, Position++, out float u, out _);
        return u;
    }

    /// <summary>A whole number drawn uniformly from 0 up to, not including, a limit.</summary>
    /// <param name="limit">The limit, at least 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">The limit is not positive.</exception>
    public int Next(int limit)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(limit);
        Philox.Bits(Seed, Stream, Position++, out uint high, out uint low);

        // 64 bits scaled down: the bias is at most limit / 2⁶⁴.
        return (int)Math.BigMul(((ulong)high << 32) | low, (ulong)limit, out _);
    }

    /// <summary>A place drawn in proportion to its weight, as the next character from the probabilities of a model.</summary>
    /// <param name="weights">A number for each place, not negative; they need not sum to 1.</param>
    /// <exception cref="ArgumentException">A weight is negative or not finite, or all are 0.</exception>
    public int Choose(ReadOnlySpan<float> weights)
    {
        double total = 0;
        for (int place = 0; place < weights.Length; place++)
        {
            total += weights[place] >= 0 && float.IsFinite(weights[place]) ? weights[place] : throw new ArgumentException(
                $"Choose: weight {place} is {weights[place]}, but weights must be finite and not negative. Logits become weights by Softmax().", nameof(weights));
        }

        if (total == 0)
        {
            throw new ArgumentException(
                $"Choose: all {weights.Length} weights are 0, so there is nothing to choose; at least one must be positive.", nameof(weights));
        }

        double left = Next() * total;
        int chosen = 0;
        for (int place = 0; place < weights.Length; place++)
        {
            if (weights[place] > 0)
            {
                // The last positive place also takes what rounding leaves over.
                chosen = place;
                left -= weights[place];
                if (left < 0)
                {
                    break;
                }
            }
        }

        return chosen;
    }

    /// <summary>The numbers 0 … count − 1 in random order (Fisher and Yates).</summary>
    /// <param name="count">How many.</param>
    /// <exception cref="ArgumentOutOfRangeException">The count is negative, or more than an array can hold.</exception>
    public int[] Permutation(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, Array.MaxLength);
        int[] order = [.. Enumerable.Range(0, count)];
        for (int last = count - 1; last > 0; last--)
        {
            int other = Next(last + 1);
            (order[last], order[other]) = (order[other], order[last]);
        }

        return order;
    }

    /// <summary>Sets aside numbers for a fill on a backend.</summary>
    internal Randomness Take(int count)
    {
        Randomness randomness = new(Seed, Stream, Position);
        Position += (ulong)count;
        return randomness;
    }
}
