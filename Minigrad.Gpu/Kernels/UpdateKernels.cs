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
        Scalar moved = default;
        Scalar g = scale.Gradient(gradient[i], i, ref moved);
        Update(rule, g, new ParameterMemory(parameter, first, second, third), i, i);

        // All threads that write, write the same, so it does not matter which is the last.
        if (moved.Value == 1f)
        {
            scale.Clamped[0] = 1f;
        }
    }

    /// <summary>Measures the update of one element and leaves all as it is.</summary>
    public static void Measure<TRule>(
        Index1D i,
        TRule rule,
        UpdateArguments scale,
        ParameterMemory memory,
        ArrayView<float> gradient,
        ArrayView<float> measures)
        where TRule : unmanaged, IUpdateMeasure
    {
        Scalar moved = default;
        measures[i] = Measure(rule, scale.Gradient(gradient[i], i, ref moved), memory, i, i).Value;
    }

    /// <summary>What a rule measures of one element, whose state may lie at another place than the parameter.</summary>
    internal static Scalar Measure<TRule>(TRule rule, Scalar g, ParameterMemory memory, int parameter, int state)
        where TRule : unmanaged, IUpdateMeasure
    {
        Scalar s0 = default;
        Scalar s1 = default;
        Scalar s2 = default;
        Read(rule, memory, state, ref s0, ref s1, ref s2);
        return rule.Measure(new Scalar(memory.Parameters[parameter]), g, s0, s1, s2);
    }

    /// <summary>Updates one element, whose state may lie at another place than the parameter.</summary>
    internal static void Update<TRule>(TRule rule, Scalar g, ParameterMemory memory, int parameter, int state)
        where TRule : unmanaged, IUpdateRule
    {
        Scalar s0 = default;
        Scalar s1 = default;
        Scalar s2 = default;
        Read(rule, memory, state, ref s0, ref s1, ref s2);
        Update(rule, g.Value, memory, parameter, state, memory.Parameters[parameter], s0.Value, s1.Value, s2.Value);
    }

    /// <summary>Reads four elements a stride apart, and what a rule remembers of them.</summary>
    internal static UpdatedQuad ReadFour<TRule>(TRule rule, ParameterMemory memory, int parameter, int state, int stride)
        where TRule : unmanaged, IUpdateRule
    {
        UpdatedQuad four = default;
        four.Parameters = Quad.Strided(memory.Parameters, parameter, stride);
        if (rule.StateCount > 0)
        {
            four.First = Quad.Strided(memory.First, state, stride);
        }

        if (rule.StateCount > 1)
        {
            four.Second = Quad.Strided(memory.Second, state, stride);
        }

        if (rule.StateCount > 2)
        {
            four.Third = Quad.Strided(memory.Third, state, stride);
        }

        return four;
    }

    /// <summary>Updates four elements from what <see cref="ReadFour"/> has read of them, and writes them.</summary>
    internal static void UpdateFour<TRule>(
        TRule rule, Quad g, UpdatedQuad four, ParameterMemory memory, int parameter, int state, int stride)
        where TRule : unmanaged, IUpdateRule
    {
        Update(rule, g.X, memory, parameter, state, four.Parameters.X, four.First.X, four.Second.X, four.Third.X);
        (parameter, state) = (parameter + stride, state + stride);
        Update(rule, g.Y, memory, parameter, state, four.Parameters.Y, four.First.Y, four.Second.Y, four.Third.Y);
        (parameter, state) = (parameter + stride, state + stride);
        Update(rule, g.Z, memory, parameter, state, four.Parameters.Z, four.First.Z, four.Second.Z, four.Third.Z);
        (parameter, state) = (parameter + stride, state + stride);
        Update(rule, g.W, memory, parameter, state, four.Parameters.W, four.First.W, four.Second.W, four.Third.W);
    }

    /// <summary>Reads what a rule remembers of one element; what it does not have stays as it is.</summary>
    private static void Read<TRule>(
        TRule rule, ParameterMemory memory, int state, ref Scalar first, ref Scalar second, ref Scalar third)
        where TRule : unmanaged, IUpdateRule
    {
        if (rule.StateCount > 0)
        {
            first = new Scalar(memory.First[state]);
        }

        if (rule.StateCount > 1)
        {
            second = new Scalar(memory.Second[state]);
        }

        if (rule.StateCount > 2)
        {
            third = new Scalar(memory.Third[state]);
        }
    }

    /// <summary>Updates one element from what was read of it, and writes it.</summary>
    private static void Update<TRule>(
        TRule rule, float g, ParameterMemory memory, int parameter, int state, float value, float first, float second, float third)
        where TRule : unmanaged, IUpdateRule
    {
        Scalar p = new(value);
        Scalar s0 = new(first);
        Scalar s1 = new(second);
        Scalar s2 = new(third);
        rule.Update(ref p, new Scalar(g), ref s0, ref s1, ref s2);
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
