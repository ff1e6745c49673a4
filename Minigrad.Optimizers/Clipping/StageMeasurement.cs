using Minigrad.Backends;

namespace Minigrad.Optimizers.Clipping;

/// <summary>What a stage measured and decided, gathered over what it compared.</summary>
internal struct StageMeasurement()
{
    /// <summary>The norm that was compared with the threshold, the largest of several.</summary>
    public double Norm { get; set; }

    /// <summary>The threshold, the smallest of several.</summary>
    public double Threshold { get; set; } = double.PositiveInfinity;

    /// <summary>The factor, the smallest of several.</summary>
    public double Coefficient { get; set; } = 1;

    /// <summary>Whether a gradient was scaled or bounded.</summary>
    public bool Acted { get; set; }

    /// <summary>Adds a comparison. NaN wins over every number.</summary>
    /// <param name="norm">The norm.</param>
    /// <param name="threshold">Its threshold.</param>
    /// <param name="coefficient">The factor that follows.</param>
    public void Add(double norm, double threshold, double coefficient)
    {
        Norm = Math.Max(Norm, norm);
        Threshold = Math.Min(Threshold, threshold);
        Coefficient = Math.Min(Coefficient, coefficient);
    }

    /// <summary>Adds an update, which has been changed unless all of its size is left.</summary>
    /// <param name="update">What followed from its size.</param>
    public void AddUpdate(UpdateRecord update)
    {
        Add(update.Size, update.Threshold, update.Coefficient);
        Acted |= update.Coefficient != 1;
    }

    /// <summary>What there is to report.</summary>
    /// <param name="name">What the stage is called.</param>
    public readonly StageReport Report(string name) => new(name, Norm, Threshold, Coefficient, Acted);
}
