namespace Minigrad.Autodiff;

/// <summary>A place in a program.</summary>
/// <param name="File">The file with its path, or null where the program has no debug symbols.</param>
/// <param name="Line">The line, or 0.</param>
/// <param name="Method">The method and its type.</param>
internal sealed record SourceLine(string? File, int Line, string Method);
