namespace Minigrad.Optimizers.Monitoring;

/// <summary>The units of a layer that gave 0 for every example for some time.</summary>
/// <param name="Layer">The layer's path; its kind if it has none.</param>
/// <param name="Units">The dead units by their numbers, from 0.</param>
/// <param name="UnitCount">How many units the layer has.</param>
public sealed record DeadUnits(string Layer, IReadOnlyList<int> Units, int UnitCount);
