using System.Runtime.InteropServices;

namespace Minigrad;

/// <summary>
/// Lets a long run end cleanly: while one exists, the first Ctrl+C (or a request of the system to terminate) does not end
/// the process but sets <see cref="IsRequested"/>. A second one ends it at once, as usual.
/// </summary>
/// <example>
/// <code>
/// using var interruption = new Interruption();
/// for (int step = 0; step &lt; 1_000_000 &amp;&amp; !interruption.IsRequested; step++) { … }
/// Console.WriteLine($"stopped after … steps");
/// </code>
/// </example>
public sealed class Interruption : IDisposable
{
    private readonly PosixSignalRegistration[] registrations;
    private volatile bool isRequested;

    /// <summary>Begins to listen.</summary>
    public Interruption() => registrations =
    [
        PosixSignalRegistration.Create(PosixSignal.SIGINT, Handle),
        PosixSignalRegistration.Create(PosixSignal.SIGTERM, Handle),
    ];

    /// <summary>Whether someone asked the run to end. Read it between steps.</summary>
    public bool IsRequested => isRequested;

    /// <summary>Asks the run to end, as Ctrl+C does.</summary>
    public void Request() => isRequested = true;

    /// <summary>Stops listening; Ctrl+C ends the process again.</summary>
    public void Dispose()
    {
        foreach (PosixSignalRegistration registration in registrations)
        {
            registration.Dispose();
        }
    }

    private void Handle(PosixSignalContext context)
    {
        // Cancelling the signal keeps the process alive; a person who asks twice does not want to wait.
        context.Cancel = !isRequested;
        isRequested = true;
    }
}
