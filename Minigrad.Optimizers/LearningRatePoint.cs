namespace Minigrad.Optimizers;

/// <summary>One step of a <see cref="LearningRateFinder"/>.</summary>
/// <param name="Rate">The learning rate of the step.</param>
/// <param name="Loss">The loss that the step went down from.</param>
/// <param name="Smoothed">The running mean of the losses up to this one.</param>
public sealed record LearningRatePoint(double Rate, double Loss, double Smoothed);
