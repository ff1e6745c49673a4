namespace Minigrad.Backends;

/// <summary>A buffer from an element on, so that a step of a sequence can be read or written where it lies.</summary>
/// <param name="Storage">The buffer.</param>
/// <param name="Start">The first element.</param>
public readonly record struct Part(Storage Storage, int Start)
{
    /// <summary>A buffer from its beginning.</summary>
    /// <param name="storage">The buffer.</param>
    public static implicit operator Part(Storage storage) => new(storage, 0);
}
