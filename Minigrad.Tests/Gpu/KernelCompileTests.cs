using System.Reflection;
using Minigrad.Gpu.Kernels;
using Minigrad.Numerics;
using Minigrad.Operations;
using Minigrad.Optimizers.Rules;
using Minigrad.Optimizers.Thresholds;

namespace Minigrad.Tests.Gpu;

/// <summary>
/// Compiles every kernel with every formula to PTX and OpenCL text and looks for what must not be there. The CPU
/// accelerator cannot show this: it runs the original .NET methods.
/// </summary>
public sealed class KernelCompileTests
{
    /// <summary>Methods with a comparison that the reader can't see to be of numbers, each with the reason why NaN does no harm there.</summary>
    private static readonly Dictionary<string, string> GuardedComparisons = new()
    {
        ["StepKernels.NoteBad"] = Counts,
        ["StepKernels.FindFaults"] = Counts,
        ["StepKernels.Scaled"] = Counts,
        ["StepKernels.SetUnits"] = Counts,
        ["LossScaleRule.AfterStep"] = Counts,
        ["MovingAverageRule.Threshold"] = Counts,
        ["MovingAverageRule.Observe"] = Counts,
        ["ZScoreRule.Observe"] = Counts,
        ["SpamStep.At"] = Counts,
        ["StepKernels.Decide"] = "they are numbers of attempts",
        ["StepKernels.Finish"] = Outcomes,
        ["StepKernels.Update"] = Outcomes,
        ["StepKernels.MeasureUpdate"] = Outcomes,
        ["StepKernels.UpdateMeasured"] = Outcomes,
        ["StepKernels.IsBad"] = "the norm was asked, and the limit is a constant of the host",
        ["StepKernels.DescribeFirst"] = "the limit is a constant of the host",
        ["ZScoreRule.Own"] = $"{Counts}; and {FiniteNorms}, and so is a score, whose divisor is at least ε > 0",
        ["NormWindow.RankOf"] = FiniteNorms,
        ["MedianDeviationRule.MedianOfDistances"] = $"{FiniteNorms}, and so are their distances",
        ["RAdamStep.At"] = "the length follows from the number of the step and from β₂ < 1, and is finite",
    };

    private const string Counts = "they are counts";
    private const string Outcomes = "they are outcomes of steps, a few whole numbers";
    private const string FiniteNorms = "a rule that remembers is shown finite norms only";

    public static TheoryData<string> Kernels => [.. AllKernels().Select(NameOf)];

    [Theory]
    [MemberData(nameof(Kernels))]
    public void Kernel_compiles_cleanly_with_every_formula(string name)
    {
        MethodInfo kernel = AllKernels().Single(candidate => NameOf(candidate) == name);
        Check(kernel, contract => contract == typeof(INormTerm)
            ? [typeof(MagnitudeTerm), typeof(SquareTerm), typeof(ScaledPowerTerm), typeof(LargestTerm)]
            : FormulaTypes.Implementing(contract));
    }

    [Theory]
    [InlineData(nameof(ElementwiseKernels.Map))]
    [InlineData(nameof(ElementwiseKernels.Zip))]
    [InlineData(nameof(ElementwiseKernels.ZipBroadcast))]
    [InlineData(nameof(ElementwiseKernels.Combine))]
    [InlineData(nameof(ElementwiseKernels.CombineBroadcast))]
    public void Kernel_compiles_cleanly_with_second_derivatives(string name)
    {
        Check(typeof(ElementwiseKernels).GetMethod(name)!, FormulaTypes.ImplementingTwice);
    }

