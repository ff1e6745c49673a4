namespace Minigrad.Data;

/// <summary>A text as numbers of characters, to learn which character follows.</summary>
public sealed class TextData
{
    /// <summary>A text.</summary>
    /// <param name="text">The text, not empty.</param>
    /// <param name="vocabulary">The numbers of its characters; null makes one of the text.</param>
    /// <exception cref="ArgumentException">The text is empty, or a character is not in the vocabulary.</exception>
    public TextData(string text, Vocabulary? vocabulary = null)
        : this(vocabulary ?? Vocabulary.Of(text), text)
    {
    }

    private TextData(Vocabulary vocabulary, string text)
        : this(vocabulary, vocabulary.Encode(text)) => ArgumentException.ThrowIfNullOrEmpty(text);

    private TextData(Vocabulary vocabulary, int[] tokens)
    {
        Vocabulary = vocabulary;
        Tokens = tokens;
    }

    /// <summary>What the numbers mean.</summary>
    public Vocabulary Vocabulary { get; }

    /// <summary>The number of each character of the text.</summary>
    public int[] Tokens { get; }

    /// <summary>The number of characters.</summary>
    public int Count => Tokens.Length;

    /// <summary>Reads text files, one after the other as one text.</summary>
    /// <param name="paths">The files, in UTF-8, gzipped or not.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="DataFileException">A file is empty or not UTF-8.</exception>
    /// <exception cref="ArgumentException">No file was given.</exception>
    public static TextData Read(params string[] paths)
    {
        ArgumentNullException.ThrowIfNull(paths);
        if (paths.Length == 0)
        {
            throw new ArgumentException("TextData.Read: no file was given; give at least one.", nameof(paths));
        }

        return new TextData(string.Concat(paths.Select(path => DataFileReader.ReadText(path) is { Length: > 0 } text
            ? text
            : throw new DataFileException($"{path} is empty. Check that it is the right file, or leave it out."))));
    }

    /// <summary>Cuts the text in two, the beginning to learn from and the end to test with.</summary>
    /// <param name="fraction">The share of the beginning, between 0 and 1.</param>
    /// <returns>Both parts, with the same vocabulary.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The fraction leaves a part without characters.</exception>
    public (TextData Train, TextData Test) Split(double fraction)
    {
        int cut = fraction is > 0 and < 1 ? (int)Math.Round(fraction * Count) : 0;
        return cut > 0 && cut < Count
            ? (new TextData(Vocabulary, Tokens[..cut]), new TextData(Vocabulary, Tokens[cut..]))
            : throw new ArgumentOutOfRangeException(
                nameof(fraction), fraction, $"Split: a fraction of {fraction} of {Count} characters leaves one part empty; give one between 0 and 1, as 0.9.");
    }

    /// <summary>
    /// The text as parallel streams, in chunks of a length: row r of a chunk goes on where row r of the chunk before ended,
    /// so that the state of a recurrent network can be carried along (truncated backpropagation through time).
    /// </summary>
    /// <param name="batchSize">How many streams the text is cut into.</param>
    /// <param name="length">The characters of each row of a chunk.</param>
    /// <returns>Inputs <c>[batch, length]</c>, and as targets the characters that follow each. What fills no whole chunk at
    /// the end of a stream is left out.</returns>
    /// <exception cref="ArgumentException">The text is too short for one chunk.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The batch size or the length is less than 1.</exception>
    public IEnumerable<TokenData> Streams(int batchSize, int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(batchSize);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(length);
        int streamLength = (Count - 1) / batchSize; // The last character is a target only.
        return streamLength >= length ? Chunks(batchSize, length, streamLength) : throw new ArgumentException(
            $"Streams: {batchSize} streams of chunks of {length} need at least {((long)batchSize * length) + 1} characters, but the text has {Count}. Use fewer streams or shorter chunks.",
            nameof(length));
    }

    /// <summary>What this is, for messages.</summary>
    public override string ToString() => $"{Count} characters, {Vocabulary.Count} distinct";

    private IEnumerable<TokenData> Chunks(int batchSize, int length, int streamLength)
    {
        for (int start = 0; start <= streamLength - length; start += length)
        {
            yield return new TokenData(Chunk(start), Chunk(start + 1));
        }

        Indices Chunk(int start)
        {
            int[] values = new int[batchSize * length];
            for (int stream = 0; stream < batchSize; stream++)
            {
                Tokens.AsSpan((stream * streamLength) + start, length).CopyTo(values.AsSpan(stream * length));
            }

            return new Indices(values, [batchSize, length]);
        }
    }
}
