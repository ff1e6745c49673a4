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
    public static Scope Traced() => Enter(state | State.Traced);

    /// <summary>
    /// Until the scope ends, traces nothing: for operations that are a part of another one, which is what a person wrote.
    /// </summary>
    public static Scope Untraced() => Enter(state & ~State.Traced);

    private static Scope Enter(State next)
    {
        Scope scope = new((byte)state);
        state = next;
        return scope;
    }

    /// <summary>Goes back, when disposed, to what was in force before.</summary>
    /// <param name="before">What was in force.</param>
    public readonly struct Scope(byte before) : IDisposable
    {
        /// <summary>Goes back.</summary>
        public void Dispose() => state = (State)before;
    }
}
