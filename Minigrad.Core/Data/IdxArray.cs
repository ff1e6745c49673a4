using System.Buffers.Binary;

namespace Minigrad.Data;

/// <summary>The contents of an IDX file: numbers of one type, with a shape.</summary>
public sealed class IdxArray
{
    private readonly byte[] data;

    internal IdxArray(Shape shape, IdxElementType elementType, byte[] data)
    {
        Shape = shape;
        ElementType = elementType;
        this.data = data;
    }

    /// <summary>The dimensions, as the file declares them.</summary>
    public Shape Shape { get; }

    /// <summary>What the elements were in the file.</summary>
    public IdxElementType ElementType { get; }

    /// <summary>The elements as float32, rounded if they were wider.</summary>
    /// <param name="scale">A factor for each element, as 1/255 for grey values.</param>
    /// <returns>A tensor of the file's shape.</returns>
    public Tensor ToTensor(float scale = 1f)
    {
        float[] values = new float[Shape.Size];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = (float)Number(i) * scale;
        }

        return Tensor.Of(values, Shape);
    }

    /// <summary>The elements as whole numbers in row-major order, for labels.</summary>
    /// <exception cref="InvalidOperationException">The file holds floats.</exception>
    public int[] ToIntegers()
    {
        if (ElementType is IdxElementType.Real32 or IdxElementType.Real64)
        {
            throw new InvalidOperationException(
                $"ToIntegers: the file holds floats ({ElementType}) of shape {Shape}, which need not be whole. Use ToTensor, or check that this is the file of labels.");
        }

        int[] values = new int[Shape.Size];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = (int)Number(i);
        }

        return values;
    }

    /// <summary>The bytes of an element; 0 for a type that does not exist.</summary>
    internal static int SizeOf(IdxElementType type) => type switch
    {
        IdxElementType.Unsigned8 or IdxElementType.Signed8 => 1,
        IdxElementType.Signed16 => 2,
        IdxElementType.Signed32 or IdxElementType.Real32 => 4,
        IdxElementType.Real64 => 8,
        _ => 0,
    };

    // A double holds every number of every type exactly.
    private double Number(int index)
    {
        int size = SizeOf(ElementType);
        ReadOnlySpan<byte> bytes = data.AsSpan(index * size, size);
        return ElementType switch
        {
            IdxElementType.Unsigned8 => bytes[0],
            IdxElementType.Signed8 => (sbyte)bytes[0],
            IdxElementType.Signed16 => BinaryPrimitives.ReadInt16BigEndian(bytes),
            IdxElementType.Signed32 => BinaryPrimitives.ReadInt32BigEndian(bytes),
            IdxElementType.Real32 => BinaryPrimitives.ReadSingleBigEndian(bytes),
            _ => BinaryPrimitives.ReadDoubleBigEndian(bytes),
        };
    }
}
