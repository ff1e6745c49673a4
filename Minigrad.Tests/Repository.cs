namespace Minigrad.Tests;

/// <summary>The checkout that the tests were built from, for tests about its files.</summary>
internal static class Repository
{
    /// <summary>The folder that holds Minigrad.sln.</summary>
    public static string Root { get; } = FindRoot();

    private static string FindRoot()
    {
        DirectoryInfo? directory = new(AppContext.BaseDirectory);
        while (directory is not null && !File.Exists(Path.Combine(directory.FullName, "Minigrad.sln")))
        {
            directory = directory.Parent;
        }

        return directory?.FullName ?? throw new DirectoryNotFoundException("Minigrad.sln is in no folder above the tests.");
    }
}
