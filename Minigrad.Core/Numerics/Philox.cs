using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Minigrad.Numerics;

/// <summary>
/// The counter-based random generator Philox4x32-10 (Salmon, Moraes, Dror and Shaw, 2011, "Parallel random numbers: as
/// easy as 1, 2, 3"): random bits as a function of key and counter, so that any element of a stream can be drawn alone,
/// on any thread, on any device.
/// </summary>
public static class Philox
{
    private const uint FirstMultiplier = 0xD251_1F53;
    private const uint SecondMultiplier = 0xCD9E_8D57;
    private const uint FirstWeyl = 0x9E37_79B9;
    private const uint SecondWeyl = 0xBB67_AE85;
    private const int Rounds = 10;

    /// <summary>A float32 has 23 bits after its first.</summary>
    private const int UnusedBits = 9;

    /// <summary>The two uniform numbers in (0, 1) of one element of a stream.</summary>
    /// <param name="seed">The key.</param>
    /// <param name="stream">The upper half of the counter.</param>
    /// <param name="position">The lower half of the counter.</param>
    /// <param name="u">The first number.</param>
    /// <param name="v">The second number.</param>
    public static void Uniform(ulong seed, ulong stream, ulong position, out float u, out float v)
    {
        Bits(seed, stream, position, out uint first, out uint second);
        u = ToUnitInterval(new Scalar((int)(first >> UnusedBits))).Value;
        v = ToUnitInterval(new Scalar((int)(second >> UnusedBits))).Value;
    }

    /// <summary>The uniform numbers of consecutive elements of a stream, eight at a time where the processor can; the same bits.</summary>
    /// <param name="seed">The key.</param>
    /// <param name="stream">The upper half of the counter.</param>
    /// <param name="position">The lower half of the first element's counter; the next one's is higher by 1, modulo 2⁶⁴.</param>
    /// <param name="u">The first number of each element.</param>
    /// <param name="v">The second number of each, as many.</param>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    internal static void Uniform(ulong seed, ulong stream, ulong position, Span<float> u, Span<float> v)
    {
        v = v[..u.Length];
        int i = 0;
        if (EightWords.IsSupported)
        {
            for (; i + Lanes256.Count <= u.Length; i += Lanes256.Count)
            {
                UniformEight(seed, stream, position + (ulong)i, ref u[i], ref v[i]);
            }
        }

        for (; i < u.Length; i++)
        {
            Uniform(seed, stream, position + (ulong)i, out u[i], out v[i]);
        }
    }

    /// <summary>The first 64 random bits of one block of a stream.</summary>
    /// <param name="seed">The key.</param>
    /// <param name="stream">The upper half of the counter.</param>
    /// <param name="position">The lower half of the counter.</param>
    /// <param name="first">32 bits.</param>
    /// <param name="second">32 more bits.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Bits(ulong seed, ulong stream, ulong position, out uint first, out uint second)
    {
        OneWord c0 = (uint)position;
        OneWord c1 = (uint)(position >> 32);
        Mix(seed, stream, ref c0, ref c1);
        first = c0.Value;
        second = c1.Value;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void UniformEight(ulong seed, ulong stream, ulong position, ref float u, ref float v)
    {
        EightWords c0 = EightWords.From(position, out EightWords c1);
        Mix(seed, stream, ref c0, ref c1);
        Lanes256.Store(ToUnitInterval(ToLanes(c0)), ref u, 0);
        Lanes256.Store(ToUnitInterval(ToLanes(c1)), ref v, 0);
    }

    /// <summary>The rounds, from the lower half of the counter to the first 64 bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Mix<T>(ulong seed, ulong stream, ref T c0, ref T c1)
        where T : struct, IWords<T>
    {
        T c2 = (uint)stream;
        T c3 = (uint)(stream >> 32);
        T k0 = (uint)seed;
        T k1 = (uint)(seed >> 32);
        for (int round = 0; round < Rounds; round++)
        {
            T low0 = T.Multiply(c0, FirstMultiplier, out T high0);
            T low1 = T.Multiply(c2, SecondMultiplier, out T high1);
            c0 = high1 ^ c1 ^ k0;
            c1 = low1;
            c2 = high0 ^ c3 ^ k1;
            c3 = low0;
            k0 += FirstWeyl;
            k1 += SecondWeyl;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Lanes256 ToLanes(EightWords words) =>
        new(Vector256.ConvertToSingle((words.Narrow() >> UnusedBits).AsInt32()));

    /// <summary>(k + ½) / 2²³ for the top 23 bits k: exact in float32, symmetric about ½, never 0 or 1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T ToUnitInterval<T>(T k)
        where T : struct, IReal<T> => 1f / 8388608f * (k + 0.5f);
}
