using System.Runtime.CompilerServices;

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

    /// <summary>The two uniform numbers in (0, 1) of one element of a stream.</summary>
    /// <param name="seed">The key.</param>
    /// <param name="stream">The upper half of the counter.</param>
    /// <param name="position">The lower half of the counter.</param>
    /// <param name="u">The first number.</param>
    /// <param name="v">The second number.</param>
    public static void Uniform(ulong seed, ulong stream, ulong position, out float u, out float v)
    {
        Bits(seed, stream, position, out uint first, out uint second);
        u = ToUnitInterval(first);
        v = ToUnitInterval(second);
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
        uint c0 = (uint)position;
        uint c1 = (uint)(position >> 32);
        uint c2 = (uint)stream;
        uint c3 = (uint)(stream >> 32);
        uint k0 = (uint)seed;
        uint k1 = (uint)(seed >> 32);
        for (int round = 0; round < Rounds; round++)
        {
            ulong p0 = (ulong)FirstMultiplier * c0;
            ulong p1 = (ulong)SecondMultiplier * c2;
            c0 = (uint)(p1 >> 32) ^ c1 ^ k0;
            c1 = (uint)p1;
            c2 = (uint)(p0 >> 32) ^ c3 ^ k1;
            c3 = (uint)p0;
            k0 += FirstWeyl;
            k1 += SecondWeyl;
        }

        first = c0;
        second = c1;
    }

    /// <summary>(k + ½) / 2²³ for the top 23 bits k: exact in float32, symmetric about ½, never 0 or 1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float ToUnitInterval(uint bits) => ((int)(bits >> 9) + 0.5f) * (1f / 8388608f);
}
