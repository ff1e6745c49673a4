namespace Minigrad.Backends;

/// <summary>What became of a deferred step.</summary>
public enum StepOutcome
{
    /// <summary>The update was made.</summary>
    Made = 0,

    /// <summary>The update was withheld: a gradient was not finite.</summary>
    NotFinite = 1,

    /// <summary>The update was withheld: a gradient's norm was so large that squares of its elements may overflow.</summary>
    TooLarge = 2,

    /// <summary>The update was withheld: a gradient was not finite, which is taken for the doing of a dynamic loss scale.</summary>
    Overflow = 3,

    /// <summary>The update was withheld because an earlier one was, which the host had not yet acknowledged.</summary>
    Stopped = 4,
}
