using ILGPU;
using Minigrad.Numerics;
using Minigrad.Operations;

namespace Minigrad.Gpu.Kernels;

/// <summary>
/// Layer, batch and root-mean-square normalisation. Sums over a group of numbers are made by a group of threads, each over
/// every so manieth number, and a tree over the threads: their bits repeat.
/// </summary>
internal static class NormalizationKernels
{
    /// <summary>Mean and variance, a group of threads for each.</summary>
    public static void Statistics(NormalizationArguments arguments, ArrayView<float> statistics)
    {
        ArrayView<float> shared = SharedMemory.Allocate<float>(GroupTree.Capacity);
        int group = Grid.IdxX;
        Scalar mean = 0f;
        if (arguments.IsCentred != 0)
        {
            Scalar sum = 0f;
            for (int number = Group.IdxX; number < arguments.GroupLength; number += Group.DimX)
            {
                sum += new Scalar(arguments.X[arguments.Place(group, number)]);
            }

            mean = GroupTree.Combine(default(Sum), shared, sum, 1) / new Scalar(arguments.GroupLength);
        }

        Scalar squares = 0f;
        for (int number = Group.IdxX; number < arguments.GroupLength; number += Group.DimX)
        {
            Scalar deviation = new Scalar(arguments.X[arguments.Place(group, number)]) - mean;
            squares += deviation * deviation;
        }

        squares = GroupTree.Combine(default(Sum), shared, squares, 1);
        if (Group.IdxX == 0)
        {
            statistics[group] = mean.Value;
            statistics[arguments.Groups + group] = (squares / new Scalar(arguments.GroupLength)).Value;
        }
    }

    /// <summary>y = x̂ · weight + bias.</summary>
    public static void Normalize(Index1D i, NormalizationArguments arguments, int hasBias, ArrayView<float> bias, ArrayView<float> y)
    {
        Scalar shift = -0f;
        if (hasBias != 0)
        {
            shift = new Scalar(bias[arguments.WeightPlace(i)]);
        }

        y[i] = arguments.Group(arguments.GroupOf(i)).Output(new Scalar(arguments.X[i]), arguments.Weight(i), shift).Value;
    }

    /// <summary>The gradient of the input, a group of threads for each group.</summary>
    public static void InputGradient(NormalizationArguments arguments, ArrayView<float> gradient, ArrayView<float> result)
    {
        ArrayView<float> shared = SharedMemory.Allocate<float>(GroupTree.Capacity);
        int group = Grid.IdxX;
        StandardizedGroup<Scalar> standardized = arguments.Group(group);
        Scalar gradients = 0f;
        Scalar products = 0f;
        for (int number = Group.IdxX; number < arguments.GroupLength; number += Group.DimX)
        {
            int place = arguments.Place(group, number);
            Scalar h = new Scalar(gradient[place]) * arguments.Weight(place);
            gradients += h;
            products += h * standardized.Value(new Scalar(arguments.X[place]));
        }

        Scalar count = new(arguments.GroupLength);
        Scalar meanGradient = GroupTree.Combine(default(Sum), shared, gradients, 1) / count;
        Scalar meanProduct = GroupTree.Combine(default(Sum), shared, products, 1) / count;
        if (arguments.IsCentred == 0)
        {
            meanGradient = 0f;
        }

        for (int number = Group.IdxX; number < arguments.GroupLength; number += Group.DimX)
        {
            int place = arguments.Place(group, number);
            Scalar h = new Scalar(gradient[place]) * arguments.Weight(place);
            result[place] = standardized.InputGradient(new Scalar(arguments.X[place]), h, meanGradient, meanProduct).Value;
        }
    }

    /// <summary>The gradients of weights, Σ g · x̂, and biases, Σ g, a group of threads for each weight.</summary>
    public static void WeightGradient(
        NormalizationArguments arguments,
        ArrayView<float> gradient,
        int writesWeights,
        ArrayView<float> weights,
        int writesBiases,
        ArrayView<float> biases)
    {
        ArrayView<float> shared = SharedMemory.Allocate<float>(GroupTree.Capacity);
        int column = Grid.IdxX;
        int count = arguments.GroupLength;
        if (arguments.IsWeightPerGroup == 0)
        {
            count = arguments.Groups;
        }

        Scalar gradients = 0f;
        Scalar products = 0f;
        for (int number = Group.IdxX; number < count; number += Group.DimX)
        {
            int place = (number * arguments.Inner) + column;
            if (arguments.IsWeightPerGroup != 0)
            {
                place = arguments.Place(column, number);
            }

            Scalar g = new(gradient[place]);
            gradients += g;
            products += g * arguments.Group(arguments.GroupOf(place)).Value(new Scalar(arguments.X[place]));
        }

        gradients = GroupTree.Combine(default(Sum), shared, gradients, 1);
        products = GroupTree.Combine(default(Sum), shared, products, 1);
        if (Group.IdxX == 0)
        {
            if (writesWeights != 0)
            {
                weights[column] = products.Value;
            }

            if (writesBiases != 0)
            {
                biases[column] = gradients.Value;
            }
        }
    }
}
