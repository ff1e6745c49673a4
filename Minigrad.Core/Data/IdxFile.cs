using System.Buffers.Binary;

namespace Minigrad.Data;

/// <summary>Reads IDX files, the format in which MNIST and its relatives come.</summary>
/// <remarks>
/// LeCun, Cortes and Burges (1998), "The MNIST database of handwritten digits": two zero bytes, the element type, the
/// number of dimensions, each dimension as four bytes, then the elements; the most significant byte comes first.
/// </remarks>
public static class IdxFile
{
    private const int MagicSize = 4;
    private const int DimensionSize = 4;

    /// <summary>Reads a file, gzipped or not; its contents tell, not its name.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="DataFileException">It is no IDX file, or it is damaged, cut off, or followed by something.</exception>
    public static IdxArray Read(string path)
    {
        using DataFileReader reader = new(path);
        byte[] magic = ReadHeader(reader, path, MagicSize, "the magic number");
        if (magic[0] != 0 || magic[1] != 0)
        {
            throw DataFileException.At(
                path, reader.Place(0), $"an IDX file begins with two zero bytes, but this one with 0x{magic[0]:X2} 0x{magic[1]:X2}. Check that it is the right file.");
        }

        IdxElementType type = (IdxElementType)magic[2];
        int size = IdxArray.SizeOf(type);
        if (size == 0)
        {
            throw DataFileException.At(
                path, reader.Place(2), $"0x{magic[2]:X2} is no element type of IDX; the types are 0x08, 0x09, 0x0B, 0x0C, 0x0D and 0x0E. The file is damaged or of another format.");
        }

        if (magic[3] == 0)
        {
            throw DataFileException.At(
                path, reader.Place(3), "the file declares no dimension, where an array has at least one. The file is damaged or of another format.");
        }

        Shape shape = ReadShape(reader, path, magic[3], size);
        byte[] data = ReadElements(reader, path, shape, size);
        reader.CheckEnd();
        return new IdxArray(shape, type, data);
    }

    private static Shape ReadShape(DataFileReader reader, string path, int rank, int size)
    {
        long start = reader.Position;
        byte[] header = ReadHeader(reader, path, rank * DimensionSize, $"{rank} dimensions");
        int[] dimensions = new int[rank];
        long bytes = size;
        for (int axis = 0; axis < rank; axis++)
        {
            int dimension = BinaryPrimitives.ReadInt32BigEndian(header.AsSpan(axis * DimensionSize));
            dimensions[axis] = dimension;
            if (dimension < 0 || (bytes *= dimension) > Array.MaxLength)
            {
                throw DataFileException.At(
                    path,
                    reader.Place(start + (axis * DimensionSize)),
                    $"dimension {axis} is {dimension}, which is negative or makes the array larger than {Array.MaxLength:N0} bytes. The header is damaged, or the file has to be split.");
            }
        }

        return Shape.Create(dimensions);
    }

    private static byte[] ReadElements(DataFileReader reader, string path, Shape shape, int size)
    {
        long start = reader.Position;
        int expected = shape.Size * size;
        if (expected > reader.MostLeft)
        {
            throw TooShort(reader, path, start, shape, expected, $"at most {reader.MostLeft:N0}");
        }

        byte[] data = reader.Read(expected);
        return data.Length == expected ? data : throw TooShort(reader, path, start, shape, expected, $"{data.Length:N0}");
    }

    private static byte[] ReadHeader(DataFileReader reader, string path, int size, string content)
    {
        long start = reader.Position;
        byte[] header = reader.Read(size);
        return header.Length == size ? header : throw DataFileException.At(
            path, reader.Place(start), $"{content} should be here in {size} bytes, but only {header.Length} follow. The file is empty or was cut off; get it anew.");
    }

    private static DataFileException TooShort(
        DataFileReader reader, string path, long start, Shape shape, int expected, string found) =>
        DataFileException.At(
            path, reader.Place(start), $"the header declares shape {shape}, which takes {expected:N0} bytes, but {found} follow. The file was cut off or its header is damaged; get it anew.");
}
