using Minigrad.Data;

namespace Minigrad.Tests.Data;

/// <summary>The data that is part of the package, its batches, and the picture that training leaves.</summary>
public sealed class DigitsTests
{
    [Fact]
    public void The_digits_are_whole_and_split_evenly()
    {
        (LabeledData train, LabeledData test) = Digits.Load();
        Assert.Equal((1438, 359), (train.Count, test.Count));
        Assert.Equal([1438, 64], train.Features.Shape);
        Assert.Equal((0f, 1f), (train.Features.Min().Item(), train.Features.Max().Item()));
        for (int digit = 0; digit < Digits.ClassCount; digit++)
        {
            int learned = train.Labels.Count(label => label == digit);
            int tested = test.Labels.Count(label => label == digit);
            Assert.Equal(0.2, tested / (double)(learned + tested), 0.005);
        }
    }

    [Fact]
    public void Batches_hold_every_row_once_with_its_label()
    {
        LabeledData data = new(Tensor.Arange(10).Reshape(10, 1), [.. Enumerable.Range(0, 10)]);
        LabeledData[] batches = [.. data.Batches(4, new Generator(1))];
        Assert.Equal([4, 4, 2], batches.Select(batch => batch.Count));
        Assert.Equal(Enumerable.Range(0, 10), batches.SelectMany(batch => batch.Labels).Order());
        Assert.All(batches, batch => Assert.Equal(batch.Labels.Select(label => (float)label), batch.Features.ToArray()));
        Assert.NotEqual(Enumerable.Range(0, 10), batches.SelectMany(batch => batch.Labels));
        Assert.Equal(Enumerable.Range(0, 10), data.Batches(3).SelectMany(batch => batch.Labels));
        Assert.Throws<ArgumentOutOfRangeException>(() => data.Batches(0));
        Assert.Contains("2 labels", Assert.Throws<ShapeException>(() => new LabeledData(Tensor.Zeros(3, 1), [0, 1])).Message, StringComparison.Ordinal);
    }
}
