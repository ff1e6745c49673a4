namespace Minigrad.Gpu;

/// <summary>
/// A device could not do what was asked of it: there is none, its memory is full, or a formula does not compile for it.
/// The message says what to do.
/// </summary>
public sealed class GpuException : Exception
{
    /// <summary>Creates the exception without a message.</summary>
    public GpuException()
    {
    }

    /// <summary>Creates the exception.</summary>
    /// <param name="message">What happened and what to do about it.</param>
    public GpuException(string message)
        : base(message)
    {
    }

    /// <summary>Creates the exception from the one that caused it.</summary>
    /// <param name="message">What happened and what to do about it.</param>
    /// <param name="innerException">The cause.</param>
    public GpuException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
