using Minigrad.Autodiff;

namespace Minigrad;

/// <summary>
/// Finds the operation that first made a NaN or an infinity, not those that passed it on, with its layer and the line of the
/// program: for a loss or a gradient that is not finite.
/// </summary>
/// <remarks>
/// An infinity or a NaN is no anomaly as long as nothing depends on it: a mask of −∞ before a softmax may stay.
/// Tracing is for this thread only, as <see cref="NoGrad"/> is, so do not <c>await</c> inside, and changes no number. It looks at each result and each gradient
/// once, which on a GPU waits for the device, notes the line of each operation, and keeps each input until backward has passed.
/// </remarks>
/// <example>
/// <code>
/// using (Anomaly.Trace())
/// {
///     Loss.MeanSquare(model.Forward(x), target).Backward();   // throws AnomalyException, which says where it began
/// }
/// </code>
/// </example>
public static class Anomaly
{
    /// <summary>
    /// Traces until disposed. <see cref="Tensor.Backward"/> and <see cref="Tensor.Gradients"/> then throw
    /// <see cref="AnomalyException"/> if what they start from is not finite, and, after all gradients have been added, if one of
    /// those asked for is not. Operations themselves never throw: ask <see cref="Find(Tensor)"/> about a result.
    /// </summary>
    /// <returns>What ends the trace when it is disposed.</returns>
    public static IDisposable Trace() => new AnomalyTrace();

    /// <summary>Where the NaN or the infinity in a tensor came from that was computed while <see cref="Trace"/> was in force.</summary>
    /// <param name="tensor">Any result, or any gradient.</param>
    /// <returns>What was found, or null if all elements are finite.</returns>
    /// <exception cref="InvalidOperationException">An element is not finite, but the tensor was not computed while tracing.</exception>
    public static AnomalyReport? Find(Tensor tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        if (Taint.Of(tensor.Storage) is { } taint)
        {
            return new AnomalyReport($"{(tensor.Name is null ? "A tensor" : $"'{tensor.Name}'")} of shape {tensor.Shape}", taint);
        }

        return float.IsFinite(Inspection.Largest(tensor.Storage)) ? null : throw new InvalidOperationException(
            $"Anomaly.Find: this tensor of shape {tensor.Shape} is not finite, but no trace was open when it was computed, or it was changed in place since, so where that came from is not known. "
            + "Compute it inside `using (Anomaly.Trace())`, or pass what computes it: Anomaly.Find(() => loss).");
    }

    /// <summary>
    /// Computes something once more, traced, and its gradients too, and says where a NaN or an infinity came from. It costs nothing
    /// until it is needed: call it where a loss or a step turned out bad.
    /// </summary>
    /// <param name="compute">
    /// Computes the loss, as before. It is a forward pass like any other: dropout draws anew, and running statistics move once more.
    /// It may call <see cref="Tensor.Backward"/> itself.
    /// </param>
    /// <returns>
    /// What was found, or null if the result is finite and its gradients too. No tensor's gradient is touched, unless by what
    /// <paramref name="compute"/> calls.
    /// </returns>
    /// <example><code>catch (NonFiniteGradientException) { Console.WriteLine(Anomaly.Find(() => Loss.MeanSquare(model.Forward(x), target))); }</code></example>
    public static AnomalyReport? Find(Func<Tensor> compute)
    {
        ArgumentNullException.ThrowIfNull(compute);
        using IDisposable trace = Trace();
        try
        {
            Tensor result = compute();
            if (Find(result) is { } report)
            {
                return report;
            }

            if (result.Producer is { IsReleased: false })
            {
                BackwardPass.Search(result, Tensor.Filled(result.Shape, 1f, result.Backend));
            }

            return null;
        }
        catch (AnomalyException exception)
        {
            return exception.Report;
        }
    }
}
