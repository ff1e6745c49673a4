using System.Runtime.CompilerServices;

namespace Minigrad.Operations;

/// <summary>Up to four numbers that belong to one unit of a recurrent cell: its gates, or what they became.</summary>
/// <typeparam name="T">The number type.</typeparam>
/// <param name="first">The first gate.</param>
/// <param name="second">The second gate, if the cell has it.</param>
/// <param name="third">The third gate, if the cell has it.</param>
/// <param name="fourth">The fourth gate, if the cell has it.</param>
[method: MethodImpl(MethodImplOptions.AggressiveInlining)]
public readonly struct Gates<T>(T first, T second, T third, T fourth)
    where T : struct
{
    /// <summary>Only one number.</summary>
    /// <param name="first">The first gate.</param>
    public Gates(T first)
        : this(first, default, default, default)
    {
    }

    /// <summary>The first gate.</summary>
    public T First { get; } = first;

    /// <summary>The second gate.</summary>
    public T Second { get; } = second;

    /// <summary>The third gate.</summary>
    public T Third { get; } = third;

    /// <summary>The fourth gate.</summary>
    public T Fourth { get; } = fourth;
}
