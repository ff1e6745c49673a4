using Minigrad.Autodiff;
using Minigrad.Backends;
using Minigrad.Operations;

namespace Minigrad;

/// <content>Elementwise arithmetic and functions.</content>
public sealed partial class Tensor
{
    /// <summary>a + b, broadcast.</summary>
    /// <exception cref="ShapeException">The shapes do not broadcast.</exception>
    public static Tensor operator +(Tensor a, Tensor b) => AddOrSubtract(a, b, subtract: false);

    /// <summary>a − b, broadcast.</summary>
    /// <exception cref="ShapeException">The shapes do not broadcast.</exception>
    public static Tensor operator -(Tensor a, Tensor b) => AddOrSubtract(a, b, subtract: true);

    /// <summary>a · b element by element, broadcast.</summary>
    /// <exception cref="ShapeException">The shapes do not broadcast.</exception>
    public static Tensor operator *(Tensor a, Tensor b)
    {
        Tensor y = Zip(a, b, default(Multiply));
        return IsRecorded(a, b) ? new MultiplyNode(a, b).Output(y) : y;
    }

    /// <summary>a / b element by element, broadcast.</summary>
    /// <exception cref="ShapeException">The shapes do not broadcast.</exception>
    public static Tensor operator /(Tensor a, Tensor b)
    {
        Tensor y = Zip(a, b, default(Divide));
        return IsRecorded(a, b) ? new DivideNode(a, b).SaveOutput(y) : y;
    }

    /// <summary>−x.</summary>
    public static Tensor operator -(Tensor x) => NotNull(x).Map(default(Negate));

    /// <summary>a + c for a number c.</summary>
    public static Tensor operator +(Tensor a, float c) => NotNull(a).Map(new WithSecond<Add>(default, c));

    /// <summary>c + b for a number c.</summary>
    public static Tensor operator +(float c, Tensor b) => NotNull(b).Map(new WithFirst<Add>(default, c));

    /// <summary>a − c for a number c.</summary>
    public static Tensor operator -(Tensor a, float c) => NotNull(a).Map(new WithSecond<Subtract>(default, c));

    /// <summary>c − b for a number c.</summary>
    public static Tensor operator -(float c, Tensor b) => NotNull(b).Map(new WithFirst<Subtract>(default, c));

    /// <summary>a · c for a number c.</summary>
    public static Tensor operator *(Tensor a, float c) => NotNull(a).Map(new ByNumber<Multiply>(default, c));

    /// <summary>c · b for a number c.</summary>
    public static Tensor operator *(float c, Tensor b) => NotNull(b).Map(new ByNumber<Multiply>(default, c));

    /// <summary>a / c for a number c.</summary>
    public static Tensor operator /(Tensor a, float c) => NotNull(a).Map(new ByNumber<Divide>(default, c));

    /// <summary>c / b for a number c.</summary>
    public static Tensor operator /(float c, Tensor b) => NotNull(b).Map(new WithFirst<Divide>(default, c));

    /// <summary>
    /// Applies a function of your own to two tensors, broadcast: write a <c>public readonly struct</c> that implements
    /// <see cref="IBinaryOp"/>, and it is vectorised, runs on any backend, and differentiates itself.
    /// </summary>
    /// <typeparam name="TOp">The function.</typeparam>
    /// <param name="a">The first operand.</param>
    /// <param name="b">The second operand; broadcast with the first.</param>
    /// <param name="op">The function and its constants.</param>
    /// <exception cref="ShapeException">The shapes do not broadcast.</exception>
    public static Tensor Map<TOp>(Tensor a, Tensor b, TOp op)
        where TOp : unmanaged, IBinaryOp
    {
        Tensor y = Zip(a, b, op);
        return IsRecorded(a, b) ? new BinaryNode<TOp>(op, a, b).Output(y) : y;
    }

