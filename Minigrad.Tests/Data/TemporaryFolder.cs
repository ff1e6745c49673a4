namespace Minigrad.Tests.Data;

/// <summary>A folder for the files of one test, gone when the test ends.</summary>
public sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("minigrad-").FullName;

    /// <summary>Writes a file and returns where it is.</summary>
    public string Write(string name, ReadOnlySpan<byte> contents)
    {
        string path = System.IO.Path.Combine(Path, name);
        File.WriteAllBytes(path, contents);
        return path;
    }

    public string Write(string name, string text) => Write(name, System.Text.Encoding.UTF8.GetBytes(text));

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
