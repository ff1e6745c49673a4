using MathNet.Numerics.LinearAlgebra;
using MathNet.Numerics.LinearAlgebra.Factorization;

namespace Minigrad.Layers;

/// <summary>
/// Ways to fill a parameter before training, in place. The fan-in of a weight <c>[out, in, …]</c> is in times the
/// remaining dimensions, its fan-out out times them.
/// </summary>
public static class Initialize
{
    /// <summary>Uniform within ±gain · √(6 / (fan-in + fan-out)) (Glorot and Bengio, 2010).</summary>
    /// <param name="weight">The parameter, of at least two dimensions.</param>
    /// <param name="gain">A factor for the activation that follows; see <see cref="Gain"/>.</param>
    /// <param name="generator">Where the numbers come from; <see cref="Generator.Default"/> if null.</param>
    /// <exception cref="ArgumentOutOfRangeException">The gain is negative or not finite.</exception>
    /// <exception cref="ShapeException">The parameter has fewer than two dimensions.</exception>
    public static void XavierUniform(Tensor weight, float gain = 1f, Generator? generator = null)
    {
        (int fanIn, int fanOut) = Fans(weight, nameof(XavierUniform));
        FillUniform(weight, Checked(gain, nameof(XavierUniform)) * Math.Sqrt(6.0 / (fanIn + fanOut)), generator);
    }

    /// <summary>Normal with deviation gain · √(2 / (fan-in + fan-out)) (Glorot and Bengio, 2010).</summary>
    /// <param name="weight">The parameter, of at least two dimensions.</param>
    /// <param name="gain">A factor for the activation that follows; see <see cref="Gain"/>.</param>
    /// <param name="generator">Where the numbers come from; <see cref="Generator.Default"/> if null.</param>
    /// <exception cref="ArgumentOutOfRangeException">The gain is negative or not finite.</exception>
    /// <exception cref="ShapeException">The parameter has fewer than two dimensions.</exception>
    public static void XavierNormal(Tensor weight, float gain = 1f, Generator? generator = null)
    {
        (int fanIn, int fanOut) = Fans(weight, nameof(XavierNormal));
        FillNormal(weight, Checked(gain, nameof(XavierNormal)) * Math.Sqrt(2.0 / (fanIn + fanOut)), generator);
    }

    /// <summary>Uniform within ±gain · √(3 / fan-in) (He et al., 2015, arXiv:1502.01852).</summary>
    /// <param name="weight">The parameter, of at least two dimensions.</param>
    /// <param name="activation">What follows the layer: it sets the gain.</param>
    /// <param name="negativeSlope">The slope of a leaky relu.</param>
    /// <param name="fromFanOut">Whether to use the fan-out, which keeps the size of gradients rather than of activations.</param>
    /// <param name="generator">Where the numbers come from; <see cref="Generator.Default"/> if null.</param>
    /// <exception cref="ShapeException">The parameter has fewer than two dimensions.</exception>
    /// <exception cref="ArgumentOutOfRangeException">There is no such activation, or the slope of a leaky relu is not finite.</exception>
    public static void KaimingUniform(
        Tensor weight,
        Activation activation = Activation.Relu,
        float negativeSlope = 0.01f,
        bool fromFanOut = false,
        Generator? generator = null)
    {
        (int fanIn, int fanOut) = Fans(weight, nameof(KaimingUniform));
        double deviation = Gain(activation, negativeSlope) / Math.Sqrt(fromFanOut ? fanOut : fanIn);
        FillUniform(weight, Math.Sqrt(3) * deviation, generator);
    }

    /// <summary>Normal with deviation gain / √fan-in (He et al., 2015, arXiv:1502.01852).</summary>
    /// <param name="weight">The parameter, of at least two dimensions.</param>
    /// <param name="activation">What follows the layer: it sets the gain.</param>
    /// <param name="negativeSlope">The slope of a leaky relu.</param>
    /// <param name="fromFanOut">Whether to use the fan-out, which keeps the size of gradients rather than of activations.</param>
    /// <param name="generator">Where the numbers come from; <see cref="Generator.Default"/> if null.</param>
    /// <exception cref="ShapeException">The parameter has fewer than two dimensions.</exception>
    /// <exception cref="ArgumentOutOfRangeException">There is no such activation, or the slope of a leaky relu is not finite.</exception>
    public static void KaimingNormal(
        Tensor weight,
        Activation activation = Activation.Relu,
        float negativeSlope = 0.01f,
        bool fromFanOut = false,
        Generator? generator = null)
    {
        (int fanIn, int fanOut) = Fans(weight, nameof(KaimingNormal));
        FillNormal(weight, Gain(activation, negativeSlope) / Math.Sqrt(fromFanOut ? fanOut : fanIn), generator);
    }

