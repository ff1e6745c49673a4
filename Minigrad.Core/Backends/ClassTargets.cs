namespace Minigrad.Backends;

/// <summary>
/// What cross-entropy compares rows of logits with: a distribution over the classes for each row, scaled by weights. It is
/// t = w[label] · <see cref="LabelShare"/> at the label, and w[c] · <see cref="ClassShare"/> is added at every class c.
/// </summary>
/// <param name="Labels">The class of each row, checked to be one, or −1 for a row that is left out.</param>
/// <param name="LabelShare">How much of the target is at the label: 1 − ε.</param>
/// <param name="ClassShare">How much of it is at each class: ε / classes.</param>
/// <param name="Weights">The weight w of each class, or null where all are 1.</param>
/// <param name="TotalWeight">The sum of the weights.</param>
public readonly record struct ClassTargets(
    RowNumbers Labels, float LabelShare, float ClassShare, Storage? Weights, float TotalWeight);
