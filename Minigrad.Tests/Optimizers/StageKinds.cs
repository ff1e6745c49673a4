using Minigrad.Optimizers;
using Minigrad.Optimizers.Clipping;

namespace Minigrad.Tests.Optimizers;

/// <summary>Every clipping stage that takes a threshold, and every kind of threshold, made anew by each call.</summary>
internal static class StageKinds
{
    /// <summary>Each stage around a threshold.</summary>
    public static Dictionary<string, Func<Threshold, ClipStage>> Stages { get; } = new()
    {
        ["global"] = threshold => Clip.GlobalNorm(threshold),
        ["global L1"] = threshold => Clip.GlobalNorm(threshold, order: 1),
        ["global L3"] = threshold => Clip.GlobalNorm(threshold, order: 3),
        ["global L∞"] = threshold => Clip.GlobalNorm(threshold, order: double.PositiveInfinity),
        ["parameter"] = threshold => Clip.ParameterNorm(threshold),
        ["parameter L1"] = threshold => Clip.ParameterNorm(threshold, order: 1),
        ["block RMS"] = Clip.BlockRms,
        ["average"] = Clip.AverageNorm,
        ["rows"] = threshold => Clip.UnitNorm(threshold),
        ["columns"] = threshold => Clip.UnitNorm(threshold, layout: UnitLayout.Columns),
        ["value"] = Clip.Value,
    };

    /// <summary>
    /// Each kind of threshold, with warm-ups and windows short enough to end in a few steps; the numbers suit norms near 1.
    /// </summary>
    public static Dictionary<string, Func<Threshold>> Thresholds { get; } = new()
    {
        ["fixed"] = () => 0.4,
        ["schedule"] = () => Schedule.Exponential(0.8, 0.7),
        ["percentile"] = () => Threshold.Percentile(30, window: 4),
        ["percentile, warm-up"] = () => Threshold.Percentile(60, window: 3, warmup: 2),
        ["z-score"] = () => Threshold.ZScore(0.5, warmup: 2, decay: 0.9),
        ["z-score, mean"] = () => Threshold.ZScore(0.2, SpikeTarget.Mean, warmup: 2, maximum: 0.9),
        ["z-score, limit"] = () => Threshold.ZScore(0.2, SpikeTarget.Limit, warmup: 1),
        ["moving average"] = () => Threshold.MovingAverage(0.9, absolute: 0.7, decay: 0.8, warmup: 2),
        ["streaming quantile"] = () => Threshold.StreamingQuantile(0.4, initial: 0.6),
        ["median"] = () => Threshold.MedianDeviation(0.5, window: 4, warmup: 2),
    };
}
