namespace Minigrad.Autodiff;

/// <summary>Whether operations on the current thread are recorded for backward, and whether anomalies are traced.</summary>
internal static class Recording
{
    // One byte says both, so that an operation asks once. Stored so that every thread starts recording and untraced.
    [ThreadStatic]
    private static State state;

    [Flags]
    private enum State : byte
    {
        Plain = 0,
        Off = 1,
        Traced = 2,
    }

    /// <summary>Whether a node is to be made when an input asks for a gradient.</summary>
    public static bool IsOn => (state & State.Off) == 0;

    /// <summary>Whether every operation makes a node, for the trace to look at, kept or not.</summary>
    public static bool IsTraced => (state & State.Traced) != 0;

    /// <summary>Whether recording is on and nothing is traced: the inputs alone decide.</summary>
    public static bool IsPlain => state == State.Plain;

    /// <summary>Switches recording and returns what was in force before.</summary>
    public static bool Set(bool on)
    {
        bool before = IsOn;
        state = on ? state & ~State.Off : state | State.Off;
        return before;
    }

    /// <summary>Traces operations until the scope ends.</summary>
    public static Scope Traced() => Trace(State.Traced);

    /// <summary>
    /// Until the scope ends, traces nothing: for operations that are a part of another one, which is what a person wrote.
    /// </summary>
    public static Scope Untraced() => Trace(State.Plain);

    private static Scope Trace(State next)
    {
        Scope scope = new(IsTraced);
        state = (state & State.Off) | next;
        return scope;
    }

    /// <summary>Goes back, when disposed, to tracing or not as before; whether operations are recorded is not touched.</summary>
    /// <param name="wasTraced">What was in force.</param>
    public readonly struct Scope(bool wasTraced) : IDisposable
    {
        /// <summary>Goes back.</summary>
        public void Dispose() => state = (state & State.Off) | (wasTraced ? State.Traced : State.Plain);
    }
}
