namespace Minigrad.Optimizers;

/// <summary>A group's own settings.</summary>
/// <param name="LearningRate">Its learning rate, or null for the optimizer's.</param>
/// <param name="WeightDecay">Its weight decay, or null for the optimizer's.</param>
public sealed record GroupState(double? LearningRate, double? WeightDecay);
