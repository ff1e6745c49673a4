using System.Runtime.InteropServices;
using Minigrad.Backends.Cpu;

namespace Minigrad.Tests.Backends;

/// <summary>Where packed numbers begin.</summary>
public sealed class AlignedBufferTests
{
    [Fact]
    public void Numbers_begin_where_a_line_of_the_caches_does_and_there_is_room_for_all()
    {
        // Arrays of odd lengths between them, so that the next does not begin where it would by chance.
        List<object> between = [];
        for (int length = 1; length < 200; length++)
        {
            AlignedBuffer buffer = new(length);
            between.Add(GC.AllocateUninitializedArray<float>(length, pinned: true));
            ArraySegment<float> numbers = buffer.Slice(0, length);
            Assert.Equal(0, Marshal.UnsafeAddrOfPinnedArrayElement(numbers.Array!, numbers.Offset) % 64);
            Assert.Equal(length, buffer.Length);
            for (int i = 0; i < length; i++)
            {
                numbers[i] = i;
            }

            Assert.Equal(length - 1, buffer.Slice(length - 1, 1)[0]);
        }

        Assert.Equal(0, new AlignedBuffer(0).Slice(0, 0).Count);
    }
}
