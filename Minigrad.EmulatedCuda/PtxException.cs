namespace Minigrad.EmulatedCuda;

/// <summary>Text that is not PTX, or has something of it that is not emulated.</summary>
/// <param name="message">What, and in which line.</param>
internal sealed class PtxException(string message) : Exception(message);
