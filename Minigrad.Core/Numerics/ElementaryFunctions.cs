using System.Runtime.CompilerServices;

namespace Minigrad.Numerics;

/// <summary>The elementary functions in float32, each written once for CPU lanes and GPU threads.</summary>
internal static class ElementaryFunctions
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Exp<T>(T x)
        where T : struct, IMachineReal<T>, IReal<T>
    {
        T bounded = T.Less(x, -104f, -104f, T.Less(90f, x, 90f, x));
        T n = T.Round(bounded * 1.44269504f);
        T r = T.MultiplyAdd(n, -0.693359375f, bounded);
        r = T.MultiplyAdd(n, 2.12194440e-4f, r);
        T p = T.MultiplyAdd(r, 1.9875691500e-4f, 1.3981999507e-3f);
        p = T.MultiplyAdd(p, r, 8.3334519073e-3f);
        p = T.MultiplyAdd(p, r, 4.1665795894e-2f);
        p = T.MultiplyAdd(p, r, 1.6666665459e-1f);
        p = T.MultiplyAdd(p, r, 5.0000001201e-1f);
        p = T.MultiplyAdd(p, r * r, r) + 1f;
        T half = T.Round(n * 0.5f);
        return p * T.PowerOfTwo(half) * T.PowerOfTwo(n - half);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T ExpM1<T>(T x)
        where T : struct, IMachineReal<T>, IReal<T>
    {
        T h = Tanh(0.5f * x);
        return T.Less(T.Abs(x), 1f, 2f * h / (1f - h), Exp(x) - 1f);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Log<T>(T x)
        where T : struct, IMachineReal<T>, IReal<T>
    {
        T scaled = T.Less(x, 1.17549435e-38f, x * 8388608f, x);
        T e = T.Exponent(scaled) + T.Less(x, 1.17549435e-38f, -23f, 0f);
        T m = T.Mantissa(scaled);
        e = T.Less(1.41421356f, m, e + 1f, e);
        m = T.Less(1.41421356f, m, 0.5f * m, m) - 1f;
        T z = m * m;
        T p = T.MultiplyAdd(m, 7.0376836292e-2f, -1.1514610310e-1f);
        p = T.MultiplyAdd(p, m, 1.1676998740e-1f);
        p = T.MultiplyAdd(p, m, -1.2420140846e-1f);
        p = T.MultiplyAdd(p, m, 1.4249322787e-1f);
        p = T.MultiplyAdd(p, m, -1.6668057665e-1f);
        p = T.MultiplyAdd(p, m, 2.0000714765e-1f);
        p = T.MultiplyAdd(p, m, -2.4999993993e-1f);
        p = T.MultiplyAdd(p, m, 3.3333331174e-1f);
        T y = (p * m * z) - (2.12194440e-4f * e) - (0.5f * z);
        T log = m + y + (0.693359375f * e);
        log = T.Less(3.4028235e38f, x, x, log);
        return T.Less(0f, x, log, T.Less(x, 0f, float.NaN, T.IfNaN(x, x, float.NegativeInfinity)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Log1P<T>(T x)
        where T : struct, IMachineReal<T>, IReal<T>
    {
        T u = 1f + x;
        T correction = (x - (u - 1f)) / u;
        return T.Less(3.4028235e38f, x, x, Log(u) + T.Less(0f, u, correction, 0f));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Sin<T>(T x)
        where T : struct, IMachineReal<T>, IReal<T>
    {
        T n = T.Round(x * 0.318309886f);
        T r = T.MultiplyAdd(n, -3.140625f, x);
        r = T.MultiplyAdd(n, -9.67653589793e-4f, r);
        T z = r * r;
        T p = T.MultiplyAdd(z, 2.6083159809786593541503e-06f, -0.0001981069071916863322258f);
        p = T.MultiplyAdd(p, z, 0.00833307858556509017944336f);
        p = T.MultiplyAdd(p, z, -0.166666597127914428710938f);
        T s = T.MultiplyAdd(p * z, r, r);
        T parity = n - (2f * T.Round(n * 0.5f));
        return T.Less(T.Abs(parity), 0.5f, s, -s);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Cos<T>(T x)
        where T : struct, IMachineReal<T>, IReal<T> => Sin(x + 1.57079632f);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Tanh<T>(T x)
        where T : struct, IMachineReal<T>, IReal<T>
    {
        T a = T.Abs(x);
        T z = x * x;
        T p = T.MultiplyAdd(z, -5.70498872745e-3f, 2.06390887954e-2f);
        p = T.MultiplyAdd(p, z, -5.37397155531e-2f);
        p = T.MultiplyAdd(p, z, 1.33314422036e-1f);
        p = T.MultiplyAdd(p, z, -3.33332819422e-1f);
        T small = T.MultiplyAdd(p * z, x, x);
        T large = T.CopySign(1f - (2f / (Exp(2f * a) + 1f)), x);
        return T.Less(a, 0.625f, small, large);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Sigmoid<T>(T x)
        where T : struct, IMachineReal<T>, IReal<T>
    {
        T e = Exp(-T.Abs(x));
        T s = 1f / (1f + e);
        return T.Less(x, 0f, e * s, s);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Softplus<T>(T x)
        where T : struct, IMachineReal<T>, IReal<T> => T.Max(x, 0f) + Log1P(Exp(-T.Abs(x)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Erf<T>(T x)
        where T : struct, IMachineReal<T>, IReal<T>
    {
        T a = T.Abs(x);
        T t = 1f / T.MultiplyAdd(a, 0.3275911f, 1f);
        T p = T.MultiplyAdd(t, 1.061405429f, -1.453152027f);
        p = T.MultiplyAdd(p, t, 1.421413741f);
        p = T.MultiplyAdd(p, t, -0.284496736f);
        p = T.MultiplyAdd(p, t, 0.254829592f);
        return T.CopySign(1f - (p * t * Exp(-(a * a))), x);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Pow<T>(T x, T y)
        where T : struct, IMachineReal<T>, IReal<T> => Exp(y * Log(T.Abs(x)));
}