    [Fact]
    public void Every_kind_of_formula_is_found()
    {
        Assert.Contains(typeof(HyperbolicTangent), FormulaTypes.Implementing(typeof(IUnaryOp)));
        Assert.Contains(typeof(Slope<HyperbolicTangent>), FormulaTypes.Implementing(typeof(IUnaryOp)));
        Assert.Contains(typeof(WithSecond<Power>), FormulaTypes.Implementing(typeof(IUnaryOp)));
        Assert.Contains(typeof(OutputBackward<HyperbolicTangent>), FormulaTypes.Implementing(typeof(IBinaryOp)));
        Assert.Contains(typeof(OfSum<HyperbolicTangent>), FormulaTypes.Implementing(typeof(IBinaryOp)));
        Assert.Contains(typeof(FirstBackward<Multiply>), FormulaTypes.Implementing(typeof(ITernaryOp)));
        Assert.Contains(typeof(UnaryBackward<Slope<WithSecond<Add>>>), FormulaTypes.ImplementingTwice(typeof(IBinaryOp)));
        Assert.Contains(typeof(UnaryBackward<Slope<ByNumber<Multiply>>>), FormulaTypes.ImplementingTwice(typeof(IBinaryOp)));
        Assert.Contains(typeof(NormalDistribution), FormulaTypes.Implementing(typeof(IDistribution)));
        Assert.Contains(typeof(Sum), FormulaTypes.Implementing(typeof(IReduction)));
        Assert.Equal(
            ["FixedThreshold", "MedianDeviationRule", "MovingAverageRule", "PercentileRule", "StreamingQuantileRule", "ZScoreRule"],
            FormulaTypes.Implementing(typeof(IThresholdRule)).Select(type => type.Name).Order());
        Assert.Equal(
            ["NoClip", "NormDecision", "ValueDecision"], FormulaTypes.Implementing(typeof(IClipDecision)).Select(type => type.Name).Order());
        Type[] measured = [.. FormulaTypes.Implementing(typeof(IMeasuredRule<>))];
        Assert.Contains(typeof(ClippedUpdate<AdamRule, StableAdamWLimit<AdamRule>>), measured);
        Assert.Contains(typeof(ClippedUpdate<SgdRule, ClippyLimit<SgdRule>>), measured);
        Assert.DoesNotContain(measured, rule => rule.GenericTypeArguments[0] == typeof(SgdRule) && rule.GenericTypeArguments[1].Name.StartsWith("Stable", StringComparison.Ordinal));
        Assert.Equal(
            [nameof(StepKernels.MeasureUpdate), nameof(StepKernels.Update), nameof(StepKernels.UpdateMeasured)],
            typeof(StepKernels).GetMethods().Where(kernel => kernel.Name.Contains("Update", StringComparison.Ordinal))
                .Where(kernel => FormulaTypes.Close(kernel, _ => []).Count() > 10).Select(kernel => kernel.Name).Order());
    }

    [Theory]
    [InlineData(typeof(SeamTests.DescentRule))]
    [InlineData(typeof(SeamTests.OneStateRule))]
    [InlineData(typeof(SeamTests.TwoStateRule))]
    [InlineData(typeof(SeamTests.ThreeStateRule))]
    public void Update_compiles_cleanly_with_a_users_rule(Type rule) =>
        Check(typeof(UpdateKernels).GetMethod(nameof(UpdateKernels.Update))!, _ => [rule]);

