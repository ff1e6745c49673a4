using Minigrad.Numerics;

namespace Minigrad.Tests.Numerics;

/// <summary>Eight elements of a stream at a time are the elements drawn one by one, which are Philox's published numbers.</summary>
public sealed class PhiloxTests
{
    [Theory]
    [InlineData(0ul)]
    [InlineData(5ul)]
    [InlineData(0xFFFF_FFFBul)] // The lower 32 bits overflow within eight elements,
    [InlineData(0x0123_4567_FFFF_FFFFul)]
    [InlineData(0xFFFF_FFFF_FFFF_FFFCul)] // and here all 64.
    public void Consecutive_numbers_are_those_drawn_one_by_one(ulong position)
    {
        foreach (int length in new[] { 0, 1, 7, 8, 9, 16, 37, 1024 })
        {
            float[] u = new float[length], v = new float[length];
            ulong seed = 0x9E37_79B9_7F4A_7C15ul * (ulong)(length + 1);
            ulong stream = ~seed;
            Philox.Uniform(seed, stream, position, u, v);
            for (int i = 0; i < length; i++)
            {
                Philox.Uniform(seed, stream, position + (ulong)i, out float first, out float second);
                Assert.Equal((first, second), (u[i], v[i]));
            }
        }
    }
}
