using Minigrad.Numerics;

namespace Minigrad.Operations;

/// <summary>An update rule that divides by the root of a running mean of g², which a clip of the update can ask for.</summary>
public interface ISecondMoment : IUpdateRule
{
    /// <summary>The mean square v̂ by whose root the rule divides, without ε; its bias is corrected where the rule corrects it.</summary>
    /// <typeparam name="T">The number type.</typeparam>
    /// <param name="first">The first remembered number after the update.</param>
    /// <param name="second">The second remembered number after the update.</param>
    /// <param name="third">The third remembered number after the update.</param>
    T SecondMoment<T>(T first, T second, T third)
        where T : struct, IReal<T>;
}
