using System.Security.Cryptography;
using System.Text;
using Minigrad.Data;

namespace Minigrad.Tests.Data;

/// <summary>Downloads: only the right file ever appears, and nothing is left of a wrong one.</summary>
public sealed class VerifiedDownloadTests : IDisposable
{
    private static readonly byte[] Body = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("some data ", 10_000)));
    private static readonly string Sha256 = Convert.ToHexString(SHA256.HashData(Body));
    private readonly TemporaryFolder folder = new();

    private string Target => Path.Combine(folder.Path, "new", "file.bin");

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task A_file_is_fetched_once_and_replaced_if_it_is_wrong()
    {
        await using LoopbackServer server = new(Body);
        Uri source = new(server.Address, "file.bin");
        Assert.True(await VerifiedDownload.FetchAsync(source, Target, Sha256));
        Assert.Equal(Body, File.ReadAllBytes(Target));
        Assert.False(await VerifiedDownload.FetchAsync(source, Target, Sha256));
        Assert.Equal(["/file.bin"], server.Requests);

        File.WriteAllText(Target, "wrong");
        Assert.True(await VerifiedDownload.FetchAsync(source, Target, Sha256));
        Assert.Equal(Body, File.ReadAllBytes(Target));
        Assert.Equal([Target], Directory.GetFiles(Path.GetDirectoryName(Target)!));

        // "some data " once, by its MD5 as computed elsewhere.
        await using LoopbackServer other = new(Body[..10]);
        Assert.True(await VerifiedDownload.FetchAsync(other.Address, Target, "fb8533fab67bbbbb2c0c0904f051f28f"));
    }

    [Fact]
    public async Task A_wrong_file_leaves_what_was_there()
    {
        await using LoopbackServer server = new([1, 2, 3]);
        DataFileException error = await Assert.ThrowsAsync<DataFileException>(() => VerifiedDownload.FetchAsync(server.Address, Target, Sha256));
        Assert.Contains("039058c6f2c0cb492c533b0a4d14ef77cc0f78abccced5287d84a1a2011cfb81", error.Message, StringComparison.Ordinal);
        Assert.Contains(Sha256, error.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(Path.GetDirectoryName(Target)!));
    }

    [Theory]
    [InlineData("200 OK", 50_000)]
    [InlineData("200 OK", 0)]
    [InlineData("404 Not Found", 100_000)]
    public async Task A_download_that_breaks_off_or_is_refused_leaves_nothing(string status, int sent)
    {
        await using LoopbackServer server = new(Body, sent, status);
        DataFileException error = await Assert.ThrowsAsync<DataFileException>(() => VerifiedDownload.FetchAsync(server.Address, Target, Sha256));
        Assert.Contains(server.Address.ToString(), error.Message, StringComparison.Ordinal);
        Assert.Contains("try again", error.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(Path.GetDirectoryName(Target)!));
    }

    [Fact]
    public async Task A_checksum_of_no_known_kind_is_refused() =>
        Assert.Contains(
            "3 digits",
            (await Assert.ThrowsAsync<ArgumentException>(() => VerifiedDownload.FetchAsync(new Uri("http://127.0.0.1/"), Target, "abc"))).Message,
            StringComparison.Ordinal);

    [Fact]
    public async Task Fashion_mnist_from_a_wrong_address_is_refused()
    {
        await using LoopbackServer server = new(Body);
        DataFileException error = await Assert.ThrowsAsync<DataFileException>(() => FashionMnist.DownloadAsync(server.Address, folder.Path));
        Assert.Contains("8d4fb7e6c68d591d4c3dfef9ec88bf0d", error.Message, StringComparison.Ordinal);
        Assert.Equal(["/train-images-idx3-ubyte.gz"], server.Requests);
        Assert.Empty(Directory.GetFiles(folder.Path));
    }
}
