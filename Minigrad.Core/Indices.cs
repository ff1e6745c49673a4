using System.Runtime.CompilerServices;

namespace Minigrad;

/// <summary>
/// Whole numbers with a shape: class labels, token numbers, places. They never pretend to be float. Those of one dimension can be
/// written where they are needed: <c>Loss.CrossEntropy(logits, [2, 0, 1])</c>.
/// </summary>
[CollectionBuilder(typeof(Indices), nameof(Create))]
public sealed class Indices
{
    /// <summary>Numbers in row-major order.</summary>
    /// <param name="values">The numbers; they are not copied.</param>
    /// <param name="shape">The dimensions; left out, there is one.</param>
    /// <exception cref="ShapeException">The shape has another number of elements.</exception>
    public Indices(int[] values, Shape? shape = null)
    {
        ArgumentNullException.ThrowIfNull(values);
        Values = values;
        Shape = shape ?? Shape.Create(values.Length);
        if (Shape.Size != values.Length)
        {
            throw new ShapeException(
                $"Indices: {values.Length} numbers do not fill shape {Shape}, which has {Shape.Size} elements.");
        }
    }

    /// <summary>The numbers in row-major order.</summary>
    public int[] Values { get; }

    /// <summary>The dimensions.</summary>
    public Shape Shape { get; }

    /// <summary>Numbers of one dimension.</summary>
    public static implicit operator Indices(int[] values) => new(values);

    /// <summary>Numbers of one dimension, as <c>[2, 0, 1]</c>.</summary>
    /// <param name="values">The numbers; they are copied.</param>
    public static Indices Create(ReadOnlySpan<int> values) => new(values.ToArray());

    /// <summary>The numbers one after another, in row-major order.</summary>
    public IEnumerator<int> GetEnumerator() => ((IEnumerable<int>)Values).GetEnumerator();
}
