using CsCheck;
using Minigrad.Data;

namespace Minigrad.Tests.Data;

/// <summary>Characters and their numbers, and texts cut into streams.</summary>
public sealed class TextDataTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Characters_are_numbered_in_order_and_come_back()
    {
        Vocabulary vocabulary = Vocabulary.Of("banana 𝄞!");
        Assert.Equal(" !abn𝄞", vocabulary.Characters);
        Assert.Equal(6, vocabulary.Count);
        Assert.Equal([3, 2, 4, 5], vocabulary.Encode("ban𝄞"));
        Assert.Equal("ban𝄞", vocabulary.Decode([3, 2, 4, 5]));
        Assert.Equal([0, 1], new Vocabulary("ba").Encode("ba"));
        Gen.String[Gen.Char['a', '\u024F'], 1, 50].Sample(text => new Vocabulary(Vocabulary.Of(text).Characters).Decode(Vocabulary.Of(text).Encode(text)) == text);
    }

    [Fact]
    public void Characters_that_are_not_there_are_named_with_their_place()
    {
        Vocabulary vocabulary = Vocabulary.Of("ab\n𝄞");
        AssertSays(Assert.Throws<ArgumentException>(() => vocabulary.Encode("ab\n𝄞é")), "'é' (U+00E9)", "line 2, character 2", "4 characters");
        AssertSays(Assert.Throws<ArgumentException>(() => vocabulary.Encode("a\t")), "U+0009", "line 1, character 2");
        AssertSays(Assert.Throws<ArgumentOutOfRangeException>(() => vocabulary.Decode([0, 4])), "no character 4", "0 to 3");
        Assert.Throws<ArgumentOutOfRangeException>(() => vocabulary.Decode([-1]));
        AssertSays(Assert.Throws<ArgumentException>(() => new Vocabulary("aba")), "'a' (U+0061) comes twice");
        Assert.Throws<ArgumentException>(() => Vocabulary.Of(""));
    }

    /// <summary>Half of a pair is no character: read as one it would be U+FFFD, and so would every other half.</summary>
    [Fact]
    public void Half_of_a_pair_is_no_character()
    {
        Vocabulary vocabulary = Vocabulary.Of("ab𝄞\uFFFD");

        // Not data of a theory: attributes hold text in UTF-8, which has no halves.
        (string Text, int Place, string Half)[] faults =
            [("ab\ud834", 2, "U+D834"), ("\udd1ea", 0, "U+DD1E"), ("𝄞\ud834a", 2, "U+D834"), ("𝄞\udd1e\ud834", 2, "U+DD1E")];
        Assert.All(faults, fault =>
        {
            (string Operation, Func<object> Act)[] refused =
            [
                ("Vocabulary:", () => new Vocabulary(fault.Text)),
                ("Vocabulary.Of:", () => Vocabulary.Of(fault.Text)),
                ("Encode:", () => vocabulary.Encode(fault.Text)),
            ];
            Assert.All(refused, given => AssertSays(
                Assert.Throws<ArgumentException>(given.Act),
                given.Operation,
                $"{fault.Half} at index {fault.Place} of {fault.Text.Length}",
                "half of a pair"));
        });
        Assert.Equal("\uFFFD𝄞", vocabulary.Decode(vocabulary.Encode("\uFFFD𝄞")));
    }

    [Fact]
    public void Files_are_read_as_one_text()
    {
        string first = folder.Write("first.txt", "\uFEFFab\n");
        string second = folder.Write("second.txt", IdxBytes.Compress("ça"u8.ToArray()));
        TextData data = TextData.Read(first, second);
        Assert.Equal("ab\nça", data.Vocabulary.Decode(data.Tokens));
        Assert.Equal((5, 4), (data.Count, data.Vocabulary.Count));
        string empty = folder.Write("empty.txt", "");
        AssertSays(Assert.Throws<DataFileException>(() => TextData.Read(first, empty)), empty, "is empty");
        Assert.Throws<FileNotFoundException>(() => TextData.Read(Path.Combine(folder.Path, "absent.txt")));
        Assert.Throws<ArgumentException>(() => TextData.Read());
        Assert.Throws<ArgumentException>(() => new TextData("", new Vocabulary("a")));
    }

    [Theory]
    [InlineData(new byte[] { (byte)'a', (byte)'\n', 0xC3 }, 2, 2)]
    [InlineData(new byte[] { 0xEF, 0xBB, 0xBF, (byte)'a', 0xFF, (byte)'b' }, 4, 1)]
    [InlineData(new byte[] { (byte)'a', 0xED, 0xA0, 0x80 }, 1, 1)]
    [InlineData(new byte[] { 0xC0, 0x80 }, 0, 1)]
    public void Bytes_that_are_not_utf8_are_named_with_their_place(byte[] contents, int place, int line)
    {
        string path = folder.Write("text.txt", contents);
        AssertSays(Assert.Throws<DataFileException>(() => TextData.Read(path)), path, $"byte {place}, line {line}:", $"0x{contents[place]:X2}");
    }

    [Fact]
    public void Streams_run_on_from_chunk_to_chunk()
    {
        TextData data = new(string.Concat(Enumerable.Range(0, 24).Select(number => (char)('a' + number))));
        TokenData[] chunks = [.. data.Streams(2, 3)];
        Assert.Equal(3, chunks.Length); // Two streams of 11 characters each: three chunks of 3, and 2 left out.
        Assert.All(chunks, chunk => Assert.Equal([2, 3], chunk.Inputs.Shape));
        Assert.Equal([0, 1, 2, 11, 12, 13], chunks[0].Inputs.Values);
        Assert.Equal([1, 2, 3, 12, 13, 14], chunks[0].Targets.Values);
        Assert.Equal([3, 4, 5, 14, 15, 16], chunks[1].Inputs.Values);
        Assert.Equal([7, 8, 9, 18, 19, 20], chunks[2].Targets.Values);
        Assert.Throws<ArgumentOutOfRangeException>("batchSize", () => data.Streams(0, 3));
        Assert.Throws<ArgumentOutOfRangeException>("length", () => data.Streams(2, 0));
    }

    [Fact]
    public void Streams_of_any_text_follow_it() =>
        Gen.Select(Gen.Int[1, 100], Gen.Int[1, 5], Gen.Int[1, 10]).Sample((count, batchSize, length) =>
        {
            TextData data = new(string.Concat(Enumerable.Range(0, count).Select(number => (char)('A' + number))));
            if (count < (batchSize * length) + 1)
            {
                AssertSays(Assert.Throws<ArgumentException>(() => data.Streams(batchSize, length)), $"at least {(batchSize * length) + 1}", $"has {count}");
                return;
            }

            TokenData[] chunks = [.. data.Streams(batchSize, length)];
            Assert.Equal((count - 1) / batchSize / length, chunks.Length);
            for (int stream = 0; stream < batchSize; stream++)
            {
                int first = stream * ((count - 1) / batchSize);
                int[] inputs = [.. chunks.SelectMany(chunk => chunk.Inputs.Values[(stream * length)..((stream + 1) * length)])];
                int[] targets = [.. chunks.SelectMany(chunk => chunk.Targets.Values[(stream * length)..((stream + 1) * length)])];
                Assert.Equal(Enumerable.Range(first, chunks.Length * length), inputs);
                Assert.Equal(inputs.Select(token => token + 1), targets);
            }
        });

    [Fact]
    public void A_split_cuts_once_and_keeps_the_vocabulary()
    {
        TextData data = new("abcdefghij");
        (TextData train, TextData test) = data.Split(0.8);
        Assert.Equal("abcdefgh", train.Vocabulary.Decode(train.Tokens));
        Assert.Equal("ij", test.Vocabulary.Decode(test.Tokens));
        Assert.Same(data.Vocabulary, test.Vocabulary);
        foreach (double fraction in new[] { 0, 1, -0.5, 1.5, 0.01, 0.99, double.NaN })
        {
            AssertSays(Assert.Throws<ArgumentOutOfRangeException>(() => data.Split(fraction)), "10 characters", "between 0 and 1");
        }
    }

    private static void AssertSays(Exception error, params string[] parts) =>
        Assert.All(parts, part => Assert.Contains(part, error.Message, StringComparison.Ordinal));
}
