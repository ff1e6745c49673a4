using ILGPU;
using Minigrad.Numerics;
using Minigrad.Operations;

namespace Minigrad.Gpu.Kernels;

/// <summary>Optimizer updates: gradient, parameter and state are each read once and written at most once.</summary>
internal static class UpdateKernels
{
    /// <summary>Updates one element. State that the rule does not have is never touched; any view may stand in for it.</summary>
    public static void Update<TRule>(
        Index1D i,
        TRule rule,
        UpdateArguments scale,
        ArrayView<float> parameter,
        ArrayView<float> gradient,
        ArrayView<float> first,
        ArrayView<float> second,
        ArrayView<float> third)
        where TRule : unmanaged, IUpdateRule
    {
        float firstFactor = scale.First;
        float secondFactor = scale.Second;
        if (scale.UnitLength > 0)
        {
            int unit = i / scale.UnitLength % scale.UnitCount;
            firstFactor *= scale.UnitFactors[2 * unit];
            secondFactor *= scale.UnitFactors[(2 * unit) + 1];
        }

        Scalar g = new ScaledGradient(firstFactor, secondFactor, scale.Low, scale.High).Forward(new Scalar(gradient[i]));
        Update(rule, g, new ParameterMemory(parameter, first, second, third), i, i);
    }

    /// <summary>Updates one element, whose state may lie at another place than the parameter.</summary>
    internal static void Update<TRule>(TRule rule, Scalar g, ParameterMemory memory, int parameter, int state)
        where TRule : unmanaged, IUpdateRule
    {
        Scalar p = new(memory.Parameters[parameter]);
        Scalar s0 = default;
        Scalar s1 = default;
        Scalar s2 = default;
        if (rule.StateCount > 0)
        {
            s0 = new Scalar(memory.First[state]);
        }

        if (rule.StateCount > 1)
        {
            s1 = new Scalar(memory.Second[state]);
        }

        if (rule.StateCount > 2)
        {
            s2 = new Scalar(memory.Third[state]);
        }

        rule.Update(ref p, g, ref s0, ref s1, ref s2);
        memory.Parameters[parameter] = p.Value;
        if (rule.StateCount > 0)
        {
            memory.First[state] = s0.Value;
        }

        if (rule.StateCount > 1)
        {
            memory.Second[state] = s1.Value;
        }

        if (rule.StateCount > 2)
        {
            memory.Third[state] = s2.Value;
        }
    }
}
