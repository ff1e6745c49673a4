using ILGPU;
using Minigrad.Operations;

namespace Minigrad.Gpu.Kernels;

/// <summary>What a launch decides about units.</summary>
/// <typeparam name="TDecision">What is decided.</typeparam>
/// <typeparam name="TRule">How the threshold comes about.</typeparam>
/// <param name="units">The units, in order.</param>
/// <param name="decision">What is decided.</param>
/// <param name="rule">How the threshold comes about.</param>
/// <param name="firstUnit">The first unit of the launch.</param>
/// <param name="set">The set of gradients that the stage sees.</param>
internal readonly struct UnitStage<TDecision, TRule>(
    ArrayView<Chunk> units, TDecision decision, TRule rule, int firstUnit, int set)
    where TDecision : unmanaged, IUnitDecision
    where TRule : unmanaged, IThresholdRule
{
    /// <summary>The units, in order.</summary>
    public readonly ArrayView<Chunk> Units = units;

    /// <summary>What is decided.</summary>
    public readonly TDecision Decision = decision;

    /// <summary>How the threshold comes about.</summary>
    public readonly TRule Rule = rule;

    /// <summary>The first unit of the launch.</summary>
    public readonly int FirstUnit = firstUnit;

    /// <summary>The set of gradients that the stage sees.</summary>
    public readonly int Set = set;
}
