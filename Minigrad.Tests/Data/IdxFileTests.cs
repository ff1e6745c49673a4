using Minigrad.Data;

namespace Minigrad.Tests.Data;

/// <summary>IDX files: every element type, and that a damaged file is an error and nothing else.</summary>
public sealed class IdxFileTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public static TheoryData<byte, byte[], float[]> ElementTypes => new()
    {
        { 0x08, [0, 200, 255], [0, 200, 255] },
        { 0x09, [0, 200, 255], [0, -56, -1] },
        { 0x0B, [0x01, 0x02, 0xFF, 0xFE, 0x7F, 0xFF], [258, -2, 32767] },
        { 0x0C, [0, 1, 0, 0, 0xFF, 0xFF, 0xFF, 0xFD, 0, 0, 0, 7], [65536, -3, 7] },
        { 0x0D, [0x3F, 0x80, 0, 0, 0xC0, 0x20, 0, 0, 0, 0, 0, 0], [1, -2.5f, 0] },
        { 0x0E, [0x3F, 0xF0, 0, 0, 0, 0, 0, 0, 0xC0, 0x04, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], [1, -2.5f, 0] },
    };

    public void Dispose() => folder.Dispose();

    [Theory]
    [MemberData(nameof(ElementTypes))]
    public void Every_element_type_is_read_plain_and_gzipped(byte type, byte[] elements, float[] expected)
    {
        byte[] bytes = IdxBytes.Of(type, [3, 1], elements);

        // The names lie about the compression: the contents decide.
        foreach (string path in new[] { folder.Write("plain.gz", bytes), folder.Write("gzipped", IdxBytes.Compress(bytes)) })
        {
            IdxArray array = IdxFile.Read(path);
            Assert.Equal((IdxElementType)type, array.ElementType);
            Assert.Equal([3, 1], array.Shape);
            Assert.Equal([3, 1], array.ToTensor().Shape);
            Assert.Equal(expected, array.ToTensor().ToArray());
            Assert.Equal(expected.Select(value => value * 0.5f), array.ToTensor(0.5f).ToArray());
            if (type < 0x0D)
            {
                Assert.Equal(expected.Select(value => (int)value), array.ToIntegers());
            }
            else
            {
                AssertSays(Assert.Throws<InvalidOperationException>(() => array.ToIntegers()), "ToTensor", "[3, 1]");
            }
        }
    }

    [Fact]
    public void Arrays_without_elements_and_of_many_dimensions_are_read()
    {
        Assert.Equal([0, 28], IdxFile.Read(folder.Write("none", IdxBytes.Of(8, [0, 28]))).ToTensor().Shape);
        Assert.Equal([1, 1, 1, 1, 1, 1, 1, 1, 1, 2], IdxFile.Read(folder.Write("many", IdxBytes.Of(8, [1, 1, 1, 1, 1, 1, 1, 1, 1, 2], 4, 5))).Shape);
    }

    [Fact]
    public void Errors_name_the_file_the_place_and_what_to_do()
    {
        Refuses([], "byte 0", "magic number", "4 bytes", "only 0 follow");
        Refuses([0, 0, 8], "byte 0", "only 3 follow");
        Refuses([0, 7, 8, 1, 0, 0, 0, 0], "byte 0", "0x00 0x07", "right file");
        Refuses(IdxBytes.Of(0x0A, [1], 1), "byte 2", "0x0A is no element type");
        Refuses(IdxBytes.Of(8, []), "byte 3", "no dimension");
        Refuses(IdxBytes.Of(8, [2, 2])[..9], "byte 4", "2 dimensions", "8 bytes, but only 5 follow");
        Refuses(IdxBytes.Of(8, [3, -1]), "byte 8", "dimension 1 is -1");
        Refuses(IdxBytes.Of(8, [2, int.MaxValue], 1, 2), "byte 8", "dimension 1 is 2147483647");
        Refuses(IdxBytes.Of(8, [2, 3], 1, 2, 3, 4, 5), "byte 12", "[2, 3]", "takes 6 bytes", "5 follow");
        Refuses(IdxBytes.Of(8, [2], 1, 2, 3), "byte 10", "more bytes follow");
        Refuses(IdxBytes.Compress(IdxBytes.Of(8, [2, 3], 1, 2, 3, 4, 5)), "byte 12 after unpacking", "takes 6 bytes, but 5 follow");
        Refuses(IdxBytes.Compress(IdxBytes.Of(8, [2], 1, 2, 3)), "byte 10 after unpacking", "more bytes follow");
        Refuses([.. IdxBytes.Compress(IdxBytes.Of(8, [2], 1, 2)), 0], "checksum");
        AssertSays(Assert.Throws<FileNotFoundException>(() => IdxFile.Read(Path.Combine(folder.Path, "absent"))), "absent", "working directory");
    }

    [Fact]
    public void A_header_that_lies_allocates_nothing_of_the_size_it_declares()
    {
        string plain = folder.Write("plain", IdxBytes.Of(8, [2_000_000_000], 1, 2, 3));

        // 2 MB of zeros shrink far enough that the limit on the compression ratio alone does not give the lie away.
        string gzipped = folder.Write("gzipped", IdxBytes.Compress(IdxBytes.Of(8, [1_500_000_000], new byte[2_000_000])));
        foreach (string path in new[] { plain, gzipped })
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            Assert.Throws<DataFileException>(() => IdxFile.Read(path));
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 10_000_000);
        }
    }

    [Fact]
    public void A_gzip_file_cut_off_anywhere_is_refused()
    {
        byte[] whole = IdxBytes.Compress(IdxBytes.Of(8, [100], [.. Enumerable.Range(0, 100).Select(value => (byte)(value * 37))]));
        for (int length = 0; length < whole.Length; length++)
        {
            string path = folder.Write("cut", whole.AsSpan(0, length));
            Assert.Throws<DataFileException>(() => IdxFile.Read(path));
        }
    }

    [Fact]
    public void Damaged_files_load_with_the_declared_count_or_are_refused()
    {
        byte[] plain = IdxBytes.Of(0x0B, [4, 3], [.. Enumerable.Range(0, 24).Select(value => (byte)value)]);
        Generator generator = new(1);
        (int loaded, int refused) = (0, 0);
        foreach (byte[] whole in new[] { plain, IdxBytes.Compress(plain) })
        {
            foreach (byte[] damaged in Damage(whole, generator))
            {
                string path = folder.Write("damaged", damaged);
                try
                {
                    IdxArray array = IdxFile.Read(path);
                    Assert.Equal(array.Shape.Size, array.ToTensor().Length);
                    loaded++;
                }
                catch (DataFileException)
                {
                    refused++;
                }
            }
        }

        Assert.True(loaded > 500 && refused > 3000, $"{loaded} loaded, {refused} refused"); // Both ways were taken.
    }

    private static IEnumerable<byte[]> Damage(byte[] whole, Generator generator)
    {
        for (int place = 0; place < whole.Length; place++)
        {
            yield return whole[..place];
            yield return [.. whole[..place], .. whole[(place + 1)..]];
            for (int bit = 0; bit < 8; bit++)
            {
                byte[] flipped = [.. whole];
                flipped[place] ^= (byte)(1 << bit);
                yield return flipped;
            }
        }

        for (int trial = 0; trial < 3000; trial++)
        {
            byte[] changed = [.. whole];
            for (int changes = 1 + generator.Next(6); changes > 0; changes--)
            {
                changed[generator.Next(changed.Length)] = (byte)generator.Next(256);
            }

            yield return changed;
            yield return [.. whole.AsSpan(0, 2), .. Enumerable.Range(0, generator.Next(60)).Select(_ => (byte)generator.Next(256))];
        }
    }

    private static void AssertSays(Exception error, params string[] parts) =>
        Assert.All(parts, part => Assert.Contains(part, error.Message, StringComparison.Ordinal));

    private void Refuses(byte[] contents, params string[] parts)
    {
        string path = folder.Write("some.idx", contents);
        AssertSays(Assert.Throws<DataFileException>(() => IdxFile.Read(path)), [path, .. parts]);
    }
}
