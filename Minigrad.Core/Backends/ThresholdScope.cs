namespace Minigrad.Backends;

/// <summary>What a clipping stage compares with its threshold, and so how many series of norms a remembered threshold has.</summary>
public enum ThresholdScope
{
    /// <summary>One number for all gradients together.</summary>
    Together,

    /// <summary>A number for each parameter.</summary>
    Parameter,

    /// <summary>A number for each row of a parameter, with all dimensions but the first joined; one for a vector.</summary>
    Row,

    /// <summary>A number for each column of a parameter, with all dimensions but the last joined; one for a vector.</summary>
    Column,
}
