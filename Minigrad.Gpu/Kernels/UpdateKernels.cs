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
        where TRule : unmanaged, IMeasuredRule<TRule>
    {
        Scalar moved = default;
        measures[i] = Measure(rule, scale.Gradient(gradient[i], i, ref moved), memory, i, i).Value;
    }

    /// <summary>What a rule measures of one element, whose state may lie at another place than the parameter.</summary>
    internal static Scalar Measure<TRule>(TRule rule, Scalar g, ParameterMemory memory, int parameter, int state)
        where TRule : unmanaged, IMeasuredRule<TRule>
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

    /// <summary>
    /// Updates four elements. All are read before one is written: a compiler must take it that a write changes what is read after it,
    /// so a thread that goes one by one waits for memory four times as often.
    /// </summary>
    internal static void UpdateFour<TRule>(TRule rule, Quad g, ParameterMemory memory, QuadPlace four, int parameterOffset, int stateOffset)
        where TRule : unmanaged, IUpdateRule
    {
        Quad p = four.Read(memory.Parameters, parameterOffset);
        Quad first = default;
        Quad second = default;
        Quad third = default;
        if (rule.StateCount > 0)
        {
            first = four.Read(memory.First, stateOffset);
        }

        if (rule.StateCount > 1)
        {
            second = four.Read(memory.Second, stateOffset);
        }

        if (rule.StateCount > 2)
        {
            third = four.Read(memory.Third, stateOffset);
        }

        Update(rule, g.X, memory, parameterOffset + four.X, stateOffset + four.X, p.X, first.X, second.X, third.X);
        Update(rule, g.Y, memory, parameterOffset + four.Y, stateOffset + four.Y, p.Y, first.Y, second.Y, third.Y);
        Update(rule, g.Z, memory, parameterOffset + four.Z, stateOffset + four.Z, p.Z, first.Z, second.Z, third.Z);
        Update(rule, g.W, memory, parameterOffset + four.W, stateOffset + four.W, p.W, first.W, second.W, third.W);
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
