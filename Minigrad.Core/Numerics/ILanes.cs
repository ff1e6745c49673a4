namespace Minigrad.Numerics;

/// <summary>
/// Several float32 numbers in one vector register: the number type of CPU loops. A value never depends on its lane,
/// so it never depends on its place in an array.
/// </summary>
/// <typeparam name="T">The implementing type itself.</typeparam>
public interface ILanes<T> : IMachineReal<T>
    where T : struct, ILanes<T>
{
    /// <summary>The number of lanes.</summary>
    static abstract int Count { get; }

    /// <summary>Reads <see cref="Count"/> numbers starting at an element offset from a reference.</summary>
    static abstract T Load(ref readonly float source, nuint offset);

    /// <summary>Writes <see cref="Count"/> numbers starting at an element offset from a reference.</summary>
    static abstract void Store(T value, ref float destination, nuint offset);

    /// <summary>
    /// sum = x · y + sum, the same bits as <see cref="IMachineReal{T}.MultiplyAdd"/>, computed in the sum's own register. Where y is
    /// not needed any longer, the JIT would put the new sum into y's register and copy it back: an instruction more for each multiply-add.
    /// </summary>
    /// <param name="x">One factor.</param>
    /// <param name="y">The other factor.</param>
    /// <param name="sum">What the product is added to.</param>
    static abstract void AddProduct(T x, T y, ref T sum);

    /// <summary>
    /// sum = x · y + sum, as <see cref="AddProduct(T, T, ref T)"/>, for one number x in memory. Each call reads it by itself: in the
    /// multiply-add's own instruction, where the machine has such a one.
    /// </summary>
    /// <param name="x">The factor of all lanes.</param>
    /// <param name="y">The other factor.</param>
    /// <param name="sum">What the product is added to.</param>
    static abstract void AddProduct(ref readonly float x, T y, ref T sum);

    /// <summary>
    /// Reads the first <paramref name="count"/> lanes only, at least one; the others hold <paramref name="padding"/>.
    /// </summary>
    static abstract T LoadPartial(ref readonly float source, nuint offset, int count, float padding);

    /// <summary>Writes the first <paramref name="count"/> lanes only, at least one.</summary>
    static abstract void StorePartial(T value, ref float destination, nuint offset, int count);

    /// <summary>Each lane gets the number of the lane that is <paramref name="distance"/>, a power of two, away: i that of i xor distance.</summary>
    static abstract T Exchange(T x, int distance);

    /// <summary>The number in the first lane.</summary>
    static abstract float First(T x);

    /// <summary>The first lane where x equals y, or is NaN; 32 or more if there is none.</summary>
    static abstract int FirstEqual(T x, T y);

    /// <summary>
    /// 16 bits of each of two numbers in the room of one: the sign, and the 15 that follow the highest <paramref name="spare"/>
    /// bits of the exponent. With none to spare that is all of a bfloat16.
    /// </summary>
    static abstract T Pair(T low, T high, int spare);

    /// <summary>The first numbers of a <see cref="Pair"/>; the bits that it leaves out are 0.</summary>
    static abstract T LowOfPair(T pair, int spare);

    /// <summary>The second numbers of a <see cref="Pair"/>; the bits that it leaves out are 0.</summary>
    static abstract T HighOfPair(T pair, int spare);

    /// <summary>The sum of all lanes, added in a fixed order.</summary>
    static abstract float Sum(T value);
}
