namespace Minigrad;

/// <summary>
/// While anomalies were traced (<see cref="Anomaly.Trace"/>), backward started from a NaN or an infinity, or gave one as a gradient.
/// The message says where it began.
/// </summary>
public sealed class AnomalyException : ArithmeticException
{
    /// <summary>An error with no message.</summary>
    public AnomalyException()
    {
    }

    /// <summary>An error that says what is not finite and where that came from.</summary>
    /// <param name="message">The message.</param>
    public AnomalyException(string message)
        : base(message)
    {
    }

    /// <summary>An error caused by another.</summary>
    /// <param name="message">The message.</param>
    /// <param name="innerException">The cause.</param>
    public AnomalyException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    internal AnomalyException(AnomalyReport report)
        : base($"{report}{report.Advice}") =>
        Report = report;

    /// <summary>What was found; null only for an error that was not thrown by a trace.</summary>
    public AnomalyReport? Report { get; }
}
