using Minigrad.Operations;

namespace Minigrad.Gpu.Kernels;

/// <summary>The functions of double precision as a kernel has them: the same on every device.</summary>
internal readonly struct DeviceMath : IStepMath
{
    /// <inheritdoc/>
    public static double Power(double x, double y)
    {
        if (y == 0.0)
        {
            return 1.0;
        }

        return x == 0.0 ? 0.0 : DevicePower.Of(x, y);
    }

    /// <inheritdoc/>
    public static double SquareRoot(double x) => Math.Sqrt(x);
}
