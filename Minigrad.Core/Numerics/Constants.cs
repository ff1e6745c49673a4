namespace Minigrad.Numerics;

/// <summary>Mathematical constants that formulas share, in double precision.</summary>
public static class Constants
{
    /// <summary>2/√π.</summary>
    public const double TwoOverRootPi = 1.1283791670955126;

    /// <summary>2π.</summary>
    public const double TwoPi = 6.2831853071795865;

    /// <summary>1/√2.</summary>
    public const double InverseRootTwo = 0.70710678118654752;

    /// <summary>√(2/π).</summary>
    public const double RootTwoOverPi = 0.79788456080286536;
}
