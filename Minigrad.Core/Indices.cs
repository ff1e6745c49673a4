namespace Minigrad;

/// <summary>Whole numbers with a shape: class labels, token numbers, places. They never pretend to be float.</summary>
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
}
