using System.Reflection;
using System.Runtime.CompilerServices;
using ILGPU;

namespace Minigrad.Gpu;

/// <summary>
/// Looks at a formula's type before it is compiled, because what goes wrong otherwise is told in the words of a loader or
/// a compiler, and not in the user's.
/// </summary>
internal static class FormulaCheck
{
    /// <summary>Refuses a kernel whose formula, or another of its arguments, a device cannot take.</summary>
    /// <param name="kernel">The closed generic kernel.</param>
    /// <exception cref="GpuException">A type is not public, or a field is a <c>bool</c> or <c>char</c>.</exception>
    public static void ThrowIfUnusable(MethodInfo kernel)
    {
        foreach (Type formula in kernel.GetGenericArguments())
        {
            ThrowIfHidden(formula);
            ThrowIfNotBlittable(formula, formula);
        }

        foreach (ParameterInfo parameter in kernel.GetParameters())
        {
            ThrowIfNotBlittable(parameter.ParameterType, parameter.ParameterType);
        }
    }

    private static void ThrowIfHidden(Type type)
    {
        foreach (Type argument in type.GetGenericArguments())
        {
            ThrowIfHidden(argument);
        }

        if (!IsAccessible(type))
        {
            throw new GpuException(
                $"The struct '{NameOf(type)}' cannot run on a GPU because it is not public: kernels are called from an assembly "
                + "made at run time, which sees public types only. Declare it `public readonly struct`, and every type it "
                + $"is nested in public too (or, for an internal one, add [assembly: InternalsVisibleTo(\"{Context.RuntimeAssemblyName}\")]).");
        }
    }

    private static bool IsAccessible(Type type)
    {
        if (type.IsNested)
        {
            bool reachable = type.IsNestedPublic || ((type.IsNestedAssembly || type.IsNestedFamORAssem) && ShowsInternals(type));
            return reachable && IsAccessible(type.DeclaringType!);
        }

        return type.IsPublic || ShowsInternals(type);
    }

    private static bool ShowsInternals(Type type) =>
        type.Assembly.GetCustomAttributes<InternalsVisibleToAttribute>()
            .Any(attribute => new AssemblyName(attribute.AssemblyName).Name == Context.RuntimeAssemblyName);

    private static void ThrowIfNotBlittable(Type type, Type formula)
    {
        foreach (FieldInfo field in type.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic))
        {
            if (field.FieldType == typeof(bool) || field.FieldType == typeof(char))
            {
                throw new GpuException(
                    $"The struct '{NameOf(formula)}' cannot run on a GPU because its field '{field.Name}' is a "
                    + $"{(field.FieldType == typeof(bool) ? "bool" : "char")}, which has no fixed size in a kernel's arguments. "
                    + "Use a float or an int (1f for true, 0f for false, chosen by T.Less).");
            }

            if (field.FieldType is { IsValueType: true, IsPrimitive: false, IsEnum: false })
            {
                ThrowIfNotBlittable(field.FieldType, formula);
            }
        }
    }

    /// <summary>A type's name as it is written in C#.</summary>
    /// <param name="type">The type.</param>
    public static string NameOf(Type type) => type.IsGenericType
        ? $"{type.Name.Split('`')[0]}<{string.Join(", ", type.GetGenericArguments().Select(NameOf))}>"
        : type.Name;
}
