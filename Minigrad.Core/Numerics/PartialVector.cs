using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Minigrad.Numerics;

/// <summary>
/// Reads and writes the first lanes of a vector without a detour through memory. From half a vector on, two halves that
/// overlap cover any count of numbers: the second one ends where the numbers end, and its lanes are shifted to where they
/// belong. Fewer numbers are the first lanes of a vector half as wide. (Masked reads and writes of the processor take
/// pointers, and nothing in the project is read or written through one.)
/// </summary>
/// <remarks>
/// Copied number by number to a padded vector on the stack and back, the end of each row took 100 ns in softmax, as long as
/// 500 numbers; rows of 7 to 65 are little else. As calls these methods took half of that, since a vector goes to a call and
/// comes from it by way of the stack.
/// </remarks>
internal static class PartialVector
{
    /// <summary>A vector of the first 1 to 16 numbers from a place on, padded.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Read512(ref readonly float source, nuint offset, int count, float padding)
    {
        const int Half = 8;
        if (count <= Half)
        {
            return Vector512.Create(Read256(in source, offset, count, padding), Vector256.Create(padding));
        }

        Vector256<float> last = Vector256.LoadUnsafe(in source, offset + (nuint)(count - Half));
        Vector256<int> lane = Vector256<int>.Indices + Vector256.Create((2 * Half) - count);
        Vector256<float> upper = Vector256.ConditionalSelect(
            Vector256.LessThan(lane, Vector256.Create(Half)).AsSingle(), Vector256.ShuffleNative(last, lane), Vector256.Create(padding));
        return Vector512.Create(Vector256.LoadUnsafe(in source, offset), upper);
    }

    /// <summary>A vector of the first 1 to 8 numbers from a place on, padded.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Read256(ref readonly float source, nuint offset, int count, float padding)
    {
        const int Half = 4;
        if (count <= Half)
        {
            return Vector256.Create(Read128(in source, offset, count, padding), Vector128.Create(padding));
        }

        Vector128<float> last = Vector128.LoadUnsafe(in source, offset + (nuint)(count - Half));
        Vector128<int> lane = Vector128<int>.Indices + Vector128.Create((2 * Half) - count);
        Vector128<float> upper = Vector128.ConditionalSelect(
            Vector128.LessThan(lane, Vector128.Create(Half)).AsSingle(), Vector128.Shuffle(last, lane), Vector128.Create(padding));
        return Vector256.Create(Vector128.LoadUnsafe(in source, offset), upper);
    }

    /// <summary>A vector of the first 1 to 4 numbers from a place on, padded.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Read128(ref readonly float source, nuint offset, int count, float padding)
    {
        if (count == Vector128<float>.Count)
        {
            return Vector128.LoadUnsafe(in source, offset);
        }

        ref float first = ref Unsafe.Add(ref Unsafe.AsRef(in source), offset);
        float second = count > 1 ? Unsafe.Add(ref first, 1) : padding;
        return Vector128.Create(first, second, count > 2 ? Unsafe.Add(ref first, 2) : padding, padding);
    }

    /// <summary>Writes the first 1 to 16 lanes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Write(Vector512<float> value, ref float destination, nuint offset, int count)
    {
        const int Half = 8;
        if (count <= Half)
        {
            Write(value.GetLower(), ref destination, offset, count);
            return;
        }

        Vector512<float> last = Vector512.ShuffleNative(value, Vector512<int>.Indices + Vector512.Create(count - Half));
        value.GetLower().StoreUnsafe(ref destination, offset);
        last.GetLower().StoreUnsafe(ref destination, offset + (nuint)(count - Half));
    }

    /// <summary>Writes the first 1 to 8 lanes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Write(Vector256<float> value, ref float destination, nuint offset, int count)
    {
        const int Half = 4;
        if (count <= Half)
        {
            Write(value.GetLower(), ref destination, offset, count);
            return;
        }

        Vector256<float> last = Vector256.ShuffleNative(value, Vector256<int>.Indices + Vector256.Create(count - Half));
        value.GetLower().StoreUnsafe(ref destination, offset);
        last.GetLower().StoreUnsafe(ref destination, offset + (nuint)(count - Half));
    }

    /// <summary>Writes the first 1 to 4 lanes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Write(Vector128<float> value, ref float destination, nuint offset, int count)
    {
        if (count == Vector128<float>.Count)
        {
            value.StoreUnsafe(ref destination, offset);
            return;
        }

        ref float first = ref Unsafe.Add(ref destination, offset);
        first = value.ToScalar();
        if (count > 1)
        {
            Unsafe.Add(ref first, 1) = value.GetElement(1);
        }

        if (count > 2)
        {
            Unsafe.Add(ref first, 2) = value.GetElement(2);
        }
    }
}
