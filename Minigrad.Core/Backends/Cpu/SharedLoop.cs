namespace Minigrad.Backends.Cpu;

/// <summary>A loop cut into portions, for a <see cref="Crew"/> to run in any order and on any thread.</summary>
internal abstract class SharedLoop
{
    private Exception? error;

    /// <summary>How many portions there are.</summary>
    public int Portions { get; protected set; }

    /// <summary>Runs a portion and keeps the first exception of the loop for its caller.</summary>
    /// <param name="portion">The number of the portion, from 0.</param>
    public void RunSafely(int portion)
    {
        try
        {
            Run(portion);
        }
        catch (Exception thrown)
        {
            Interlocked.CompareExchange(ref error, thrown, null);
        }
    }

    /// <summary>What went wrong, if anything did; asking forgets it, since the object serves other loops after this one.</summary>
    public Exception? TakeError()
    {
        Exception? taken = error;
        error = null;
        return taken;
    }

    /// <summary>Runs a portion.</summary>
    /// <param name="portion">The number of the portion, from 0.</param>
    protected abstract void Run(int portion);
}
