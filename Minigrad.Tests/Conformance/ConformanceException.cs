namespace Minigrad.Tests.Conformance;

/// <summary>Why a case failed: what is unknown, or where Minigrad differs from the reference.</summary>
internal sealed class ConformanceException(string message) : Exception(message);
