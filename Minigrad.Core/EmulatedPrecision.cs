using System.Runtime.CompilerServices;
using Minigrad.Autodiff;
using Minigrad.Backends;
using Minigrad.Operations;

namespace Minigrad;

/// <summary>
/// Until disposed, operations on this thread compute as if numbers were kept in half precision: each rounds what it reads,
/// activations and weights alike, and what it writes. Backward through them rounds every gradient, wherever it is called.
/// For seeing and testing what half precision does to a training; tensors stay float32, and rounding costs time.
/// </summary>
/// <remarks>
/// <para>Parameters themselves are not rounded, nor is what an optimizer does: they are the float32 master weights of
/// Micikevicius et al. (2017, arXiv:1710.03740), of which each operation reads a rounded copy. Within one operation sums are
/// float32, as in hardware: a product's sums over its depth, the normalisers of a softmax, the statistics of a
/// normalisation.</para>
/// <para>Weights that products read again unchanged are kept rounded, with the same results: those in bfloat16 in 16 bits, and those
/// in IEEE half if the first of these products has up to eight rows and half a million weights or more for each. So a forward
/// pass of a few rows through layers of a thousand units or more is faster in either than in float32.</para>
/// <para>A loss is usually left outside, in float32: compute the model's output inside the scope and the loss of it after.
/// <see cref="Precision.Full"/> makes a scope of float32 inside another.</para>
/// <para>As in <see cref="NoGrad"/>, do not <c>await</c> inside, which may leave this thread in the scope.</para>
/// </remarks>
/// <example>
/// <code>
/// Tensor output;
/// using (new EmulatedPrecision(Precision.Half)) { output = model.Forward(input); }
/// optimizer.Scale(Loss.CrossEntropy(output, labels)).Backward();
/// optimizer.Step();
/// </code>
/// </example>
public sealed class EmulatedPrecision : IDisposable
{
    [ThreadStatic]
    private static Precision current;

    private readonly Precision before;
    private bool isDisposed;

    /// <summary>Begins the scope.</summary>
    /// <param name="precision">The format.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such format.</exception>
    public EmulatedPrecision(Precision precision)
    {
        if (precision > Precision.BFloat16)
        {
            throw new ArgumentOutOfRangeException(
                nameof(precision), precision, $"EmulatedPrecision: {precision} is no precision; there are {string.Join(", ", Enum.GetNames<Precision>())}.");
        }

        before = Set(precision);
    }

    /// <summary>The format in force on this thread.</summary>
    internal static Precision Current => current;

    /// <summary>
    /// Goes back to what was in force before; once, so that a second call does not end another scope. Scopes end in the reverse of
    /// the order in which they began, as <c>using</c> does it.
    /// </summary>
    public void Dispose()
    {
        if (!isDisposed)
        {
            isDisposed = true;
            Set(before);
        }
    }

    /// <summary>Sets the format and returns what was in force before.</summary>
    internal static Precision Set(Precision precision)
    {
        Precision before = current;
        current = precision;
        return before;
    }

    /// <summary>What computes with the numbers of a backend: the backend itself, or that with rounding around each loop.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Backend Loops(Backend backend) => current == Precision.Full ? backend : RoundingLoops(backend);

    /// <summary>A tensor with its numbers rounded to the format in force; the gradient flows through.</summary>
    internal static Tensor Round(Tensor tensor) =>
        current == Precision.Half ? tensor.Map(default(RoundToHalf)) : tensor.Map(default(RoundToBFloat16));

    private static Backend RoundingLoops(Backend backend) => current == Precision.Half
        ? new RoundingBackend<RoundToHalf>(backend, AnomalyTrace.Current?.Roundings)
        : new RoundingBackend<RoundToBFloat16>(backend, AnomalyTrace.Current?.Roundings);
}
