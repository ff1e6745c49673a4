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

    /// <summary>Adds an update, which a clip has changed unless all of it is made.</summary>
    /// <param name="size">The update's size.</param>
    /// <param name="threshold">Its threshold.</param>
    /// <param name="coefficient">Which part of it is made.</param>
    public void AddUpdate(double size, double threshold, double coefficient)
    {
        Add(size, threshold, coefficient);
        Acted |= coefficient != 1;
    }

    /// <summary>What there is to report.</summary>
    /// <param name="name">What the stage is called.</param>
    public readonly StageReport Report(string name) => new(name, Norm, Threshold, Coefficient, Acted);
}
