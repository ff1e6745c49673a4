using Minigrad.Numerics;
using Minigrad.Operations;

namespace Minigrad.Autodiff;

/// <summary>
/// A whole tensor as a number: a formula evaluated over it becomes a graph of primitive operations, recorded like any
/// other. It is how a fused operation runs where its gradient is differentiated again, and its oracle in the tests.
/// </summary>
internal readonly struct Traced : IReal<Traced>
{
    private readonly Tensor? tensor;
    private readonly float constant;

    /// <summary>A tensor.</summary>
    public Traced(Tensor tensor) => this.tensor = tensor;

    private Traced(float constant) => this.constant = constant;

    public static implicit operator Traced(float value) => new(value);

    public static implicit operator Traced(double value) => new((float)value);

    public static Traced operator +(Traced x, Traced y) =>
        x.tensor is { } a && y.tensor is { } b ? new(a + b) : Binary(default(Add), x, y);

    public static Traced operator -(Traced x, Traced y) =>
        x.tensor is { } a && y.tensor is { } b ? new(a - b) : Binary(default(Subtract), x, y);

    public static Traced operator *(Traced x, Traced y) => (x.tensor, y.tensor) switch
    {
        ({ } a, { } b) => new(a * b),
        (null, _) => x.constant * y,
        _ => x * y.constant,
    };

    public static Traced operator *(float c, Traced x) => x.tensor is { } a ? new(c * a) : new(c * x.constant);

    public static Traced operator *(Traced x, float c) => x.tensor is { } a ? new(a * c) : new(x.constant * c);

    public static Traced operator /(Traced x, Traced y) => (x.tensor, y.tensor) switch
    {
        ({ } a, { } b) => new(a / b),
        (null, { } b) => new(x.constant / b),
        _ => x / y.constant,
    };

    public static Traced operator /(Traced x, float c) => x.tensor is { } a ? new(a / c) : new(x.constant / c);

    public static Traced operator -(Traced x) => Unary(default(Negate), x);

    public static Traced Less(Traced x, Traced y, Traced whenTrue, Traced whenFalse) =>
        Choose(Binary(default(IsLess), x, y), whenTrue, whenFalse);

    public static Traced IfNaN(Traced x, Traced whenTrue, Traced whenFalse) =>
        Choose(Binary(default(IsEqual), x, x), whenFalse, whenTrue);

    public static Traced Abs(Traced x) => Unary(default(Absolute), x);

    public static Traced Max(Traced x, Traced y) => Binary(default(Maximum), x, y);

    public static Traced Min(Traced x, Traced y) => Binary(default(Minimum), x, y);

    public static Traced Sqrt(Traced x) => Unary(default(SquareRoot), x);

    public static Traced Exp(Traced x) => Unary(default(Exponential), x);

    public static Traced ExpM1(Traced x) => Unary(default(ExponentialMinusOne), x);

    public static Traced Log(Traced x) => Unary(default(Logarithm), x);

    public static Traced Log1P(Traced x) => Unary(default(LogarithmOfOnePlus), x);

    public static Traced Sin(Traced x) => Unary(default(Sine), x);

    public static Traced Cos(Traced x) => Unary(default(Cosine), x);

    public static Traced Tanh(Traced x) => Unary(default(HyperbolicTangent), x);

    public static Traced Sigmoid(Traced x) => Unary(default(LogisticSigmoid), x);

    public static Traced Softplus(Traced x) => Unary(new SoftRectifier(1f, float.PositiveInfinity), x);

    public static Traced Erf(Traced x) => Unary(default(ErrorFunction), x);

    public static Traced Pow(Traced x, Traced y) => Binary(default(Power), x, y);

    /// <summary>The tensor, or the constant in a shape that is like another tensor's.</summary>
    public Tensor ToTensor(Tensor like) => tensor ?? Tensor.Filled(like.Shape, constant, like.Backend);

    private static Traced Unary<TOp>(TOp op, Traced x)
        where TOp : unmanaged, IUnaryOp =>
        x.tensor is { } a ? new(a.Map(op)) : new(op.Forward(new Scalar(x.constant)).Value);

    /// <summary>A constant operand becomes a part of the operation, as in x + c.</summary>
    private static Traced Binary<TOp>(TOp op, Traced x, Traced y)
        where TOp : unmanaged, IBinaryOp => (x.tensor, y.tensor) switch
        {
            ({ } a, { } b) => new(Tensor.Map(a, b, op)),
            ({ } a, null) => new(a.Map(new WithSecond<TOp>(op, y.constant))),
            (null, { } b) => new(b.Map(new WithFirst<TOp>(op, x.constant))),
            _ => new(op.Forward(new Scalar(x.constant), new Scalar(y.constant)).Value),
        };

    private static Traced Choose(Traced condition, Traced whenTrue, Traced whenFalse) =>
        condition.tensor is { } choice
            ? new(Tensor.Where(choice, whenTrue.ToTensor(choice), whenFalse.ToTensor(choice)))
            : condition.constant != 0f ? whenTrue : whenFalse;
}
