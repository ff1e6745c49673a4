using System.Text.RegularExpressions;

namespace Minigrad.Tests.Gpu;

/// <summary>
/// What must not be in a compiled kernel; each rule stands for a fault seen in ILGPU 1.5.3. Divisions that become shifts are
/// not seen in the texts: see <see cref="KernelDivisions"/>.
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
            (CopiesSign(), "copysign, whose operands ILGPU swaps"),
            (UnsignedThroughDouble(), "an unsigned integer that becomes a float through a double"),
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

        if (UntestedComparisons(text).FirstOrDefault() is { } comparison)
        {
            yield return $"a comparison that is true for NaN, of a number that is not tested for it; OpenCL has it false: {comparison}";
        }

        if (!allowDouble && text.Contains(".f64", StringComparison.Ordinal))
        {
            yield return "double precision";
        }
    }

    /// <summary>
    /// Comparisons that jump on NaN, which is how C# compiles <c>if (x &lt; y)</c>. ILGPU writes them for OpenCL as if they did
    /// not, so PTX text shows them and OpenCL text has lost them. Where each side is a constant or was tested by
    /// <see cref="float.IsNaN"/> nothing depends on it.
    /// </summary>
    private static IEnumerable<string> UntestedComparisons(string text)
    {
        HashSet<string> tested = [.. NaNTest().Matches(text).Select(test => test.Groups[1].Value)];
        return UnorderedComparison().Matches(text)
            .Where(comparison => comparison.Groups.Values.Skip(1)
                .Any(side => side.Value.StartsWith('%') && !tested.Contains(side.Value)))
            .Select(comparison => comparison.Value);
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

    [GeneratedRegex(@"\bcopysign\.")]
    private static partial Regex CopiesSign();

    [GeneratedRegex(@"\bcvt\.\w*\.?f64\.u(8|16|32|64)")]
    private static partial Regex UnsignedThroughDouble();

    [GeneratedRegex(@"\btestp\.(?:notanumber|finite)\.f\d\d\s+%p\d+, (%f\w+)")]
    private static partial Regex NaNTest();

    [GeneratedRegex(@"\bsetp\.(?:lt|le|gt|ge)u\.f\d\d\s+%p\d+, (\S+), (\S+);")]
    private static partial Regex UnorderedComparison();

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
