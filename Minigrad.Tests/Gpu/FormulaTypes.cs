using System.Reflection;
using Minigrad.Gpu;
using Minigrad.Operations;

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
    public static IEnumerable<Type> Implementing(Type contract) =>
        Plain(contract).Concat(Wrappers(contract).SelectMany(wrapper => Plain(Contract(wrapper)).Select(Wrap(wrapper))));

    /// <summary>Formulas of one kind wrapped twice, such as the slope of a slope, which second derivatives run.</summary>
    public static IEnumerable<Type> ImplementingTwice(Type contract) =>
        Wrappers(contract).SelectMany(outer => Wrappers(Contract(outer))
            .SelectMany(inner => Plain(Contract(inner)).Select(Wrap(inner)).Select(Wrap(outer))));

    /// <summary>The closed forms of a kernel: one for each choice of formulas that its type parameters take.</summary>
    public static IEnumerable<MethodInfo> Close(MethodInfo kernel, Func<Type, IEnumerable<Type>> formulas)
    {
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

    private static Func<Type, Type> Wrap(Type wrapper) => inner => wrapper.MakeGenericType(inner);

    private static IEnumerable<Type> Plain(Type contract) =>
        Structs.Where(type => !type.IsGenericTypeDefinition && contract.IsAssignableFrom(type));

    private static IEnumerable<Type> Wrappers(Type contract) =>
        Structs.Where(type => type.IsGenericTypeDefinition && contract.IsAssignableFrom(type));

    private static IEnumerable<Assembly> Assemblies()
    {
        yield return typeof(IUnaryOp).Assembly;
        yield return typeof(GpuBackend).Assembly;

        yield return typeof(Minigrad.Optimizers.Optimizer).Assembly;
    }
}
