using System.Runtime.CompilerServices;
using Minigrad.Numerics;
using Minigrad.Operations;

namespace Minigrad.Backends.Cpu;

/// <summary>
/// Optimizer updates: one pass that reads gradient, parameter and state, applies the pending scale of clipping and the
/// rule, and writes parameter and state.
/// </summary>
internal static class UpdateLoops
{
    private const MethodImplOptions Loop = MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization;

    /// <summary>How many elements one block of parallel work has.</summary>
    private const int BlockLength = 16384;

    /// <summary>Updates every target by the rule.</summary>
    public static void Update<TRule>(Workers workers, TRule rule, ReadOnlySpan<UpdateTarget> targets)
        where TRule : unmanaged, IUpdateRule
    {
        foreach (ref readonly UpdateTarget target in targets)
        {
            workers.For(Blocks(target), BlockLength, new Body<TRule>(rule, target));
        }
    }

    private static int Blocks(in UpdateTarget target) => (target.Parameter.Length + BlockLength - 1) / BlockLength;

    private static void UpdateBlock<TRule, TLanes>(TRule rule, in UpdateTarget target, int block)
        where TRule : unmanaged, IUpdateRule
        where TLanes : struct, ILanes<TLanes>
    {
        int start = block * BlockLength;
        int end = Math.Min(target.Parameter.Length, start + BlockLength);
        GradientScale scale = target.Scale;
        if (scale.UnitFactors is not CpuStorage factors)
        {
            UpdateRange<TRule, TLanes>(rule, target, new(scale.First, scale.Second, scale.Bound), start, end);
            return;
        }

        while (start < end)
        {
            int unit = start / scale.UnitLength;
            int unitEnd = Math.Min(end, (unit + 1) * scale.UnitLength);
            ScaledGradient unitScale = new(
                scale.First * factors.Array[2 * unit], scale.Second * factors.Array[(2 * unit) + 1], scale.Bound);
            UpdateRange<TRule, TLanes>(rule, target, unitScale, start, unitEnd);
            start = unitEnd;
        }
    }

    private static void UpdateRange<TRule, TLanes>(
        TRule rule, in UpdateTarget target, ScaledGradient scale, int start, int end)
        where TRule : unmanaged, IUpdateRule
        where TLanes : struct, ILanes<TLanes>
    {
        ref float parameter = ref ((CpuStorage)target.Parameter).Array[start];
        ref float gradient = ref ((CpuStorage)target.Gradient).Array[start];

        // A slot that the rule does not have is never read or written; the parameter stands in as its address.
        ref float first = ref rule.StateCount > 0 ? ref ((CpuStorage)target.State[0]).Array[start] : ref parameter;
        ref float second = ref rule.StateCount > 1 ? ref ((CpuStorage)target.State[1]).Array[start] : ref parameter;
        ref float third = ref rule.StateCount > 2 ? ref ((CpuStorage)target.State[2]).Array[start] : ref parameter;
        UpdateLanes<TRule, TLanes>(
            rule, scale, ref parameter, ref gradient, ref first, ref second, ref third, (nuint)(end - start));
    }

    [MethodImpl(Loop)]
    private static void UpdateLanes<TRule, TLanes>(
        TRule rule,
        ScaledGradient scale,
        ref float parameter,
        ref float gradient,
        ref float first,
        ref float second,
        ref float third,
        nuint length)
        where TRule : unmanaged, IUpdateRule
        where TLanes : struct, ILanes<TLanes>
    {
        nuint width = (nuint)TLanes.Count;
        for (nuint i = 0; i < length; i += width)
        {
            TLanes p = Lanes.Read<TLanes>(in parameter, i, length, 1f);
            TLanes g = scale.Forward(Lanes.Read<TLanes>(in gradient, i, length, 1f));
            TLanes s0 = rule.StateCount > 0 ? Lanes.Read<TLanes>(in first, i, length, 1f) : default;
            TLanes s1 = rule.StateCount > 1 ? Lanes.Read<TLanes>(in second, i, length, 1f) : default;
            TLanes s2 = rule.StateCount > 2 ? Lanes.Read<TLanes>(in third, i, length, 1f) : default;
            rule.Update(ref p, g, ref s0, ref s1, ref s2);
            Lanes.Write(p, ref parameter, i, length);
            if (rule.StateCount > 0)
            {
                Lanes.Write(s0, ref first, i, length);
            }

            if (rule.StateCount > 1)
            {
                Lanes.Write(s1, ref second, i, length);
            }

            if (rule.StateCount > 2)
            {
                Lanes.Write(s2, ref third, i, length);
            }
        }
    }

    private readonly struct Body<TRule>(TRule rule, UpdateTarget target) : ILoopBody
        where TRule : unmanaged, IUpdateRule
    {
        public void Run<TLanes>(int block)
            where TLanes : struct, ILanes<TLanes> => UpdateBlock<TRule, TLanes>(rule, target, block);
    }
}
