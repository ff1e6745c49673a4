using System.Globalization;
using System.IO.Compression;

namespace Minigrad.Data;

/// <summary>
/// The optical recognition of handwritten digits data set: 1,797 grey images of 8 × 8 pixels with the digit that each
/// shows, split once and for all, 80 to 20 in each class. It is part of the package; nothing is downloaded.
/// </summary>
/// <remarks>
/// Alpaydin and Kaynak (1998), "Optical Recognition of Handwritten Digits", UCI Machine Learning Repository,
/// doi:10.24432/C50P49, licensed CC BY 4.0.
/// </remarks>
public static class Digits
{
    /// <summary>The number of classes, the digits 0 to 9.</summary>
    public const int ClassCount = 10;

    /// <summary>The number of pixels of an image, 8 × 8.</summary>
    public const int PixelCount = 64;

    private const float Brightest = 16f;

    /// <summary>Loads the images: features <c>[rows, 64]</c> from 0 (paper) to 1 (ink), row by row of the image.</summary>
    /// <returns>The rows to learn from, and the rows to test with.</returns>
    public static (LabeledData Train, LabeledData Test) Load()
    {
        using Stream compressed = typeof(Digits).Assembly.GetManifestResourceStream("digits.csv.gz")
            ?? throw new InvalidOperationException("The digits are missing from this build of Minigrad.Core.");
        using GZipStream stream = new(compressed, CompressionMode.Decompress);
        using StreamReader reader = new(stream);
        Part train = new();
        Part test = new();
        reader.ReadLine(); // The header.
        while (reader.ReadLine() is { } line)
        {
            string[] cells = line.Split(',');
            Part part = cells[PixelCount + 1] == "1" ? test : train;
            for (int pixel = 0; pixel < PixelCount; pixel++)
            {
                part.Pixels.Add(int.Parse(cells[pixel], CultureInfo.InvariantCulture) / Brightest);
            }

            part.Labels.Add(int.Parse(cells[PixelCount], CultureInfo.InvariantCulture));
        }

        return (train.ToData(), test.ToData());
    }

    private sealed class Part
    {
        public List<float> Pixels { get; } = [];

        public List<int> Labels { get; } = [];

        public LabeledData ToData() => new(Tensor.Of([.. Pixels], Labels.Count, PixelCount), [.. Labels]);
    }
}
