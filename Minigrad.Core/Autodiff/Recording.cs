namespace Minigrad.Autodiff;

/// <summary>Whether operations on the current thread are recorded for backward.</summary>
internal static class Recording
{
    // Stored inverted because a thread-static field starts as false on every thread.
    [ThreadStatic]
    private static bool isOff;

    /// <summary>Whether a node is to be made when an input asks for a gradient.</summary>
    public static bool IsOn => !isOff;

    /// <summary>Switches recording and returns what was in force before.</summary>
    public static bool Set(bool on)
    {
        bool before = !isOff;
        isOff = !on;
        return before;
    }
}
