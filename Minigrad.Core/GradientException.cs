namespace Minigrad;

/// <summary>A gradient that cannot be computed as asked; the message names the operation and says what to do.</summary>
public sealed class GradientException : InvalidOperationException
{
    /// <summary>An error with no message.</summary>
    public GradientException()
    {
    }

    /// <summary>An error that says what was asked and what to do.</summary>
    /// <param name="message">The message.</param>
    public GradientException(string message)
        : base(message)
    {
    }

    /// <summary>An error caused by another.</summary>
    /// <param name="message">The message.</param>
    /// <param name="innerException">The cause.</param>
    public GradientException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
