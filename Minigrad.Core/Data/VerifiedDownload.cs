using System.Security.Cryptography;

namespace Minigrad.Data;

/// <summary>Fetches files of which the checksum is known. Under a file's own name there is only ever the right file.</summary>
public static class VerifiedDownload
{
    private const int Sha256Digits = 64;
    private const int Md5Digits = 32;

    /// <summary>Fetches a file, unless it is there already and is right.</summary>
    /// <param name="source">The address, http or https.</param>
    /// <param name="path">Where to put the file; folders are made, and a wrong file there is replaced.</param>
    /// <param name="checksum">The SHA-256 in 64 hexadecimal digits; or, where a publisher gives no other, the MD5 in 32.</param>
    /// <param name="cancellationToken">Stops the download.</param>
    /// <returns>Whether the file had to be fetched.</returns>
    /// <exception cref="ArgumentException">The checksum is neither.</exception>
    /// <exception cref="DataFileException">The file could not be fetched whole, or has another checksum.</exception>
    public static async Task<bool> FetchAsync(
        Uri source, string path, string checksum, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(checksum);
        HashAlgorithmName algorithm = checksum.Length switch
        {
            Sha256Digits => HashAlgorithmName.SHA256,
            Md5Digits => HashAlgorithmName.MD5,
            _ => throw new ArgumentException(
                $"The checksum '{checksum}' has {checksum.Length} digits; give a SHA-256 with {Sha256Digits} or an MD5 with {Md5Digits}.", nameof(checksum)),
        };
        if (File.Exists(path) && await IsRightAsync(path).ConfigureAwait(false))
        {
            return false;
        }

        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        string unverified = $"{path}.{Guid.NewGuid():N}.part";
        try
        {
            await SaveAsync(source, unverified, cancellationToken).ConfigureAwait(false);
            string found = await ChecksumAsync(unverified, algorithm, cancellationToken).ConfigureAwait(false);
            if (!IsSame(found))
            {
                throw new DataFileException(
                    $"{source} is not the expected file: its {algorithm} is {found}, and it should be {checksum}. Nothing was kept; check the address, and try again.");
            }

            File.Move(unverified, path, overwrite: true);
            return true;
        }
        catch (Exception error) when (error is HttpRequestException or IOException
            || (error is OperationCanceledException && !cancellationToken.IsCancellationRequested)) // The client's own time limit.
        {
            throw new DataFileException(
                $"{source} could not be fetched to '{path}': {error.Message} Nothing was kept; check the address and the connection, and try again.", error);
        }
        finally
        {
            File.Delete(unverified);
        }

        async Task<bool> IsRightAsync(string file) => IsSame(await ChecksumAsync(file, algorithm, cancellationToken).ConfigureAwait(false));

        bool IsSame(string found) => string.Equals(found, checksum, StringComparison.OrdinalIgnoreCase);
    }

    private static async Task SaveAsync(Uri source, string path, CancellationToken cancellationToken)
    {
        using HttpClient client = new();
        using Stream body = await client.GetStreamAsync(source, cancellationToken).ConfigureAwait(false);
        using FileStream file = new(path, FileMode.CreateNew);
        await body.CopyToAsync(file, cancellationToken).ConfigureAwait(false);
    }

    private static async Task<string> ChecksumAsync(string path, HashAlgorithmName algorithm, CancellationToken cancellationToken)
    {
        using FileStream file = File.OpenRead(path);
        byte[] hash = await CryptographicOperations.HashDataAsync(algorithm, file, cancellationToken).ConfigureAwait(false);
        return Convert.ToHexStringLower(hash);
    }
}
