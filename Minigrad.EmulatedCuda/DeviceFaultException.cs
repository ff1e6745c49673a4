namespace Minigrad.EmulatedCuda;

/// <summary>What a kernel may not do: a device would answer with an error, a wrong number or not at all.</summary>
/// <param name="message">What, in which kernel and line.</param>
internal sealed class DeviceFaultException(string message) : Exception(message);
