using System.Globalization;
using System.Text;

namespace Minigrad.Data;

/// <summary>Numbers for characters, 0 … count − 1. A character is a Unicode scalar value, so that none is ever cut in two.</summary>
public sealed class Vocabulary
{
    private readonly Rune[] characters;
    private readonly Dictionary<Rune, int> numbers = [];

    /// <summary>A vocabulary of characters in the order of their numbers, as <see cref="Characters"/> gives them.</summary>
    /// <param name="characters">The characters, each once.</param>
    /// <exception cref="ArgumentException">There are none, one comes twice, or one is half of a pair in UTF-16.</exception>
    public Vocabulary(string characters)
    {
        ArgumentException.ThrowIfNullOrEmpty(characters);
        CheckPairs(characters, nameof(Vocabulary), nameof(characters));
        this.characters = [.. characters.EnumerateRunes()];
        foreach (Rune character in this.characters)
        {
            if (!numbers.TryAdd(character, numbers.Count))
            {
                throw new ArgumentException(
                    $"Vocabulary: {Name(character)} comes twice; give each character once, or use Vocabulary.Of for the characters of a text.", nameof(characters));
            }
        }
    }

    /// <summary>The number of characters.</summary>
    public int Count => characters.Length;

    /// <summary>The characters in the order of their numbers. A vocabulary made of this is the same.</summary>
    public string Characters => Decode([.. Enumerable.Range(0, Count)]);

    /// <summary>The characters of a text, in the order of Unicode.</summary>
    /// <param name="text">Any text, not empty.</param>
    /// <exception cref="ArgumentException">The text is empty, or has half of a pair in UTF-16.</exception>
    public static Vocabulary Of(string text)
    {
        ArgumentException.ThrowIfNullOrEmpty(text);
        CheckPairs(text, $"{nameof(Vocabulary)}.{nameof(Of)}", nameof(text));
        return new Vocabulary(string.Concat(text.EnumerateRunes().Distinct().Order()));
    }

    /// <summary>The numbers of the characters of a text.</summary>
    /// <param name="text">The text.</param>
    /// <exception cref="ArgumentException">
    /// A character is not in the vocabulary, or is half of a pair in UTF-16; the message names it and its place.
    /// </exception>
    public int[] Encode(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        CheckPairs(text, nameof(Encode), nameof(text));
        List<int> encoded = new(text.Length);
        (int line, int column) = (1, 1);
        foreach (Rune character in text.EnumerateRunes())
        {
            encoded.Add(numbers.TryGetValue(character, out int number) ? number : throw new ArgumentException(
                $"Encode: {Name(character)} at line {line}, character {column} is not among the {Count} characters of the vocabulary. Make the vocabulary of all the text that it is to encode.",
                nameof(text)));
            (line, column) = character.Value == '\n' ? (line + 1, 1) : (line, column + 1);
        }

        return [.. encoded];
    }

    /// <summary>The text of numbers.</summary>
    /// <param name="numbers">Numbers, 0 … count − 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such character.</exception>
    public string Decode(ReadOnlySpan<int> numbers)
    {
        StringBuilder text = new(numbers.Length);
        foreach (int number in numbers)
        {
            text.Append(number >= 0 && number < Count ? characters[number].ToString() : throw new ArgumentOutOfRangeException(
                nameof(numbers), number, $"Decode: there is no character {number}; they are numbered from 0 to {Count - 1}."));
        }

        return text.ToString();
    }

    /// <summary>Checks that no half of a pair stands alone. Runes would take each for U+FFFD, so that the text would not come back.</summary>
    private static void CheckPairs(string text, string operation, string parameter)
    {
        for (int i = 0; i < text.Length; i++)
        {
            if (i + 1 < text.Length && char.IsSurrogatePair(text[i], text[i + 1]))
            {
                i++;
            }
            else if (char.IsSurrogate(text[i]))
            {
                throw new ArgumentException(
                    $"{operation}: U+{(int)text[i]:X4} at index {i} of {text.Length} is half of a pair that makes one character in UTF-16, "
                    + "and stands alone. "
                    + "Was the text cut in the middle of a character? Cut it between characters, or leave the half out.",
                    parameter);
            }
        }
    }

    private static string Name(Rune character) =>
        Rune.IsControl(character) || Rune.GetUnicodeCategory(character) == UnicodeCategory.Format
            ? $"the character U+{character.Value:X4}"
            : $"the character '{character}' (U+{character.Value:X4})";
}
