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

    /// <summary>The method as a person wrote it: a lambda and a local function are called by the method that they are in.</summary>
    private static string NameOf(MethodBase method)
    {
        Type type = method.DeclaringType!;
        while (type.Name.StartsWith('<') && type.DeclaringType is { } outer)
        {
            type = outer;
        }

        string name = method.Name.StartsWith('<') ? method.Name[1..method.Name.IndexOf('>', StringComparison.Ordinal)] : method.Name;
        return $"{type.Name}.{name}";
    }
}
