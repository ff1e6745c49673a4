using Minigrad.Losses;
using Minigrad.Operations;
using static Minigrad.Tests.Gpu.ProgramTolerance;
using Sum = Minigrad.Tests.Gpu.ProgramTolerance.Sum;

namespace Minigrad.Tests.Gpu;

/// <summary>An operation that random programs are made of.</summary>
/// <param name="Name">What a failure calls it.</param>
/// <param name="Shapes">The shapes of further operands, from the first one's rows and columns and a random number.</param>
/// <param name="Compute">The operation, of its operands and the same random number.</param>
/// <param name="Tolerance">How far a device may be from the CPU.</param>
public sealed record ProgramOperation(
    string Name, Func<int, int, int, int[][]> Shapes, Func<Tensor[], int, Tensor> Compute, ProgramTolerance Tolerance)
{
    private static readonly ProgramTolerance Moved = new Exact("numbers are only moved");
    private static readonly ProgramTolerance Chosen = new Elementwise(0, 0, 0, 0, "comparisons and choices of whole numbers");

    private static readonly ProgramTolerance Rounded = new Elementwise(
        0, 0, 1, 0, "one rounding, which IEEE 754 fixes; the slope may be one fused operation instead of two");

    private static readonly ProgramTolerance Divided = new Elementwise(
        2.5, 0, 6, 0, "OpenCL divides to 2.5 units; the slope divides twice");

    private static readonly ProgramTolerance Transcendental = new Elementwise(
        4, 0, 10, 0, "the same polynomials, with and without fused multiply-adds: 4 units, promised; the slope is two of them and products");

    private static readonly ProgramTolerance Saturating = new Elementwise(
        4, 0, 10, 8, "as other functions; a slope such as 1 − y² keeps the error of y where it goes to zero");

    private static readonly ProgramTolerance Periodic = new Elementwise(
        4, 4, 4, 0, "beyond 10⁵ the argument is known to |x| · 2⁻²⁴ only, see docs/numerics.md");

    private static readonly ProgramTolerance Gated = new Elementwise(
        8, 4, 16, 16, "x times a factor that is 1 + something near −1: the factor's error is one of 1");

    private static readonly ProgramTolerance RaisedToPower = new Elementwise(
        4, 0, 12, 0, "4 units, promised; the slopes multiply a power, the exponent or a logarithm, and the gradient");

    private static readonly ProgramTolerance AxisSum = new Sum(
        operands => Math.Max(operands[0].Shape[0], operands[0].Shape[1]), "sums of an axis in another order");

    private static readonly ProgramTolerance WholeSum = new Sum(operands => operands[0].Length, "a sum of everything in another order");

    private static readonly ProgramTolerance Product = new Sum(
        operands => operands.SelectMany(operand => operand.Shape.Dimensions.ToArray()).Max() + 1, "sums over the depth, of fused products or not");

    private static readonly ProgramTolerance SumsInside = new Conditioned(
        32, "sums in another order under exp, a root or a quotient");

    private static readonly ProgramTolerance SquaresOfDifferences = new Conditioned(
        32,
        "sums in another order under a square; of n numbers that are alike, the mean is off by n · 2⁻²⁴ of them, and the variance by its square",
        (t, _, _, n) => [t[0].Square().Mean([n % 2], keepDimensions: true) * ((float)t[0].Shape[n % 2] * t[0].Shape[n % 2] / (8 << 24))]);

    private static readonly ProgramTolerance LayerNormSums = new Conditioned(
        32,
        "sums in another order under a root and a quotient; where one number is all of the norm, what its gradient is made of cancels",
        (t, y, g, _) => t[0].Length == 0 ? [] : NormTerms(t[0] - t[0].Mean([1], keepDimensions: true), t[1], y, g));

    private static readonly ProgramTolerance RmsNormSums = new Conditioned(
        32,
        "as the layer norm's",
        (t, y, g, _) => t[0].Length == 0 ? [] : NormTerms(t[0], t[1], y, g));

    private static readonly ProgramTolerance SumUnderLogarithm = new Conditioned(
        32,
        "sums in another order under exp and a logarithm; what a sum is off by its share, its logarithm is off in all",
        (t, y, _, n) => [Magnified(Tensor.Ones([.. y.Shape.Dimensions]), sums: 1, t[0].Shape[n % 2])]);

    private static readonly ProgramTolerance LogSoftmaxSums = new Conditioned(
        32,
        "as the logarithm of a sum; where p is near 1, g − p · Σ g cancels whatever the operands, and p is as far off as its logarithm",
        (t, y, g, n) =>
        [
            Magnified(Tensor.Ones([.. y.Shape.Dimensions]), sums: 1, t[0].Shape[n % 2]),
            g.Abs() + Magnified(y.Exp() * g.Abs().Sum([n % 2], keepDimensions: true), sums: 2, t[0].Shape[n % 2]),
        ]);

    private static readonly ProgramTolerance SumUnderQuotient = new Conditioned(
        32,
        "sums in another order under exp and a quotient; where p is near 1, p · (g − Σ g · p) cancels whatever the operands",
        (_, p, g, n) =>
        [
            Tensor.Zeros([.. p.Shape.Dimensions]),
            p * (Magnified(g.Abs(), sums: 1, p.Shape[n % 2])
                + Magnified((g.Abs() * p).Sum([n % 2], keepDimensions: true), sums: 3, p.Shape[n % 2])),
        ]);

    private static readonly ProgramTolerance CrossEntropySums = new Conditioned(
        32,
        "sums in another order under exp, a logarithm and a quotient; p − target cancels where both are near 1",
        (t, y, g, _) => t[0].Length == 0
            ? []
            :
            [
                Magnified(Tensor.Ones([.. y.Shape.Dimensions]), sums: 1, t[0].Shape[1]),
                Magnified(t[0].Softmax(1) * g.Abs() * (2f / t[0].Shape[0]), sums: 1, t[0].Shape[1]),
            ]);

    /// <summary>Formulas that are no operation by themselves: what losses and optimizers' steps are made of.</summary>
    private static readonly Dictionary<Type, ProgramTolerance> Parts = new()
    {
        [typeof(Identity)] = Chosen,
        [typeof(KeepBelow)] = Chosen,
        [typeof(RoundToHalf)] = Chosen,
        [typeof(RoundToBFloat16)] = Chosen,
        [typeof(IsEqual)] = Chosen,
        [typeof(IsLess)] = Chosen,
        [typeof(AbsoluteError)] = Rounded,
        [typeof(NegatedProduct)] = Rounded,
        [typeof(SquaredError)] = Rounded,
        [typeof(HuberError)] = Rounded,
        [typeof(ScaledGradient)] = Rounded,
        [typeof(DivideOrZero)] = Divided,
        [typeof(SmoothAbsoluteError)] = Divided,
        [typeof(ErrorFunction)] = Transcendental,
        [typeof(ExponentialMinusOne)] = Transcendental,
        [typeof(BinaryCrossEntropy)] = Saturating,
        [typeof(BinaryCrossEntropyOfLogit)] = Saturating,
        [typeof(RelativeEntropy)] = Gated,
        [typeof(RelativeEntropyOfLogarithms)] = Gated,
    };

    /// <summary>Every operation, and the tolerance of each with its reason: the one table.</summary>
    public static IReadOnlyList<ProgramOperation> All { get; } =
    [
        Unary("abs", Chosen, x => x.Abs(), typeof(Absolute)),
        Unary("negate", Chosen, x => -x, typeof(Negate)),
        Unary("relu", Chosen, x => x.Relu(), typeof(Rectifier)),
        Unary("sign", Chosen, x => x.Sign(), typeof(Sign)),
        Unary("clamp", Chosen, x => x.Clamp(-1.5f, 2f), typeof(ClampBetween)),
        Unary("leaky relu", Rounded, x => x.LeakyRelu(0.1f), typeof(LeakyRectifier)),
        Unary("square", Rounded, x => x.Square(), typeof(Square)),
        Unary("x + c", Rounded, x => x + 1.7f),
        Unary("c · x", Rounded, x => 0.3f * x, typeof(Scaled)),
        Unary("c − x", Rounded, x => 0.3f - x),
        Unary("c ÷ x", Divided, x => 3f / x),
        Unary("reciprocal", Divided, x => x.Reciprocal(), typeof(Reciprocal)),
        Unary("square root", new Elementwise(3, 0, 6, 0, "OpenCL takes roots to 3 units; the slope divides"), x => x.Sqrt(), typeof(SquareRoot)),
        Unary("reciprocal root", new Elementwise(6, 0, 16, 0, "a root, a quotient, and the cube of both in the slope"), x => x.Rsqrt(), typeof(ReciprocalSquareRoot)),
        Unary("exp", Transcendental, x => x.Exp(), typeof(Exponential)),
        Unary("log", Transcendental, x => x.Log(), typeof(Logarithm)),
        Unary("log1p", Transcendental, x => x.Log1P(), typeof(LogarithmOfOnePlus)),
        Unary("sin", Periodic, x => x.Sin(), typeof(Sine)),
        Unary("cos", Periodic, x => x.Cos(), typeof(Cosine)),
        Unary("tanh", Saturating, x => x.Tanh(), typeof(HyperbolicTangent)),
        Unary("sigmoid", Saturating, x => x.Sigmoid(), typeof(LogisticSigmoid)),
        Unary("softplus", Saturating, x => x.Softplus(), typeof(SoftRectifier)),
        Unary("elu", Saturating, x => x.Elu(), typeof(ExponentialLinear)),
        Unary("silu", Gated, x => x.Silu(), typeof(SigmoidLinear)),
        Unary("gelu", Gated, x => x.Gelu(), typeof(GaussianLinear)),
        Unary("gelu by tanh", Gated, x => x.Gelu(approximate: true), typeof(GaussianLinearTanh)),
        Unary("x to the 1.5", RaisedToPower, x => x.Pow(1.5f)),
        Unary("x to the −3", RaisedToPower, x => x.Pow(-3f)),
        Binary("add", Rounded, (a, b) => a + b, typeof(Add)),
        Binary("subtract", Rounded, (a, b) => a - b, typeof(Subtract)),
        Binary("multiply", Rounded, (a, b) => a * b, typeof(Multiply)),
        Binary("divide", Divided, (a, b) => a / b, typeof(Divide)),
        Binary("maximum", Rounded, Tensor.Maximum, typeof(Maximum)),
        Binary("minimum", Rounded, Tensor.Minimum, typeof(Minimum)),
        Binary("power", RaisedToPower, (a, b) => a.Pow(b), typeof(Power)),
        new("where", Broadcast(2), (t, _) => Tensor.Where(t[0], t[1], t[2]), Rounded) { Formula = typeof(Where) },

        new("transpose", None, (t, _) => t[0].Transpose(), Moved),
        new("flip", None, (t, n) => t[0].Flip(n % 2), Moved),
        new("slice", None, (t, n) => t[0].Slice(n % 2, Math.Min(n / 2 % 5, t[0].Shape[n % 2]), null, 1 + (n / 10 % 3)), Moved),
        new("lower triangle", None, (t, n) => t[0].Tril((n % 7) - 3), Moved),
        new("concatenate", (r, c, _) => [[r, c]], (t, n) => Tensor.Concatenate([t[0], t[1]], n % 2), Moved),
        new("flatten", None, (t, n) => n % 2 == 0 ? t[0].Reshape(1, t[0].Length) : t[0].Reshape(t[0].Length, 1), Moved),
        new("largest", None, (t, n) => t[0].Shape[n % 2] == 0 ? t[0] : t[0].Max(n % 2, keepDimensions: true), Moved),
        new("smallest", None, (t, n) => t[0].Shape[n % 2] == 0 ? t[0] : t[0].Min(n % 2, keepDimensions: true), Moved),

        new("expand", (r, c, _) => [[1, c]], (t, _) => t[1].Expand(t[0].Shape[0], t[0].Shape[1]), AxisSum),
        new("rows by index", None, (t, n) => t[0].Shape[0] == 0 ? t[0] : t[0].IndexSelect(0, Places(n, t[0].Shape[0])), new Sum(_ => 9, "rows that are taken twice")),
        new("sum of an axis", None, (t, n) => t[0].Sum([n % 2], keepDimensions: true), AxisSum),
        new("sum", None, (t, _) => t[0].Sum([0, 1], keepDimensions: true), WholeSum),
        new("mean", None, (t, n) => t[0].Mean([n % 2], keepDimensions: true), AxisSum),
        new("running sum", None, (t, n) => t[0].CumulativeSum(n % 2, n / 2 % 2 == 1), AxisSum),
        new("product", ProductShapes, (t, n) => t[0].MatMul(t[1], n % 2 == 1, n / 2 % 2 == 1), Product),
        new("linear", (_, c, n) => [[n % 41, c], [n % 41]], (t, _) => t[0].Linear(t[1], t[2]), Product),

        new("variance", None, (t, n) => t[0].Variance([n % 2], unbiased: false, keepDimensions: true), SquaresOfDifferences),
        new("norm", None, (t, n) => t[0].Norm([n % 2], 1 + (n / 2 % 3), keepDimensions: true), SumsInside),
        new("log of sums", None, (t, n) => t[0].LogSumExp([n % 2], keepDimensions: true), SumUnderLogarithm),
        new("softmax", None, (t, n) => t[0].Softmax(n % 2), SumUnderQuotient),
        new("log softmax", None, (t, n) => t[0].LogSoftmax(n % 2), LogSoftmaxSums),
        new("layer norm", (_, c, _) => [[c], [c]], (t, _) => t[0].LayerNorm(t[1], t[2]), LayerNormSums),
        new("rms norm", (_, c, _) => [[c]], (t, _) => t[0].RmsNorm(t[1]), RmsNormSums),
        new("mean square", Same, (t, n) => OneRow(Loss.MeanSquare(t[0], t[1])), SumsInside),
        new("Huber", Same, (t, n) => OneRow(Loss.Huber(t[0], t[1])), SumsInside),
        new("binary cross-entropy of logits", Same, (t, n) => OneRow(Loss.BinaryCrossEntropyWithLogits(t[0], t[1])), SumsInside),
        new("Kullback–Leibler", Same, (t, n) => OneRow(Loss.KullbackLeibler(t[0], t[1], logTarget: true)), SumsInside),
        new(
            "cross-entropy",
            None,
            (t, n) => t[0].Shape[1] == 0 ? t[0] : OneRow(Loss.CrossEntropy(t[0], Places(n, t[0].Shape[1], t[0].Shape[0]), labelSmoothing: n % 3 * 0.1f)),
            CrossEntropySums),
    ];

    /// <summary>The formula of the operation, where it is one.</summary>
    public Type? Formula { get; init; }

    /// <summary>The tolerance of a formula: its operation's, or, of the parts of losses and steps, that of what it is made of.</summary>
    /// <param name="formula">A formula that wraps no other.</param>
    public static Elementwise ToleranceOf(Type formula) =>
        All.FirstOrDefault(operation => operation.Formula == formula)?.Tolerance as Elementwise
        ?? (Elementwise)(Parts.TryGetValue(formula, out ProgramTolerance? tolerance)
            ? tolerance
            : throw new InvalidOperationException($"{formula.Name} has no tolerance: add it to an operation of ProgramOperation.All, or to its parts."));

    private static int[][] None(int rows, int columns, int number) => [];

    private static int[][] Same(int rows, int columns, int number) => [[rows, columns]];

    private static int[][] ProductShapes(int rows, int columns, int number)
    {
        int depth = number % 2 == 1 ? rows : columns;
        int other = number / 4 % 41;
        return [number / 2 % 2 == 1 ? [other, depth] : [depth, other]];
    }

    private static Func<int, int, int, int[][]> Broadcast(int count) => (rows, columns, number) =>
        [.. Enumerable.Range(0, count).Select(i => ((number >> (2 * i)) % 4) switch
        {
            0 => (int[])[rows, columns],
            1 => [1, columns],
            2 => [rows, 1],
            _ => [1, 1],
        })];

    private static int[] Places(int number, int limit, int count = 9) =>
        [.. Enumerable.Range(0, count).Select(i => ((number % 1000) + (i * i)) % limit)];

    /// <summary>The gradient of x̂ · γ, x̂ = x · r, is r · (γ · g − mean(γ · g) − x̂ · mean(γ · g · x̂)): the magnitudes in it.</summary>
    private static Tensor[] NormTerms(Tensor x, Tensor weight, Tensor y, Tensor gradient)
    {
        Tensor r = 1f / (x.Square().Mean([1], keepDimensions: true) + 1e-5f).Sqrt();
        Tensor normalized = (x * r).Abs();
        Tensor scaled = (gradient * weight).Abs();
        Tensor common = scaled.Mean([1], keepDimensions: true) + (normalized * (normalized * scaled).Mean([1], keepDimensions: true));
        return [Tensor.Zeros([.. y.Shape.Dimensions]), r * (scaled + common)];
    }

    /// <summary>
    /// Magnitudes that are 4 units off on either side, and besides by what sums of so many terms are off, whatever their order: 2n · 2⁻²⁴,
    /// as in <see cref="Sum"/>, which is n / 4 of the 8 · 2⁻²⁴ that are allowed of a magnitude.
    /// </summary>
    private static Tensor Magnified(Tensor magnitudes, int sums, int terms) => magnitudes * (1 + (sums * terms / 4f));

    private static Tensor OneRow(Tensor y) => y.Reshape(1, 1);

    private static ProgramOperation Unary(string name, ProgramTolerance tolerance, Func<Tensor, Tensor> compute, Type? formula = null) =>
        new(name, None, (t, _) => compute(t[0]), tolerance) { Formula = formula };

    private static ProgramOperation Binary(string name, ProgramTolerance tolerance, Func<Tensor, Tensor, Tensor> compute, Type? formula = null) =>
        new(name, Broadcast(1), (t, _) => compute(t[0], t[1]), tolerance) { Formula = formula };
}
