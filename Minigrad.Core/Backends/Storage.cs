namespace Minigrad.Backends;

/// <summary>
/// The numbers of a tensor, on one backend. Several tensors may share a storage (a reshape, a detached tensor), so what
/// belongs to the numbers rather than to one view of them is kept here: their version.
/// </summary>
public abstract class Storage
{
    /// <summary>Creates the record of a buffer.</summary>
    /// <param name="backend">The backend that holds the numbers.</param>
    /// <param name="length">How many float32 numbers there are.</param>
    protected Storage(Backend backend, int length)
    {
        Backend = backend;
        Length = length;
    }

    /// <summary>The backend that holds the numbers.</summary>
    public Backend Backend { get; }

    /// <summary>How many float32 numbers there are.</summary>
    public int Length { get; }

    /// <summary>How often the numbers were changed in place. Backward refuses to use a saved tensor whose version moved.</summary>
    public int Version { get; private set; }

    /// <summary>
    /// How many places of a running backward pass refer to this buffer. A gradient's buffer that no place refers to any
    /// more goes back to the pool at once, and a gradient that only one refers to may be added to in place.
    /// </summary>
    internal int GradientReferences { get; set; }

    /// <summary>Whether someone outside the backward pass may hold this gradient buffer, so that it is never reused.</summary>
    internal bool IsExposed { get; set; }

    /// <summary>Records that the numbers were changed in place.</summary>
    public void MarkChanged() => Version++;

    /// <summary>Gives the buffer back to its pool. Only for buffers that no user can see; reading it afterwards fails.</summary>
    internal void Recycle()
    {
        MarkChanged();
        ReturnBuffer();
    }

    /// <summary>Gives the buffer back to its pool, after which any use of this storage must fail.</summary>
    protected abstract void ReturnBuffer();
}
