namespace Minigrad.Optimizers;

/// <summary>What happens when a gradient holds NaN or an infinity, or is so large that an update would overflow.</summary>
public enum NonFinitePolicy
{
    /// <summary>The step throws <see cref="NonFiniteGradientException"/>, which names the parameter. Nothing has changed.</summary>
    Throw,

    /// <summary>The step is not made: parameters, moments and step count stay. It is counted and reported.</summary>
    SkipStep,

    /// <summary>Bad elements count as 0; the rest is clipped and used.</summary>
    ZeroBadValues,

    /// <summary>Nothing is done about it: what NaN touches becomes NaN.</summary>
    Propagate,
}
