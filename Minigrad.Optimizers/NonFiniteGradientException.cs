namespace Minigrad.Optimizers;

/// <summary>A gradient was not usable; the message names the parameter, the first bad element, how many there are, and the step.</summary>
public sealed class NonFiniteGradientException : ArithmeticException
{
    /// <summary>An error with no message.</summary>
    public NonFiniteGradientException()
    {
    }

    /// <summary>An error that says which gradient is bad and what to do.</summary>
    /// <param name="message">The message.</param>
    public NonFiniteGradientException(string message)
        : base(message)
    {
    }

    /// <summary>An error caused by another.</summary>
    /// <param name="message">The message.</param>
    /// <param name="innerException">The cause.</param>
    public NonFiniteGradientException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
