using Minigrad.Data;

namespace Minigrad.Tests.Data;

/// <summary>Data sets in MNIST's format, from small files made here, and the real one where it is installed.</summary>
public sealed class MnistFilesTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Images_and_labels_are_read_plain_or_gzipped()
    {
        WriteAll();
        (LabeledData train, LabeledData test) = FashionMnist.Load(folder.Path);
        Assert.Equal([3, 784], train.Features.Shape);
        Assert.Equal([9, 0, 4], train.Labels);
        Assert.Equal([2, 784], test.Features.Shape);
        Assert.Equal([1, 2], test.Labels);
        Assert.Equal([1f / 255, 2f / 255, 3f / 255], train.Features[1, 0..3].ToArray().Select(value => MathF.Round(value * 255) / 255));
        Assert.Equal(1f, train.Features[2, 253].Item());
        Assert.Equal(10, FashionMnist.ClassNames.Distinct().Count());
    }

    [Fact]
    public void Files_that_do_not_belong_together_are_refused()
    {
        WriteAll();
        Refuses("train-labels-idx1-ubyte", IdxBytes.Of(8, [2], 1, 2), "3 images", "2 labels");
        Refuses("train-labels-idx1-ubyte", IdxBytes.Of(8, [3], 1, 10, 2), "record 1", "label is 10", "last is 9");
        Refuses("train-labels-idx1-ubyte", IdxBytes.Of(8, [3, 1], 1, 2, 3), "labels [rows]", "[3, 1]");
        Refuses("train-images-idx3-ubyte", IdxBytes.Of(8, [3, 2, 2], new byte[12]), "images [rows, 28, 28]", "[3, 2, 2]");
        Refuses("train-images-idx3-ubyte", IdxBytes.Of(9, [1, 28, 28], new byte[784]), "Signed8");
        Refuses("train-images-idx3-ubyte", IdxBytes.Of(8, [1, 28, 28], new byte[783]), "783 follow");
    }

    [Fact]
    public void A_missing_file_is_an_error_that_says_where_it_was_looked_for()
    {
        WriteAll();
        File.Delete(Path.Combine(folder.Path, "t10k-labels-idx1-ubyte.gz"));
        string message = Assert.Throws<FileNotFoundException>(() => FashionMnist.Load(folder.Path)).Message;
        Assert.Contains(folder.Path, message, StringComparison.Ordinal);
        Assert.Contains("dataset-fashion-mnist", message, StringComparison.Ordinal);
        Assert.Contains("t10k-labels-idx1-ubyte.gz", Assert.Throws<FileNotFoundException>(() => MnistFiles.Load(folder.Path)).Message, StringComparison.Ordinal);
    }

    /// <summary>Needs the data set on the machine; where it is missing, its absence is what is tested.</summary>
    [Fact]
    public void The_real_fashion_mnist_is_whole_or_its_absence_is_explained()
    {
        if (!FashionMnist.Folders.Any(place => File.Exists(Path.Combine(place, "train-images-idx3-ubyte.gz"))))
        {
            string message = Assert.Throws<FileNotFoundException>(() => FashionMnist.Load()).Message;
            Assert.All(FashionMnist.Folders, place => Assert.Contains(place, message, StringComparison.Ordinal));
            return;
        }

        (LabeledData train, LabeledData test) = FashionMnist.Load();
        Assert.Equal([60_000, 784], train.Features.Shape);
        Assert.Equal([10_000, 784], test.Features.Shape);
        Assert.Equal((0f, 1f), (train.Features.Min().Item(), train.Features.Max().Item()));
        Assert.All(Enumerable.Range(0, 10), label => Assert.Equal(6_000, train.Labels.Count(found => found == label)));
        Assert.All(Enumerable.Range(0, 10), label => Assert.Equal(1_000, test.Labels.Count(found => found == label)));
    }

    private static byte[] Images(int count) =>
        IdxBytes.Of(8, [count, 28, 28], [.. Enumerable.Range(0, count * 784).Select(place => (byte)((place % 784) + (place / 784)))]);

    private void WriteAll()
    {
        folder.Write("train-images-idx3-ubyte", Images(3));
        folder.Write("train-labels-idx1-ubyte", IdxBytes.Of(8, [3], 9, 0, 4));
        folder.Write("t10k-images-idx3-ubyte.gz", IdxBytes.Compress(Images(2)));
        folder.Write("t10k-labels-idx1-ubyte.gz", IdxBytes.Compress(IdxBytes.Of(8, [2], 1, 2)));
    }

    private void Refuses(string name, byte[] contents, params string[] parts)
    {
        WriteAll();
        folder.Write(name, contents);
        string message = Assert.Throws<DataFileException>(() => FashionMnist.Load(folder.Path)).Message;
        Assert.All(parts.Append(name), part => Assert.Contains(part, message, StringComparison.Ordinal));
    }
}
