using System.Text;
using Minigrad.Operations;

namespace Minigrad.Autodiff;

/// <summary>The name of a formula as a person would say it, from the name of its struct.</summary>
internal static class OperationName
{
    /// <summary>The name: <c>HyperbolicTangent</c>; <c>Multiply</c>, also where one operand is a number; <c>Slope(Sine)</c>.</summary>
    public static string Of<TOp>() => Cache<TOp>.Name;

    private static string NameOf(Type type)
    {
        string name = type.Name;
        int tick = name.IndexOf('`', StringComparison.Ordinal);
        if (tick < 0)
        {
            return name;
        }

        if (typeof(IPartialApplication).IsAssignableFrom(type))
        {
            return NameOf(type.GetGenericArguments()[0]);
        }

        StringBuilder text = new(name[..tick]);
        return text.Append('(').AppendJoin(", ", type.GetGenericArguments().Select(NameOf)).Append(')').ToString();
    }

    private static class Cache<TOp>
    {
        public static readonly string Name = NameOf(typeof(TOp));
    }
}
