namespace Minigrad.Data;

/// <summary>
/// Data sets in the format of MNIST: grey images of 28 × 28 pixels in one IDX file and their labels in another. MNIST
/// itself, Fashion-MNIST, KMNIST and EMNIST come so.
/// </summary>
public static class MnistFiles
{
    /// <summary>The number of pixels of an image, 28 × 28.</summary>
    public const int PixelCount = Side * Side;

    private const int Side = 28;

    /// <summary>The four files under their usual names (<c>train-images-idx3-ubyte</c>, …), each plain or with <c>.gz</c>.</summary>
    /// <param name="folder">The folder that holds them.</param>
    /// <param name="classCount">The number of classes; labels are below it.</param>
    /// <returns>The rows to learn from, and the rows to test with, as <see cref="Read"/> gives them.</returns>
    /// <exception cref="FileNotFoundException">A file is not there.</exception>
    /// <exception cref="DataFileException">A file is damaged, or the files do not belong together.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The number of classes is not positive.</exception>
    public static (LabeledData Train, LabeledData Test) Load(string folder, int classCount = 10)
    {
        ArgumentNullException.ThrowIfNull(folder);
        return (Part("train"), Part("t10k"));

        LabeledData Part(string name) =>
            Read(Find(folder, $"{name}-images-idx3-ubyte"), Find(folder, $"{name}-labels-idx1-ubyte"), classCount);
    }

    /// <summary>Images with their labels.</summary>
    /// <param name="imagesPath">An IDX file of bytes, <c>[rows, 28, 28]</c>, gzipped or not.</param>
    /// <param name="labelsPath">An IDX file of bytes, <c>[rows]</c>, gzipped or not.</param>
    /// <param name="classCount">The number of classes; labels are below it.</param>
    /// <returns>Features <c>[rows, 784]</c> from 0 to 1, row by row of the image, and labels.</returns>
    /// <exception cref="FileNotFoundException">A file is not there.</exception>
    /// <exception cref="DataFileException">A file is damaged, or the files do not belong together.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The number of classes is not positive.</exception>
    public static LabeledData Read(string imagesPath, string labelsPath, int classCount = 10)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(classCount);
        IdxArray images = IdxFile.Read(imagesPath);
        IdxArray labels = IdxFile.Read(labelsPath);
        CheckKind(imagesPath, images, images.Shape is [_, Side, Side], $"images [rows, {Side}, {Side}]");
        CheckKind(labelsPath, labels, labels.Shape.Rank == 1, "labels [rows]");
        if (images.Shape[0] != labels.Shape[0])
        {
            throw new DataFileException(
                $"{imagesPath} holds {images.Shape[0]} images, but {labelsPath} holds {labels.Shape[0]} labels. Check that the two files belong together.");
        }

        int[] classes = labels.ToIntegers();
        int wrong = Array.FindIndex(classes, label => label >= classCount);
        if (wrong >= 0)
        {
            throw DataFileException.At(
                labelsPath, $"record {wrong}", $"the label is {classes[wrong]}, but of {classCount} classes the last is {classCount - 1}. Check the file, or give the right number of classes.");
        }

        return new LabeledData(images.ToTensor(1f / byte.MaxValue).Reshape(classes.Length, PixelCount), classes);
    }

    /// <summary>The path of a file that is there plain or gzipped; null if it is not.</summary>
    internal static string? TryFind(string folder, string name) =>
        new[] { name, name + ".gz" }.Select(file => Path.Combine(folder, file)).FirstOrDefault(File.Exists);

    private static string Find(string folder, string name) => TryFind(folder, name) ?? throw new FileNotFoundException(
        $"Neither '{name}' nor '{name}.gz' is in '{Path.GetFullPath(folder)}'. Check the folder, or put the file there.", name);

    private static void CheckKind(string path, IdxArray array, bool fits, string wanted)
    {
        if (!fits || array.ElementType != IdxElementType.Unsigned8)
        {
            throw DataFileException.At(
                path, "header", $"{wanted} of bytes should be here, but the file declares {array.ElementType} of shape {array.Shape}. Check that it is the right file.");
        }
    }
}
