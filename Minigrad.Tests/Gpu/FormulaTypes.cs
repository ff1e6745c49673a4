using System.Reflection;
using Minigrad.Gpu;
using Minigrad.Operations;
using Minigrad.Optimizers.Rules;

namespace Minigrad.Tests.Gpu;

/// <summary>
/// Finds every formula by reflection, so that none is forgotten: the structs of the libraries, and each generic wrapper
/// (a slope, a backward) around each of them.
/// </summary>
public static class FormulaTypes
{
    private static readonly Type[] Structs = [.. Assemblies().SelectMany(assembly => assembly.GetTypes())
        .Where(type => type is { IsValueType: true, IsNested: false, Namespace: not null })];

    /// <summary>Every formula of one kind, wrapped at most once.</summary>
    public static IEnumerable<Type> Implementing(Type contract)
    {
        IEnumerable<Type> measured = Steps().SelectMany(Measured).Select(step => step.Rule);
        if (IsOf(contract, typeof(IMeasuredRule<>)))
        {
            return measured;
        }

        IEnumerable<Type> found =
            Plain(contract).Concat(Wrappers(contract).SelectMany(wrapper => Plain(Contract(wrapper)).Select(Wrap(wrapper))));
        return contract == typeof(IUpdateRule) || contract == typeof(IUpdateMeasure) ? found.Concat(measured) : found;
    }

    /// <summary>
    /// Formulas of one kind wrapped twice, such as the slope of a slope, which second derivatives run; x + c and its like count as one that is not wrapped.
    /// </summary>
    public static IEnumerable<Type> ImplementingTwice(Type contract) =>
        Wrappers(contract).SelectMany(outer => Wrappers(Contract(outer))
            .SelectMany(inner => Plain(Contract(inner)).Concat(Applied(Contract(inner))).Select(Wrap(inner)).Select(Wrap(outer))));

    /// <summary>The closed forms of a kernel: one for each choice of formulas that its type parameters take.</summary>
    public static IEnumerable<MethodInfo> Close(MethodInfo kernel, Func<Type, IEnumerable<Type>> formulas)
    {
        Type[] taken = kernel.GetGenericArguments();
        if (taken.Length > 0 && IsOf(Contract(taken[0]), typeof(IStepRule<>)))
        {
            // The rule follows from what makes it; an optimizer runs it with what all rules share, and its limits.
            // A clip of updates is decided with the update, so only a rule that measures by itself is decided before it.
            bool isMeasured = IsOf(Contract(taken[1]), typeof(IMeasuredRule<>));
            bool isMeasure = Contract(taken[1]) == typeof(IUpdateMeasure);
            (Type Step, Type Rule)[] steps = [.. Steps().SelectMany(step => (IEnumerable<(Type Step, Type Rule)>)
            [
                .. isMeasured || (isMeasure && taken.Length == 2) ? Measured(step) : [],
                .. isMeasure && typeof(IUpdateMeasure).IsAssignableFrom(step.Rule) ? [step] : Array.Empty<(Type Step, Type Rule)>(),
                .. isMeasured || isMeasure ? Array.Empty<(Type Step, Type Rule)>() : [Decayed(step)],
            ])];
            if (taken.Length == 2)
            {
                return steps.Select(step => kernel.MakeGenericMethod(step.Step, step.Rule));
            }

            // A threshold sees a number, whatever it is the size of: one rule meets all thresholds, all rules one.
            return steps.Select(step => kernel.MakeGenericMethod(step.Step, step.Rule, typeof(FixedThreshold)))
                .Concat(formulas(Contract(taken[2])).Where(threshold => threshold != typeof(FixedThreshold)).Select(threshold => kernel.MakeGenericMethod(steps[0].Step, steps[0].Rule, threshold)));
        }

        IEnumerable<Type[]> choices = [[]];
        foreach (Type parameter in kernel.GetGenericArguments())
        {
            choices = [.. choices.SelectMany(choice => formulas(Contract(parameter)).Select(formula => (Type[])[.. choice, formula]))];
        }

        return choices.Select(choice => choice.Length == 0 ? kernel : kernel.MakeGenericMethod(choice));
    }

    /// <summary>The kind of formula that a kernel's type parameter, or a wrapper, takes.</summary>
    public static Type Contract(Type parameterOrWrapper)
    {
        Type parameter = parameterOrWrapper.IsGenericParameter
            ? parameterOrWrapper
            : parameterOrWrapper.GetGenericArguments()[0];
        return parameter.GetGenericParameterConstraints().First(constraint => constraint.IsInterface);
    }

    /// <summary>Whether a contract is a generic one, closed or not.</summary>
    public static bool IsOf(Type contract, Type definition) =>
        contract.IsGenericType && contract.GetGenericTypeDefinition() == definition;

    /// <summary>Each update rule with what makes it: a step of its own, or one that is always the same.</summary>
    private static IEnumerable<(Type Step, Type Rule)> Steps()
    {
        (Type Step, Type Rule)[] own = [.. Structs.Where(type => !type.IsGenericTypeDefinition)
            .SelectMany(type => type.GetInterfaces()
                .Where(contract => IsOf(contract, typeof(IStepRule<>)))
                .Select(contract => (type, contract.GetGenericArguments()[0])))];
        return own.Concat(Plain(typeof(IUpdateRule))
            .Where(rule => own.All(step => step.Rule != rule))
            .Select(rule => (typeof(ConstantStep<>).MakeGenericType(rule), rule)));
    }

    private static (Type Step, Type Rule) Decayed((Type Step, Type Rule) step) =>
        (typeof(DecayedStep<,>).MakeGenericType(step.Step, step.Rule), typeof(Decayed<>).MakeGenericType(step.Rule));

    /// <summary>A rule with each limit of its update that it can have.</summary>
    private static IEnumerable<(Type Step, Type Rule)> Measured((Type Step, Type Rule) step) => Structs
        .Where(type => type.IsGenericTypeDefinition && type.GetInterfaces().Any(contract => IsOf(contract, typeof(IUpdateLimit<>))))
        .Where(limit => limit.GetGenericArguments()[0].GetGenericParameterConstraints()
            .Where(constraint => constraint.IsInterface).All(constraint => constraint.IsAssignableFrom(step.Rule)))
        .Select(limit => limit.MakeGenericType(step.Rule))
        .Select(limit => (
            typeof(ClippedUpdateStep<,,>).MakeGenericType(step.Step, step.Rule, limit),
            typeof(ClippedUpdate<,>).MakeGenericType(step.Rule, limit)));

    private static Func<Type, Type> Wrap(Type wrapper) => inner => wrapper.MakeGenericType(inner);

    private static IEnumerable<Type> Plain(Type contract) =>
        Structs.Where(type => !type.IsGenericTypeDefinition && contract.IsAssignableFrom(type));

    /// <summary>Formulas of two operands of which one is a number.</summary>
    private static IEnumerable<Type> Applied(Type contract) => Wrappers(contract)
        .Where(wrapper => typeof(IPartialApplication).IsAssignableFrom(wrapper))
        .SelectMany(wrapper => Plain(Contract(wrapper)).Select(Wrap(wrapper)));

    private static IEnumerable<Type> Wrappers(Type contract) =>
        Structs.Where(type => type.IsGenericTypeDefinition && type.GetGenericArguments().Length == 1 && contract.IsAssignableFrom(type));

    private static IEnumerable<Assembly> Assemblies()
    {
        yield return typeof(IUnaryOp).Assembly;
        yield return typeof(GpuBackend).Assembly;

        yield return typeof(Minigrad.Optimizers.Optimizer).Assembly;
    }
}
