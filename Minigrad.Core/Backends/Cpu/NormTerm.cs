namespace Minigrad.Backends.Cpu;

/// <summary>What an element contributes to a norm.</summary>
internal enum NormTerm
{
    /// <summary>|x|, summed.</summary>
    Magnitude,

    /// <summary>x², summed.</summary>
    Square,

    /// <summary>|x|, of which the largest counts.</summary>
    Largest,

    /// <summary>(|x| / largest)ᵖ, summed.</summary>
    ScaledPower,
}
