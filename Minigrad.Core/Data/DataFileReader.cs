using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using System.Text.Unicode;

namespace Minigrad.Data;

/// <summary>
/// The bytes of a data file, unpacked if they are gzipped. Memory grows with the bytes that are there, never with what a
/// header claims, and a gzip file is held against its own checksum and length at its end.
/// </summary>
internal sealed class DataFileReader : IDisposable
{
    private const int FirstPiece = 1 << 16;
    private const int TrailerSize = 8;
    private const int LongestText = 1_000_000_000; // A string can be little longer.

    // Deflate cannot shrink by more than this: its longest match, 258 bytes, takes at least two bits.
    private const long LargestRatio = 1032;

    private static readonly uint[] ChecksumTable = MakeChecksumTable();

    private readonly string path;
    private readonly FileStream file;
    private readonly GZipStream? unpacked;
    private uint checksum = uint.MaxValue;

    public DataFileReader(string path)
    {
        this.path = path;
        file = Open(path);
        IsCompressed = file.ReadByte() == 0x1F && file.ReadByte() == 0x8B;
        file.Position = 0;
        unpacked = IsCompressed ? new GZipStream(file, CompressionMode.Decompress, leaveOpen: true) : null;
    }

    /// <summary>Whether the file begins with gzip's two marks. Its name does not matter.</summary>
    public bool IsCompressed { get; }

    /// <summary>How many bytes were read, after unpacking.</summary>
    public long Position { get; private set; }

    /// <summary>The most bytes that can follow; exact for a file that is not compressed.</summary>
    public long MostLeft => IsCompressed ? (file.Length * LargestRatio) - Position : file.Length - Position;

    /// <summary>The text of a file in UTF-8, with or without a byte order mark.</summary>
    public static string ReadText(string path)
    {
        using DataFileReader reader = new(path);
        byte[] bytes = reader.Read(LongestText + 1);
        if (bytes.Length > LongestText)
        {
            throw new DataFileException(
                $"{path} has more than {LongestText:N0} bytes; text is read whole and may not have more. Split the file.");
        }

        reader.CheckEnd();
        ReadOnlySpan<byte> text = bytes;
        ReadOnlySpan<byte> mark = Encoding.UTF8.Preamble;
        text = text.StartsWith(mark) ? text[mark.Length..] : text;
        int place = IndexOfInvalid(text);
        if (place >= 0)
        {
            int line = text[..place].Count((byte)'\n') + 1;
            throw DataFileException.At(
                path,
                $"byte {place + bytes.Length - text.Length}, line {line}",
                $"the byte 0x{text[place]:X2} is not valid UTF-8. Save the file as UTF-8, or check that it is text.");
        }

        return Encoding.UTF8.GetString(text);
    }

    /// <summary>The next bytes, fewer than asked for only if the file ends.</summary>
    public byte[] Read(int count)
    {
        byte[] bytes = new byte[Math.Min(count, FirstPiece)];
        int read = 0;
        while (read < count)
        {
            if (read == bytes.Length)
            {
                Array.Resize(ref bytes, (int)Math.Min(count, 2L * bytes.Length));
            }

            int more = ReadPiece(bytes.AsSpan(read));
            if (more == 0)
            {
                break;
            }

            read += more;
        }

        return read == bytes.Length ? bytes : bytes[..read];
    }

    /// <summary>Checks that the file ends here, and that a gzip file is whole.</summary>
    public void CheckEnd()
    {
        long end = Position;
        if (Read(1).Length > 0)
        {
            throw DataFileException.At(
                path, Place(end), "the data ends here, but more bytes follow. The header may be damaged, or two files were joined; get the file anew.");
        }

        if (IsCompressed)
        {
            CheckTrailer();
        }
    }

    /// <summary>A place of the file for a message.</summary>
    public string Place(long position) => IsCompressed ? $"byte {position} after unpacking" : $"byte {position}";

    public void Dispose()
    {
        unpacked?.Dispose();
        file.Dispose();
    }

    private static FileStream Open(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return File.Exists(path) ? File.OpenRead(path) : throw new FileNotFoundException(
            $"There is no file '{path}' (looked for at '{Path.GetFullPath(path)}'). Check the name and the working directory.", path);
    }

    private static int IndexOfInvalid(ReadOnlySpan<byte> text)
    {
        if (Utf8.IsValid(text))
        {
            return -1;
        }

        int place = 0;
        while (Rune.DecodeFromUtf8(text[place..], out _, out int length) == System.Buffers.OperationStatus.Done)
        {
            place += length;
        }

        return place;
    }

    private static uint[] MakeChecksumTable()
    {
        const uint Polynomial = 0xEDB88320; // RFC 1952, section 8.
        uint[] table = new uint[256];
        for (uint index = 0; index < table.Length; index++)
        {
            uint entry = index;
            for (int bit = 0; bit < 8; bit++)
            {
                entry = (entry & 1) == 0 ? entry >> 1 : (entry >> 1) ^ Polynomial;
            }

            table[index] = entry;
        }

        return table;
    }

    private int ReadPiece(Span<byte> piece)
    {
        int count;
        try
        {
            count = unpacked is null ? file.Read(piece) : unpacked.Read(piece);
        }
        catch (InvalidDataException error)
        {
            throw DataFileException.At(
                path, Place(Position), "the gzip data is damaged from about here. Get the file anew.", error);
        }

        if (IsCompressed)
        {
            foreach (byte value in piece[..count])
            {
                checksum = (checksum >> 8) ^ ChecksumTable[(byte)checksum ^ value];
            }
        }

        Position += count;
        return count;
    }

    // GZipStream takes a file that was cut off for one that ends, so the checksum and the length that RFC 1952 puts at the
    // end are looked at here.
    private void CheckTrailer()
    {
        byte[] trailer = new byte[TrailerSize];
        file.Position = Math.Max(0, file.Length - TrailerSize);
        bool fits = file.ReadAtLeast(trailer, TrailerSize, throwOnEndOfStream: false) == TrailerSize
            && BinaryPrimitives.ReadUInt32LittleEndian(trailer) == ~checksum
            && BinaryPrimitives.ReadUInt32LittleEndian(trailer.AsSpan(4)) == (uint)Position;
        if (!fits)
        {
            throw DataFileException.At(
                path,
                Place(Position),
                $"the gzip data ends here, but its checksum or length does not fit the {Position:N0} bytes found: it was cut off, damaged, or something follows it. Get the file anew.");
        }
    }
}
