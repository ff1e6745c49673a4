namespace Minigrad.Operations;

/// <summary>The functions of <see cref="Math"/>.</summary>
public readonly struct SystemMath : IStepMath
{
    /// <inheritdoc/>
    public static double Power(double x, double y) => Math.Pow(x, y);

    /// <inheritdoc/>
    public static double SquareRoot(double x) => Math.Sqrt(x);
}
