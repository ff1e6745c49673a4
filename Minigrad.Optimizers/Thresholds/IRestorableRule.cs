namespace Minigrad.Optimizers.Thresholds;

/// <summary>A rule that knows of some numbers that it can't have left them in its memory, as damage of a file does.</summary>
internal interface IRestorableRule
{
    /// <summary>Whether it may have left these numbers.</summary>
    /// <param name="memory">Finite numbers that are not negative.</param>
    bool IsMemory(HostThresholdMemory memory);
}
