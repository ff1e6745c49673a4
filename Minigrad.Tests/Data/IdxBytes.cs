using System.Buffers.Binary;
using System.IO.Compression;

namespace Minigrad.Tests.Data;

/// <summary>IDX files in memory, for tests.</summary>
internal static class IdxBytes
{
    public static byte[] Of(byte type, int[] dimensions, params byte[] elements)
    {
        List<byte> bytes = [0, 0, type, (byte)dimensions.Length];
        byte[] dimension = new byte[4];
        foreach (int length in dimensions)
        {
            BinaryPrimitives.WriteInt32BigEndian(dimension, length);
            bytes.AddRange(dimension);
        }

        return [.. bytes, .. elements];
    }

    public static byte[] Compress(byte[] bytes)
    {
        using MemoryStream compressed = new();
        using (GZipStream stream = new(compressed, CompressionLevel.Optimal))
        {
            stream.Write(bytes);
        }

        return compressed.ToArray();
    }
}
