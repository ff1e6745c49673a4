using Minigrad.Data;
using Minigrad.Layers;
using Minigrad.Losses;
using Minigrad.Optimizers;
using Xunit.Abstractions;

namespace Minigrad.Tests.Training;

/// <summary>A recurrent network learns more of a text than which character follows which two.</summary>
public sealed class CharacterModelTests(ITestOutputHelper output)
{
    [Fact]
    public void An_lstm_hesitates_less_over_held_out_text_than_trigrams()
    {
        string[] files = Directory.GetFiles(Path.Combine(Repository.Root, "Minigrad.Core"), "*.cs", SearchOption.AllDirectories);
        Array.Sort(files, StringComparer.Ordinal);
        (TextData train, TextData test) = TextData.Read(files).Split(0.9);
        double baseline = new Trigrams(train.Vocabulary.Count, train.Tokens).Perplexity(test.Tokens);

        const int epochs = 2, batchSize = 32, length = 50;
        Generator generator = new(1);
        var embedding = new Embedding(train.Vocabulary.Count, 32, generator: generator);
        var lstm = new Lstm(32, 128, new RecurrentOptions { Generator = generator });
        var head = new Linear(128, train.Vocabulary.Count, generator: generator);
        var optimizer = new Adam([.. embedding.Parameters, .. lstm.Parameters, .. head.Parameters]) { Clip = [Clip.GlobalNorm(1)] };
        var rate = new Scheduler(
            Schedule.OneCycle(1e-2, epochs * train.Streams(batchSize, length).Count()), value => optimizer.LearningRate = value);
        for (int epoch = 0; epoch < epochs; epoch++)
        {
            RecurrentState? state = null;
            foreach (TokenData chunk in train.Streams(batchSize, length))
            {
                optimizer.ZeroGradients();
                (Tensor loss, state) = Predict(chunk, state?.Detach());
                loss.Backward();
                optimizer.Step();
                rate.Step();
            }
        }

        double perplexity = Math.Exp(HeldOut().Average());
        output.WriteLine($"{train.Count} characters: perplexity {perplexity:0.00}, of trigrams {baseline:0.00}");
        Assert.InRange(baseline, 2, train.Vocabulary.Count);
        Assert.True(perplexity < 0.9 * baseline, $"The network's perplexity is {perplexity:0.00}, that of trigrams {baseline:0.00}.");

        (Tensor Loss, RecurrentState State) Predict(TokenData chunk, RecurrentState? state)
        {
            (Tensor hidden, RecurrentState next) = lstm.Forward(embedding.Forward(chunk.Inputs), state);
            return (Loss.CrossEntropy(head.Forward(hidden).Reshape(-1, train.Vocabulary.Count), chunk.Targets.Values), next);
        }

        IEnumerable<double> HeldOut()
        {
            using var scope = new NoGrad();
            RecurrentState? state = null;
            foreach (TokenData chunk in test.Streams(1, 200))
            {
                (Tensor loss, state) = Predict(chunk, state);
                yield return loss.Item();
            }
        }
    }

    [Fact]
    public void The_trigram_baseline_is_as_sure_as_it_can_be()
    {
        // In abababab… each character follows from the one before; in uniform dice throws none does.
        int[] pattern = [.. Enumerable.Range(0, 2000).Select(place => place % 2)];
        Assert.InRange(new Trigrams(2, pattern).Perplexity(pattern), 1, 1.06);
        Generator dice = new(3);
        int[] throws = [.. Enumerable.Range(0, 40000).Select(_ => dice.Next(6))];
        Assert.InRange(new Trigrams(6, throws.AsSpan(0, 20000)).Perplexity(throws.AsSpan(20000)), 5.95, 6.1);
    }
}