    /// <summary>
    /// gain · Q with Q a random matrix of orthonormal rows or columns, whichever are fewer (Saxe, McClelland and Ganguli,
    /// 2013, arXiv:1312.6120): the QR decomposition of normal numbers, with R's diagonal made positive.
    /// </summary>
    /// <param name="weight">The parameter, of at least two dimensions; all but the first are joined.</param>
    /// <param name="gain">A factor.</param>
    /// <param name="generator">Where the numbers come from; <see cref="Generator.Default"/> if null.</param>
    /// <exception cref="ArgumentOutOfRangeException">The gain is negative or not finite.</exception>
    /// <exception cref="ShapeException">The parameter has fewer than two dimensions.</exception>
    public static void Orthogonal(Tensor weight, float gain = 1f, Generator? generator = null)
    {
        Fans(weight, nameof(Orthogonal));
        Checked(gain, nameof(Orthogonal));
        if (weight.Length == 0)
        {
            return;
        }

        int rows = weight.Shape[0];
        int columns = weight.Length / rows;
        int tall = Math.Max(rows, columns);
        int thin = Math.Min(rows, columns);
        float[] normal = Tensor.Normal([tall, thin], generator: generator).ToArray();
        Matrix<double> matrix = Matrix<double>.Build.Dense(tall, thin, (i, j) => normal[(i * thin) + j]);
        QR<double> decomposition = matrix.QR(QRMethod.Thin);
        float[] values = new float[weight.Length];
        for (int i = 0; i < tall; i++)
        {
            for (int j = 0; j < thin; j++)
            {
                double value = gain * decomposition.Q[i, j] * (decomposition.R[j, j] < 0 ? -1 : 1);
                values[rows >= columns ? (i * columns) + j : (j * columns) + i] = (float)value;
            }
        }

        Assign(weight, Tensor.Of(values, weight.Shape));
    }

    /// <summary>Uniform within ±1/√fan-in: PyTorch's default for linear and recurrent layers.</summary>
    /// <param name="tensor">The parameter.</param>
    /// <param name="fanIn">The fan-in of the layer, also for its bias; at least 1.</param>
    /// <param name="generator">Where the numbers come from; <see cref="Generator.Default"/> if null.</param>
    /// <exception cref="ArgumentOutOfRangeException">The fan-in is less than 1; the parameter has not changed.</exception>
    public static void FanInUniform(Tensor tensor, int fanIn, Generator? generator = null)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        if (fanIn < 1)
        {
            throw new ArgumentOutOfRangeException(
                nameof(fanIn), fanIn, $"Initialize.FanInUniform: numbers within ±1/√fan-in need a fan-in of at least 1, but it is {fanIn}. Give the number of inputs of the layer, weight.Shape[1] of a weight [out, in].");
        }

        FillUniform(tensor, 1 / Math.Sqrt(fanIn), generator);
    }

    /// <summary>The factor that keeps the size of signals through an activation, as in PyTorch.</summary>
    /// <param name="activation">The activation.</param>
    /// <param name="negativeSlope">The slope of a leaky relu.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such activation, or the slope of a leaky relu is not finite.</exception>
    public static float Gain(Activation activation, float negativeSlope = 0.01f) => activation switch
    {
        Activation.Tanh => 5f / 3f,
        Activation.Relu => MathF.Sqrt(2f),
        Activation.LeakyRelu when !float.IsFinite(negativeSlope) => throw new ArgumentOutOfRangeException(
            nameof(negativeSlope), negativeSlope, $"Initialize: a leaky relu has a finite slope for x ≤ 0, but {negativeSlope} was given; 0.01 is usual."),
        Activation.LeakyRelu => MathF.Sqrt(2f / (1f + (negativeSlope * negativeSlope))),
        Activation.Linear or Activation.Sigmoid => 1f,
        _ => throw new ArgumentOutOfRangeException(nameof(activation), activation, "There is no such activation."),
    };

    private static (int FanIn, int FanOut) Fans(Tensor weight, string operation)
    {
        ArgumentNullException.ThrowIfNull(weight);
        if (weight.Rank < 2)
        {
            throw new ShapeException(
                $"Initialize.{operation}: a weight of at least two dimensions, [out, in], is needed to know its fans, but the shape is {weight.Shape}. Biases are usually zero, or FanInUniform with the weight's fan-in.");
        }

        int rest = weight.Shape.Product(2, weight.Rank);
        return (weight.Shape[1] * rest, weight.Shape[0] * rest);
    }

    private static float Checked(float gain, string operation) => gain >= 0 && float.IsFinite(gain)
        ? gain
        : throw new ArgumentOutOfRangeException(
            nameof(gain),
            gain,
            $"Initialize.{operation}: the gain is {gain}, but what random numbers are multiplied by must be finite and not negative. "
            + "Initialize.Gain knows those of activations.");

    private static void FillUniform(Tensor tensor, double bound, Generator? generator) =>
        Assign(tensor, Tensor.Uniform(tensor.Shape, -(float)bound, (float)bound, generator));

    private static void FillNormal(Tensor tensor, double deviation, Generator? generator) =>
        Assign(tensor, Tensor.Normal(tensor.Shape, 0f, (float)deviation, generator));

    private static void Assign(Tensor tensor, Tensor values)
    {
        using NoGrad scope = new();
        tensor.Assign(values);
    }
}
