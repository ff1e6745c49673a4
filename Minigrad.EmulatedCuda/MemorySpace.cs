namespace Minigrad.EmulatedCuda;

/// <summary>Where the text says that an address lies.</summary>
internal enum MemorySpace : byte
{
    /// <summary>Anywhere.</summary>
    Generic,

    /// <summary>In the device's memory.</summary>
    Global,

    /// <summary>In what a block shares.</summary>
    Shared,

    /// <summary>In what a thread has for itself.</summary>
    Local,
}