    /// <summary>a where the condition is not 0, b elsewhere; all three broadcast. The condition gets no gradient.</summary>
    /// <param name="condition">0 or another number for each element.</param>
    /// <param name="a">What to take where the condition holds.</param>
    /// <param name="b">What to take elsewhere.</param>
    /// <exception cref="ShapeException">The shapes do not broadcast.</exception>
    public static Tensor Where(Tensor condition, Tensor a, Tensor b)
    {
        Tensor y = Combine(condition, a, b, default(Where));
        return IsRecorded(a, b) ? new WhereNode(condition, a, b).Output(y) : y;
    }

    /// <summary>The larger of two elements; NaN if either is NaN. At a tie each gets half of the gradient.</summary>
    /// <param name="a">The first operand.</param>
    /// <param name="b">The second operand; broadcast with the first.</param>
    /// <exception cref="ShapeException">The shapes do not broadcast.</exception>
    public static Tensor Maximum(Tensor a, Tensor b) => Map(a, b, default(Maximum));

    /// <summary>The smaller of two elements; NaN if either is NaN. At a tie each gets half of the gradient.</summary>
    /// <param name="a">The first operand.</param>
    /// <param name="b">The second operand; broadcast with the first.</param>
    /// <exception cref="ShapeException">The shapes do not broadcast.</exception>
    public static Tensor Minimum(Tensor a, Tensor b) => Map(a, b, default(Minimum));

    /// <summary>
    /// Applies a function of your own to every element: write a <c>public readonly struct</c> that implements
    /// <see cref="IUnaryOp"/>, and it is vectorised, runs on any backend, and differentiates itself.
    /// </summary>
    /// <typeparam name="TOp">The function.</typeparam>
    /// <param name="op">The function and its constants.</param>
    public Tensor Map<TOp>(TOp op)
        where TOp : unmanaged, IUnaryOp
    {
        Tensor y = Allocate(Shape, Backend);
        Loops.Map(op, Storage, y.Storage);
        return IsRecorded(this) ? new UnaryNode<TOp>(op, this).Output(y) : y;
    }

    /// <summary>As <see cref="Map{TOp}(TOp)"/>, for a function that declares its slope from its output: backward then keeps the output only.</summary>
    /// <typeparam name="TOp">The function.</typeparam>
    /// <param name="op">The function and its constants.</param>
    public Tensor MapFromOutput<TOp>(TOp op)
        where TOp : unmanaged, IOutputSlope
    {
        Tensor y = Allocate(Shape, Backend);
        Loops.Map(op, Storage, y.Storage);
        return IsRecorded(this) ? new OutputSlopeNode<TOp>(op, this).SaveOutput(y) : y;
    }

    /// <summary>|x|; the gradient at 0 is 0.</summary>
    public Tensor Abs() => Map(default(Absolute));

    /// <summary>eˣ.</summary>
    public Tensor Exp() => MapFromOutput(default(Exponential));

    /// <summary>ln x: −∞ at 0, NaN below.</summary>
    public Tensor Log() => Map(default(Logarithm));

    /// <summary>ln(1 + x), accurate near 0.</summary>
    public Tensor Log1P() => Map(default(LogarithmOfOnePlus));

    /// <summary>√x; the gradient at 0 is +∞.</summary>
    public Tensor Sqrt() => MapFromOutput(default(SquareRoot));

    /// <summary>1/√x.</summary>
    public Tensor Rsqrt() => MapFromOutput(default(ReciprocalSquareRoot));

    /// <summary>1/x.</summary>
    public Tensor Reciprocal() => MapFromOutput(default(Reciprocal));

    /// <summary>x².</summary>
    public Tensor Square() => Map(default(Square));

    /// <summary>sin x, x in radians.</summary>
    public Tensor Sin() => Map(default(Sine));

    /// <summary>cos x, x in radians.</summary>
    public Tensor Cos() => Map(default(Cosine));

    /// <summary>tanh x.</summary>
    public Tensor Tanh() => MapFromOutput(default(HyperbolicTangent));

