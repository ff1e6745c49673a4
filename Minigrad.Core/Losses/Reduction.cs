namespace Minigrad.Losses;

/// <summary>How the losses of single elements or rows become one.</summary>
public enum Reduction
{
    /// <summary>Their mean; for classes with weights, the weighted mean.</summary>
    Mean,

    /// <summary>Their sum.</summary>
    Sum,

    /// <summary>Not at all: the loss has an element for each.</summary>
    None,

    /// <summary>Their sum divided by the length of dimension 0, which is what a divergence of distributions needs.</summary>
    BatchMean,
}
