namespace Minigrad.Data;

/// <summary>
/// Fashion-MNIST: 70,000 grey images of 28 × 28 pixels of articles of clothing in ten classes, 60,000 to learn from and
/// 10,000 to test with. It is not part of the package; <see cref="Load"/> finds it on the machine, and
/// <see cref="DownloadAsync"/> fetches it.
/// </summary>
/// <remarks>
/// Xiao, Rasul and Vollgraf (2017), "Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine Learning Algorithms",
/// arXiv:1708.07747, licensed MIT.
/// </remarks>
public static class FashionMnist
{
    // The publisher gives MD5 sums and no others. They are there to catch what a transfer damages; and no way is known to
    // make a second file to a given MD5 sum.
    private static readonly (string Name, string Checksum)[] Files =
    [
        ("train-images-idx3-ubyte.gz", "8d4fb7e6c68d591d4c3dfef9ec88bf0d"),
        ("train-labels-idx1-ubyte.gz", "25c81989df183df01b3e8a0aad5dffbe"),
        ("t10k-images-idx3-ubyte.gz", "bef4ecab320f06d8554ea6380940ec79"),
        ("t10k-labels-idx1-ubyte.gz", "bb300cfdad3c16e7a12a480ee83cd310"),
    ];

    /// <summary>The classes by label, 0 to 9.</summary>
    public static IReadOnlyList<string> ClassNames { get; } =
    [
        "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
    ];

    /// <summary>Where the files are looked for if no folder is given, in this order.</summary>
    /// <remarks>
    /// Where Debian's package <c>dataset-fashion-mnist</c> puts them, and <c>Minigrad/fashion-mnist</c> in the user's
    /// folder for application data, if there is one.
    /// </remarks>
    public static IReadOnlyList<string> Folders { get; } = WellKnownFolders();

    /// <summary>Loads the images: features <c>[rows, 784]</c> from 0 to 1, row by row of the image.</summary>
    /// <param name="folder">Holds the four files under their usual names, plain or gzipped; null looks in <see cref="Folders"/>.</param>
    /// <returns>The rows to learn from, and the rows to test with.</returns>
    /// <exception cref="FileNotFoundException">The files are not there; the message says where they were looked for.</exception>
    /// <exception cref="DataFileException">A file is damaged, or the files do not belong together.</exception>
    public static (LabeledData Train, LabeledData Test) Load(string? folder = null)
    {
        IReadOnlyList<string> places = folder is null ? Folders : [folder];
        string found = places.FirstOrDefault(HasAll) ?? throw new FileNotFoundException(
            $"Fashion-MNIST was not found in {string.Join(" or ", places.Select(place => $"'{Path.GetFullPath(place)}'"))}. A folder must hold all of "
            + $"{string.Join(", ", Files.Select(file => file.Name))}, with or without .gz. On Debian and Ubuntu, install the package dataset-fashion-mnist; anywhere, "
            + "call FashionMnist.DownloadAsync with one of these folders.");
        return MnistFiles.Load(found, ClassNames.Count);
    }

    /// <summary>
    /// Downloads the four gzipped files into a folder and checks each against the sum that its publisher gives. A file
    /// that is there already and is right is left as it is.
    /// </summary>
    /// <param name="baseAddress">The address of the folder that holds the files, ending in a slash. The publisher's is
    /// http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/.</param>
    /// <param name="folder">Where to put them; it is made if it is not there.</param>
    /// <param name="cancellationToken">Stops the download.</param>
    /// <exception cref="DataFileException">A file could not be fetched, or is not the published one.</exception>
    public static async Task DownloadAsync(Uri baseAddress, string folder, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(baseAddress);
        ArgumentNullException.ThrowIfNull(folder);
        foreach ((string name, string checksum) in Files)
        {
            await VerifiedDownload.FetchAsync(new Uri(baseAddress, name), Path.Combine(folder, name), checksum, cancellationToken)
                .ConfigureAwait(false);
        }
    }

    private static bool HasAll(string folder) =>
        Files.All(file => MnistFiles.TryFind(folder, Path.GetFileNameWithoutExtension(file.Name)) is not null);

    private static string[] WellKnownFolders()
    {
        const string Packaged = "/usr/share/datasets/fashion-mnist";
        string applicationData = Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData);
        return applicationData.Length == 0 ? [Packaged] : [Packaged, Path.Combine(applicationData, "Minigrad", "fashion-mnist")];
    }
}