    /// <summary>1 / (1 + e⁻ˣ).</summary>
    public Tensor Sigmoid() => MapFromOutput(default(LogisticSigmoid));

    /// <summary>max(x, 0); the gradient at 0 is 0.</summary>
    public Tensor Relu() => MapFromOutput(default(Rectifier));

    /// <summary>x · sigmoid(x), also called swish.</summary>
    public Tensor Silu() => Map(default(SigmoidLinear));

    /// <summary>−1, 0 or +1; its gradient is 0.</summary>
    public Tensor Sign() => Map(default(Sign));

    /// <summary>x for x &gt; 0, slope · x elsewhere.</summary>
    /// <param name="negativeSlope">The slope for x ≤ 0.</param>
    public Tensor LeakyRelu(float negativeSlope = 0.01f) => Map(new LeakyRectifier(negativeSlope));

    /// <summary>x for x &gt; 0, α · (eˣ − 1) elsewhere.</summary>
    /// <param name="alpha">α.</param>
    public Tensor Elu(float alpha = 1f) => Map(new ExponentialLinear(alpha));

    /// <summary>x · Φ(x), with Φ the normal distribution function.</summary>
    /// <param name="approximate">Whether to use the approximation by tanh.</param>
    public Tensor Gelu(bool approximate = false) =>
        approximate ? Map(default(GaussianLinearTanh)) : Map(default(GaussianLinear));

    /// <summary>ln(1 + e^(βx)) / β; x where βx exceeds the threshold.</summary>
    /// <param name="beta">β, how sharp the bend is; a finite number, not 0.</param>
    /// <param name="threshold">The value of βx above which the result is x.</param>
    /// <exception cref="ArgumentOutOfRangeException">β is 0 or not finite.</exception>
    public Tensor Softplus(float beta = 1f, float threshold = 20f) => Map(new SoftRectifier(SoftRectifier.Checked(beta), threshold));

    /// <summary>min(max(x, minimum), maximum); NaN stays NaN. The gradient at an edge is 1.</summary>
    /// <param name="minimum">The lower edge.</param>
    /// <param name="maximum">The upper edge.</param>
    public Tensor Clamp(float minimum = float.NegativeInfinity, float maximum = float.PositiveInfinity) =>
        Map(new ClampBetween(minimum, maximum));

    /// <summary>xᵖ for a number p. 0⁰ is 1; a negative base is right for whole exponents and NaN for others.</summary>
    /// <param name="exponent">p.</param>
    public Tensor Pow(float exponent) => exponent == 2f ? Square() : Map(new WithSecond<Power>(default, exponent));

    /// <summary>xʸ element by element, broadcast.</summary>
    /// <param name="exponent">y.</param>
    /// <exception cref="ShapeException">The shapes do not broadcast.</exception>
    public Tensor Pow(Tensor exponent) => Map(this, exponent, default(Power));

    /// <summary>1 where this is less than the other, 0 elsewhere; broadcast. Its gradient is 0.</summary>
    /// <param name="other">What to compare with.</param>
    /// <exception cref="ShapeException">The shapes do not broadcast.</exception>
    public Tensor Less(Tensor other) => Zip(this, other, default(IsLess));

    /// <summary>1 where this is greater than the other, 0 elsewhere; broadcast. Its gradient is 0.</summary>
    /// <param name="other">What to compare with.</param>
    /// <exception cref="ShapeException">The shapes do not broadcast.</exception>
    public Tensor Greater(Tensor other) => Zip(other, this, default(IsLess));

    /// <summary>1 where the elements are equal, 0 elsewhere; broadcast. Its gradient is 0.</summary>
    /// <param name="other">What to compare with.</param>
    /// <exception cref="ShapeException">The shapes do not broadcast.</exception>
    public Tensor EqualTo(Tensor other) => Zip(this, other, default(IsEqual));

    /// <summary>A copy with numbers of its own, through which gradients flow.</summary>
    public Tensor Clone() => Map(default(Identity));

