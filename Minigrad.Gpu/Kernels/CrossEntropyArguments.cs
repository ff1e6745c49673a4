using ILGPU;

namespace Minigrad.Gpu.Kernels;

/// <summary>Logits and <see cref="Backends.ClassTargets"/> as a kernel argument.</summary>
/// <param name="x">The logits.</param>
/// <param name="normalizers">The largest value of each row, then the logarithm of each row's sum.</param>
/// <param name="labels">The class of each row, or −1.</param>
/// <param name="weights">The weight of each class; any view if all are 1.</param>
/// <param name="hasWeights">1 if there are weights, else 0.</param>
/// <param name="labelShare">How much of the target is at the label.</param>
/// <param name="classShare">How much of it is at each class.</param>
/// <param name="totalWeight">The sum of the weights.</param>
/// <param name="columns">The number of classes.</param>
internal readonly struct CrossEntropyArguments(
    ArrayView<float> x,
    ArrayView<float> normalizers,
    ArrayView<int> labels,
    ArrayView<float> weights,
    int hasWeights,
    float labelShare,
    float classShare,
    float totalWeight,
    int columns)
{
    /// <summary>The logits.</summary>
    public readonly ArrayView<float> X = x;

    /// <summary>The largest value of each row, then the logarithm of each row's sum.</summary>
    public readonly ArrayView<float> Normalizers = normalizers;

    /// <summary>The class of each row, or −1.</summary>
    public readonly ArrayView<int> Labels = labels;

    /// <summary>The weight of each class; read only if there are weights.</summary>
    public readonly ArrayView<float> Weights = weights;

    /// <summary>1 if there are weights, else 0.</summary>
    public readonly int HasWeights = hasWeights;

    /// <summary>How much of the target is at the label.</summary>
    public readonly float LabelShare = labelShare;

    /// <summary>How much of it is at each class.</summary>
    public readonly float ClassShare = classShare;

    /// <summary>The sum of the weights.</summary>
    public readonly float TotalWeight = totalWeight;

    /// <summary>The number of classes.</summary>
    public readonly int Columns = columns;

    /// <summary>The number of rows.</summary>
    public int Rows => Labels.IntLength;

    /// <summary>The weight of a class.</summary>
    /// <param name="column">The class.</param>
    public float Weight(int column)
    {
        float weight = 1f;
        if (HasWeights != 0)
        {
            weight = Weights[column];
        }

        return weight;
    }
}
