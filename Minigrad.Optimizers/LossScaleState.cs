namespace Minigrad.Optimizers;

/// <summary>How far a dynamic loss scale has come.</summary>
/// <param name="Scale">The scale in force.</param>
/// <param name="GoodSteps">How many good steps in a row count towards its growth.</param>
public sealed record LossScaleState(double Scale, int GoodSteps);
