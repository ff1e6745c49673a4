using Minigrad.Backends;
using Minigrad.Operations;

namespace Minigrad.Optimizers.Clipping;

/// <summary>A stage that decides from the norm of each gradient and of all together.</summary>
/// <typeparam name="TDecision">What it decides.</typeparam>
/// <param name="name">The name of the method that makes it.</param>
/// <param name="threshold">What it clips to.</param>
/// <param name="decision">What it decides.</param>
/// <param name="order">The order of the norms that it decides from.</param>
/// <param name="details">What else there is to say, with a comma before it.</param>
internal sealed class DecisionStage<TDecision>(
    string name, Threshold threshold, TDecision decision, double order, string details = "")
    : ThresholdStage(name, threshold, decision.IsCommon ? ThresholdScope.Together : ThresholdScope.Parameter, order, details)
    where TDecision : unmanaged, IClipDecision
{
    /// <inheritdoc/>
    public override void Defer(DeferredSteps steps, DeferredStage stage) => History.Rule.Decide(steps, decision, stage);

    /// <inheritdoc/>
    protected override double Clip(GradientSet gradients, out StageMeasurement measured)
    {
        ReadOnlySpan<double> norms = gradients.Norms(Order);
        double total = GradientSet.NormOfNorms(norms, Order);
        measured = new();
        double common = 1;
        double threshold = double.PositiveInfinity;
        if (decision.IsCommon)
        {
            double measure = decision.Measure<SystemMath>(total, 1);
            threshold = History.ThresholdOfAll(measure);
            common = decision.Factor(measure, threshold);
            gradients.Coefficient *= common;
            measured.Add(measure, threshold, common);
        }

        for (int i = 0; i < norms.Length; i++)
        {
            PendingGradient gradient = gradients.Gradients[i];
            double factor = common;
            if (!decision.IsCommon)
            {
                double measure = decision.Measure<SystemMath>(norms[i], gradient.Gradient.Length);
                threshold = History.ThresholdOf(measure, decision.Together(measure, total), History.MemoryOf(gradient.Parameter), 0);
                factor = decision.Factor(measure, threshold);
                measured.Add(measure, threshold, factor);
            }

            double low = decision.Low(norms[i], threshold);
            double high = decision.High(norms[i], threshold);
            measured.Acted |= factor != 1;
            gradients.Scale(gradient, factor);
            gradient.Bound(low, high, gradients.StageNumber);
        }

        return total;
    }
}
