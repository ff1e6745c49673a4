namespace Minigrad.Data;

/// <summary>A data file that is not what it should be; the message names the file, the place in it, and what to do.</summary>
/// <remarks>Nothing of such a file is handed out: a reader either returns all of it or throws.</remarks>
public sealed class DataFileException : Exception
{
    /// <summary>An error with no message.</summary>
    public DataFileException()
    {
    }

    /// <summary>An error that says which file, where, and what to do.</summary>
    /// <param name="message">The message.</param>
    public DataFileException(string message)
        : base(message)
    {
    }

    /// <summary>An error caused by another.</summary>
    /// <param name="message">The message.</param>
    /// <param name="innerException">The cause.</param>
    public DataFileException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }

    /// <summary>An error at a place of a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="place">The place, as <c>byte 4</c> or <c>line 3, column "weight"</c>.</param>
    /// <param name="problem">What is wrong there and what to do, a whole sentence.</param>
    /// <param name="cause">The error that showed it, if any.</param>
    internal static DataFileException At(string path, string place, string problem, Exception? cause = null) =>
        new($"{path}, {place}: {problem}", cause);
}