    /// <summary>An elementwise loop over two operands, not recorded.</summary>
    internal static Tensor Zip<TOp>(Tensor a, Tensor b, TOp op)
        where TOp : unmanaged, IBinaryOp
    {
        string operation = OperationName.Of<TOp>();
        Backend backend = CommonBackend(NotNull(a), NotNull(b), operation);
        Tensor y = Allocate(Shape.Broadcast(a.Shape, b.Shape, operation), backend);
        backend.Zip(op, a.BroadcastTo(y.Shape), b.BroadcastTo(y.Shape), y.Storage);
        return y;
    }

    /// <summary>An elementwise loop over three operands, not recorded.</summary>
    internal static Tensor Combine<TOp>(Tensor a, Tensor b, Tensor c, TOp op)
        where TOp : unmanaged, ITernaryOp
    {
        string operation = OperationName.Of<TOp>();
        Backend backend = CommonBackend(NotNull(a), NotNull(b), operation);
        CommonBackend(a, NotNull(c), operation);
        Shape shape = Shape.Broadcast(Shape.Broadcast(a.Shape, b.Shape, operation), c.Shape, operation);
        Tensor y = Allocate(shape, backend);
        backend.Combine(op, a.BroadcastTo(shape), b.BroadcastTo(shape), c.BroadcastTo(shape), y.Storage);
        return y;
    }

    /// <summary>Sums whatever broadcasting repeated, so that a gradient has the shape of its operand again.</summary>
    internal Tensor SumTo(Shape shape)
    {
        if (Shape.Equals(shape))
        {
            return this;
        }

        int extra = Rank - shape.Rank;
        int[] axes = new int[Rank];
        int count = 0;
        for (int axis = 0; axis < Rank; axis++)
        {
            if (axis < extra || (shape.Dimensions[axis - extra] == 1 && Shape.Dimensions[axis] != 1))
            {
                axes[count++] = axis;
            }
        }

        return (count == 0 ? this : Sum(axes.AsSpan(0, count), keepDimensions: true)).ReshapeTo(shape);
    }

    private static Tensor NotNull(Tensor tensor) => tensor ?? throw new ArgumentNullException(
        nameof(tensor),
        "An operand is null where a tensor is needed. If it is a Gradient, backward has not reached that tensor since it was made or zeroed; or it was computed from others, "
        + "as w = w - rate * w.Gradient is, and keeps none: change a parameter in place, using (new NoGrad()) { w.Assign(w - rate * w.Gradient); }.");

    private static Tensor AddOrSubtract(Tensor a, Tensor b, bool subtract)
    {
        Tensor y = subtract ? Zip(a, b, default(Subtract)) : Zip(a, b, default(Add));
        return IsRecorded(a, b) ? new AddNode(a, b, subtract).Output(y) : y;
    }

    /// <summary>This tensor as an operand of an elementwise loop; only a pattern that no loop reads is copied out.</summary>
    private Operand BroadcastTo(Shape shape)
    {
        if (Shape.Equals(shape))
        {
            return new Operand(Storage);
        }

        // The axes along which this operand varies must be one run; it repeats inside and starts again outside of it.
        int extra = shape.Rank - Rank;
        int start = shape.Rank;
        int end = 0;
        for (int axis = extra; axis < shape.Rank; axis++)
        {
            if (Shape.Dimensions[axis - extra] != 1)
            {
                start = Math.Min(start, axis);
                end = axis + 1;
            }
        }

        for (int axis = start; axis < end; axis++)
        {
            if (Shape.Dimensions[axis - extra] != shape.Dimensions[axis])
            {
                using Recording.Scope untraced = Recording.Untraced();
                return new Operand(Detach().Expand(shape).Storage);
            }
        }

        return start >= end
            ? new Operand(Storage, 1, 1)
            : new Operand(Storage, Math.Max(1, Length), Math.Max(1, shape.Product(end, shape.Rank)));
    }
}
