namespace Minigrad;

/// <summary>Shapes, axes or indices that do not fit the operation; the message names the operation and the shapes.</summary>
public class ShapeException : ArgumentException
{
    /// <summary>An error with no message.</summary>
    public ShapeException()
    {
    }

    /// <summary>An error that says what was asked, what was given, and what to do.</summary>
    /// <param name="message">The message.</param>
    public ShapeException(string message)
        : base(message)
    {
    }

    /// <summary>An error caused by another.</summary>
    /// <param name="message">The message.</param>
    /// <param name="innerException">The cause.</param>
    public ShapeException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
