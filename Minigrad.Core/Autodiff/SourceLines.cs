using System.Diagnostics;
using System.Reflection;

namespace Minigrad.Autodiff;

/// <summary>Finds where in the user's program an operation was called, and remembers each place: reading symbols is slow.</summary>
internal sealed class SourceLines
{
    private readonly Dictionary<(MethodBase Method, int Offset), SourceLine> known = [];

    /// <summary>The innermost place on the call stack that is not inside of Minigrad or .NET, or null.</summary>
    public SourceLine? Find()
    {
        StackTrace stack = new(fNeedFileInfo: false);
        for (int depth = 0; depth < stack.FrameCount; depth++)
        {
            StackFrame frame = stack.GetFrame(depth)!;
            if (frame.GetMethod() is not { } method || IsInside(method))
            {
                continue;
            }

            (MethodBase, int) key = (method, frame.GetILOffset());
            if (!known.TryGetValue(key, out SourceLine? line))
            {
                StackFrame read = new StackTrace(fNeedFileInfo: true).GetFrame(depth)!;
                line = new SourceLine(read.GetFileName(), read.GetFileLineNumber(), NameOf(method));
                known.Add(key, line);
            }

            return line;
        }

        return null;
    }

    /// <summary>Whether a method is the engine's own, or stands between two of its own, as those of LINQ.</summary>
    private static bool IsInside(MethodBase method) =>
        method.DeclaringType?.Assembly is not { } assembly
        || assembly == typeof(SourceLines).Assembly
        || assembly.GetName().Name!.StartsWith("System.", StringComparison.Ordinal);

    /// <summary>
    /// The method as a person wrote it: a lambda, a local function and a part of an asynchronous method, for which the compiler makes
    /// methods and types of its own, are called by the method that they are in.
    /// </summary>
    private static string NameOf(MethodBase method)
    {
        string name = Bracketed(method.Name) ?? method.Name;
        Type type = method.DeclaringType!;
        while (Bracketed(type.Name) is { } made && type.DeclaringType is { } outer)
        {
            name = made.Length > 0 ? made : name;
            type = outer;
        }

        return $"{type.Name}.{name}";
    }

    /// <summary>What stands in the angle brackets with which the compiler begins its own names; null if a name has none.</summary>
    private static string? Bracketed(string name) =>
        name.StartsWith('<') ? name[1..name.IndexOf('>', StringComparison.Ordinal)].TrimStart('<') : null;
}