    [Theory]
    [InlineData(nameof(PlantedFaults.IntegerBitsAsFloat), "PTX: the bits of an integer")]
    [InlineData(nameof(PlantedFaults.IntegerBitsAsFloat), "OpenCL: the bits of an integer")]
    [InlineData(nameof(PlantedFaults.HiddenDouble), "PTX: double")]
    [InlineData(nameof(PlantedFaults.HiddenDouble), "OpenCL: double")]
    [InlineData(nameof(PlantedFaults.ApproximateExponential), "PTX: an approximate function")]
    [InlineData(nameof(PlantedFaults.ApproximateExponential), "OpenCL: a function of the device's library")]
    [InlineData(nameof(PlantedFaults.MaximumWithoutNaN), "PTX: min or max")]
    [InlineData(nameof(PlantedFaults.ArrayInLocalMemory), "PTX: local memory")]
    [InlineData(nameof(PlantedFaults.UnresolvedFunction), "PTX: a function that is not resolved")]
    [InlineData(nameof(PlantedFaults.DoesNotCompile), "does not compile")]
    [InlineData(nameof(PlantedFaults.CallThatStays), "PTX: a function that is not resolved or not inlined")]
    [InlineData(nameof(PlantedFaults.CopiedSign), "PTX: copysign")]
    [InlineData(nameof(PlantedFaults.CopiedSign), "OpenCL: a function of the device's library")]
    [InlineData(nameof(PlantedFaults.UnsignedAsFloat), "PTX: an unsigned integer")]
    [InlineData(nameof(PlantedFaults.UnsignedAsFloat), "OpenCL: double")]
    [InlineData(nameof(PlantedFaults.LessBranch), "PTX: a comparison that is true for NaN")]
    [InlineData(nameof(PlantedFaults.LessOrEqualBranch), "PTX: a comparison that is true for NaN")]
    [InlineData(nameof(PlantedFaults.GreaterBranch), "PTX: a comparison that is true for NaN")]
    [InlineData(nameof(PlantedFaults.GreaterOrEqualBranch), "PTX: a comparison that is true for NaN")]
    [InlineData(nameof(PlantedFaults.BoolInArgument), "is refused: The struct 'WithBool'")]
    public void Lint_finds_a_planted_fault(string kernel, string fault)
    {
        IReadOnlyList<string> faults = KernelText.Faults(typeof(PlantedFaults).GetMethod(kernel)!, allowDouble: false);
        Assert.Contains(faults, found => found.StartsWith(fault, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(nameof(PlantedFaults.SignedDivision), true)]
    [InlineData(nameof(PlantedFaults.UnsignedDivision), true)]
    [InlineData(nameof(PlantedFaults.LongDivision), true)]
    [InlineData(nameof(PlantedFaults.DivisionThatStays), false)]
    public void Division_by_a_power_of_two_is_found(string kernel, bool isFound) =>
        Assert.Equal(isFound, KernelDivisions.IsIn(typeof(PlantedFaults).GetMethod(kernel)!));

    [Fact]
    public void Nothing_that_a_kernel_runs_divides_by_a_power_of_two()
    {
        MethodBase[] methods = [.. MethodsThatKernelsRun()];
        Assert.Contains(typeof(MatrixKernels).GetMethod(nameof(MatrixKernels.BlockedProduct)), methods);
        Assert.Contains(typeof(Square).GetMethod(nameof(Square.Forward)), methods);
        Assert.Empty(methods.Where(KernelDivisions.IsIn).Select(method => $"{method.DeclaringType}.{method.Name}"));
    }

    [Theory]
    [InlineData(nameof(PlantedFaults.FactorOfThresholdNaN), true)]
    [InlineData(nameof(PlantedFaults.FactorThatAsksFirst), false)]
    [InlineData(nameof(PlantedFaults.ComparisonOfWhatWasAssignedSince), true)]
    [InlineData(nameof(PlantedFaults.ComparisonOfWhatALoopAssigns), true)]
    [InlineData(nameof(PlantedFaults.LessBranch), true)]
    [InlineData(nameof(PlantedFaults.LessOrEqualBranch), true)]
    [InlineData(nameof(PlantedFaults.GreaterBranch), true)]
    [InlineData(nameof(PlantedFaults.GreaterOrEqualBranch), true)]
    [InlineData(nameof(PlantedFaults.ComparisonThatIsStored), false)]
    [InlineData(nameof(PlantedFaults.ComparisonOfIntegers), false)]
    public void A_comparison_of_what_may_be_NaN_is_found(string method, bool isFound) =>
        Assert.Equal(isFound, KernelComparisons.In(typeof(PlantedFaults).GetMethod(method)!).Count > 0);

    [Fact]
    public void Nothing_that_a_step_decides_compares_what_may_be_NaN()
    {
        MethodBase[] methods = [.. MethodsThatKernelsRun().Where(method => method.DeclaringType is { IsValueType: true } or { IsAbstract: true, IsSealed: true })];
        Assert.Contains(typeof(Minigrad.Optimizers.Clipping.NormDecision).GetMethod(nameof(IClipDecision.Factor)), methods);
        (string Name, string Comparisons)[] found = [.. methods
            .Select(method => ($"{method.DeclaringType!.Name}.{method.Name}", string.Join("; ", KernelComparisons.In(method))))
            .Where(entry => entry.Item2.Length > 0)];
        string[] faults = [.. found.Where(entry => !GuardedComparisons.ContainsKey(entry.Name)).Select(entry => $"{entry.Name}: {entry.Comparisons}")];
        Assert.True(faults.Length == 0, string.Join(Environment.NewLine, faults));
        Assert.Equal(GuardedComparisons.Keys.Order(), found.Select(entry => entry.Name).Distinct().Order());
    }

    /// <summary>What is of types that kernels use, but for methods over the host's memory.</summary>
    private static IEnumerable<MethodBase> MethodsThatKernelsRun()
    {
        const BindingFlags all = BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;
        string[] namespaces = [typeof(ElementwiseKernels).Namespace!, typeof(Square).Namespace!, typeof(Scalar).Namespace!];
        return new[] { typeof(ElementwiseKernels), typeof(Square), typeof(Minigrad.Optimizers.Optimizer) }
            .SelectMany(type => type.Assembly.GetTypes())
            .Where(type => namespaces.Contains(type.Namespace)
                || type.Namespace is "Minigrad.Optimizers.Rules" or "Minigrad.Optimizers.Clipping" or "Minigrad.Optimizers.Thresholds")
            .SelectMany(type => type.GetMethods(all).Concat<MethodBase>(type.GetConstructors(all)))
            .Where(method => !method.GetParameters().Any(parameter => parameter.ParameterType == typeof(HostThresholdMemory)));
    }

    private static IEnumerable<MethodInfo> AllKernels() =>
        typeof(ElementwiseKernels).Assembly.GetTypes()
            .Where(type => type.Namespace == typeof(ElementwiseKernels).Namespace && type is { IsAbstract: true, IsSealed: true })
            .Where(type => type.Name.EndsWith("Kernels", StringComparison.Ordinal))
            .SelectMany(type => type.GetMethods(BindingFlags.Static | BindingFlags.Public | BindingFlags.DeclaredOnly));

    private static string NameOf(MethodInfo kernel) => $"{kernel.DeclaringType!.Name}.{kernel.Name}";

    private static void Check(MethodInfo kernel, Func<Type, IEnumerable<Type>> formulas)
    {
        // Norms, and what clipping decides from them, are in double precision by design; a rule that is measured carries it along.
        bool allowDouble = kernel.DeclaringType == typeof(NormKernels) || kernel.DeclaringType == typeof(StepKernels);
        string[] faults = [.. FormulaTypes.Close(kernel, formulas)
            .SelectMany(closed => KernelText.Faults(closed, allowDouble || closed.GetGenericArguments().Any(IsMeasured)).Where(fault => !IsKnown(kernel, fault)).Select(fault => $"{closed}: {fault}"))];
        Assert.True(faults.Length == 0, string.Join(Environment.NewLine, faults));
    }

    private static bool IsMeasured(Type formula) =>
        formula.GetInterfaces().Any(contract => FormulaTypes.IsOf(contract, typeof(IMeasuredRule<>)));

    /// <summary>
    /// What a step decides from norms passes through many methods, whose registers do not show which number was asked for NaN
    /// before. <see cref="Nothing_that_a_step_decides_compares_what_may_be_NaN"/> looks at those methods one by one instead.
    /// </summary>
    private static bool IsKnown(MethodInfo kernel, string fault) =>
        kernel.DeclaringType == typeof(StepKernels) && fault.StartsWith("PTX: a comparison", StringComparison.Ordinal);
}
