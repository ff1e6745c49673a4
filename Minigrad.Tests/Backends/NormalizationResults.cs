namespace Minigrad.Tests.Backends;

/// <summary>What a normalisation makes of a case; null is what it was not asked for.</summary>
/// <typeparam name="T">The number type.</typeparam>
/// <param name="Statistics">The means, then the variances.</param>
/// <param name="Y">The output.</param>
/// <param name="OfInput">The gradient of x.</param>
/// <param name="OfWeight">The gradient of the weight.</param>
/// <param name="OfBias">The gradient of the bias.</param>
internal sealed record NormalizationResults<T>(T[] Statistics, T[] Y, T[]? OfInput, T[]? OfWeight, T[]? OfBias)
{
    /// <summary>Means, variances, and the others in their order.</summary>
    public T[]?[] All =>
        [Statistics[..(Statistics.Length / 2)], Statistics[(Statistics.Length / 2)..], Y, OfInput, OfWeight, OfBias];
}
