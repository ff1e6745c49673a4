using System.Text.RegularExpressions;

namespace Minigrad.Tests.Gpu;

/// <summary>
/// What must not be in a compiled kernel; each rule stands for a fault seen in ILGPU 1.5.3. What it cannot see: signed
/// division by a constant power of two, which becomes a shift, and comparisons with NaN, which OpenCL gets wrong.
/// </summary>
public static partial class KernelLint
{
    public static IEnumerable<string> Ptx(string text, bool allowDouble)
    {
        (Regex Rule, string Fault)[] rules =
        [
            (IntegerBitsInPtx(), "the bits of an integer used as a float (c ? 1 : 0 instead of c ? 1f : 0f)"),
            (UnresolvedFunction(), "a function that is not resolved or not inlined"),
            (ApproximateFunction(), "an approximate function"),
            (LosesNaN(), "min or max, which drop NaN"),
            (LocalMemory(), "local memory"),
        ];
        foreach ((Regex rule, string fault) in rules)
        {
            if (rule.Match(text) is { Success: true } match)
            {
                yield return $"{fault}: {match.Value}";
            }
        }

        if (!allowDouble && text.Contains(".f64", StringComparison.Ordinal))
        {
            yield return "double precision";
        }
    }

    public static IEnumerable<string> OpenCl(string text, bool allowDouble)
    {
        if (IntegerBitsInOpenCl().Match(text) is { Success: true } bits)
        {
            yield return $"the bits of an integer used as a float: {bits.Value}";
        }

        if (LibraryFunction().Match(text) is { Success: true } function)
        {
            yield return $"a function of the device's library, different on each: {function.Value}";
        }

        if (!allowDouble && Double().IsMatch(text))
        {
            yield return "double precision";
        }
    }

    [GeneratedRegex(@"0f0000000[1-9A-F]|0d000000000000000[1-9A-F]")]
    private static partial Regex IntegerBitsInPtx();

    [GeneratedRegex(@"\.extern \.func|\.visible \.func|\bcall\b")]
    private static partial Regex UnresolvedFunction();

    [GeneratedRegex(@"\b(tanh|ex2|lg2|sin|cos|sqrt|rsqrt|rcp|div)\.(approx|full)|\.ftz")]
    private static partial Regex ApproximateFunction();

    [GeneratedRegex(@"\b(min|max)\.f(32|64)")]
    private static partial Regex LosesNaN();

    [GeneratedRegex(@"\.local ")]
    private static partial Regex LocalMemory();

    [GeneratedRegex(@"\b\d\.\d+E-4[45]f?")]
    private static partial Regex IntegerBitsInOpenCl();

    [GeneratedRegex(@"\b(native_\w+|half_\w+|exp\w*|log\w*|pow\w*|sin|cos|tan|tanh|erf|fmin|fmax|min|max|fma|rsqrt|copysign)\s*\(")]
    private static partial Regex LibraryFunction();

    [GeneratedRegex(@"\bdouble\b")]
    private static partial Regex Double();
}
