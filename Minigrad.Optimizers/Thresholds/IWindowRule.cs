namespace Minigrad.Optimizers.Thresholds;

/// <summary>A rule that remembers the last norms.</summary>
internal interface IWindowRule
{
    /// <summary>Where it has them.</summary>
    NormWindow Window { get; }
}
