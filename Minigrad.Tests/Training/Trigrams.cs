namespace Minigrad.Tests.Training;

/// <summary>
/// A trigram model of characters: p(c | a b) is a mixture of the relative frequencies after two characters, after one,
/// after none, and of all characters alike (Jelinek and Mercer, 1980).
/// </summary>
internal sealed class Trigrams
{
    private readonly int vocabulary;
    private readonly int total;
    private readonly Dictionary<int, int>[] counts = [[], [], []];

    public Trigrams(int vocabulary, ReadOnlySpan<int> text)
    {
        this.vocabulary = vocabulary;
        total = text.Length;
        for (int place = 2; place < text.Length; place++)
        {
            for (int order = 0; order < 3; order++)
            {
                int key = Key(text, place, order);
                counts[order][key] = counts[order].GetValueOrDefault(key) + 1;
            }
        }
    }

    /// <summary>e to the mean surprise over a text, with the mixture weights that suit this text best: no other choice of
    /// them would make the baseline stronger.</summary>
    public double Perplexity(ReadOnlySpan<int> text)
    {
        double[][] shares = new double[text.Length - 2][];
        for (int place = 2; place < text.Length; place++)
        {
            shares[place - 2] = [Share(text, place, 0), Share(text, place, 1), Share(text, place, 2)];
        }

        double best = double.PositiveInfinity;
        for (int three = 1; three < 20; three++)
        {
            for (int two = 1; two < 20 - three; two++)
            {
                double one = (20 - three - two) / 20.0;
                double surprise = shares.Average(share => -Math.Log(
                    (0.01 * one / vocabulary) + (0.99 * one * share[0]) + (two / 20.0 * share[1]) + (three / 20.0 * share[2])));
                best = Math.Min(best, Math.Exp(surprise));
            }
        }

        return best;
    }

    /// <summary>How often this character came after the given number of characters before it, as a share of all that came there.</summary>
    private double Share(ReadOnlySpan<int> text, int place, int order)
    {
        int context = order == 0 ? total : counts[order - 1].GetValueOrDefault(Key(text, place - 1, order - 1));
        return context == 0 ? 0 : (double)counts[order].GetValueOrDefault(Key(text, place, order)) / context;
    }

    private int Key(ReadOnlySpan<int> text, int place, int order)
    {
        int key = 0;
        for (int back = order; back >= 0; back--)
        {
            key = (key * vocabulary) + text[place - back];
        }

        return key;
    }
}
