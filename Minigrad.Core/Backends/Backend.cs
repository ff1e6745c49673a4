using Minigrad.Operations;

namespace Minigrad.Backends;

/// <summary>
/// The seam between tensors and hardware: a small set of loops over formulas, and what has structure of its own. Adding
/// an elementwise operation touches no backend.
/// </summary>
/// <remarks>
/// <para>Shapes are checked above the seam; a backend trusts its arguments. Buffers given as outputs are overwritten
/// whole unless a method says that it adds. An output may be the same storage as an elementwise input of its own shape,
/// and must not otherwise overlap an input.</para>
/// <para>Backward needs no methods of its own: the gradient of an elementwise operation is again an elementwise operation
/// (<see cref="UnaryBackward{TOp}"/> and its like), run by <see cref="Zip{TOp}"/> or <see cref="Combine{TOp}"/>.</para>
/// <para>Every method gives the same bits on every run. Reductions combine in a fixed order.</para>
/// </remarks>
public abstract class Backend
{
    /// <summary>What a person calls the device, as in an error message: <c>CPU (AVX-512)</c>.</summary>
    public abstract string Name { get; }

    /// <summary>What a message that names two backends calls this one. A machine may have two devices of one name, and a device may be opened twice.</summary>
    /// <param name="other">The backend that the message has named before.</param>
    public string NameBeside(Backend other) => this != other && Name == other.Name ? $"another {Name}" : Name;

    /// <summary>A buffer whose contents are undefined until written.</summary>
    /// <param name="length">How many float32 numbers, 0 or more.</param>
    public abstract Storage Allocate(int length);

    /// <summary>Copies numbers from the host.</summary>
    /// <param name="source">The numbers, as many as the destination holds.</param>
    /// <param name="destination">The buffer to overwrite.</param>
    public abstract void Upload(ReadOnlySpan<float> source, Storage destination);

    /// <summary>Copies numbers to the host, waiting for whatever still computes them.</summary>
    /// <param name="source">The buffer to read.</param>
    /// <param name="destination">Where to, as long as the source.</param>
    public abstract void Download(Storage source, Span<float> destination);

    /// <summary>Sets every element to one value.</summary>
    /// <param name="y">The buffer to overwrite.</param>
    /// <param name="value">The value.</param>
    public abstract void Fill(Storage y, float value);

    /// <summary>Draws every element: element i depends on key, stream and position + i only.</summary>
    /// <typeparam name="TDistribution">The distribution.</typeparam>
    /// <param name="distribution">The distribution and its parameters.</param>
    /// <param name="source">Which random numbers to use.</param>
    /// <param name="y">The buffer to overwrite.</param>
    public abstract void Fill<TDistribution>(TDistribution distribution, Randomness source, Storage y)
        where TDistribution : unmanaged, IDistribution;

    /// <summary>y[i] = f(x[i]).</summary>
    /// <typeparam name="TOp">The function.</typeparam>
    /// <param name="op">The function and its constants.</param>
    /// <param name="x">The input.</param>
    /// <param name="y">The output, as long as the input.</param>
    public abstract void Map<TOp>(TOp op, Storage x, Storage y)
        where TOp : unmanaged, IUnaryOp;

    /// <summary>y[i] = f(a[i], b[i]), both operands broadcast to the output.</summary>
    /// <typeparam name="TOp">The function.</typeparam>
    /// <param name="op">The function and its constants.</param>
    /// <param name="a">The first operand.</param>
    /// <param name="b">The second operand.</param>
    /// <param name="y">The output.</param>
    public abstract void Zip<TOp>(TOp op, Operand a, Operand b, Storage y)
        where TOp : unmanaged, IBinaryOp;

    /// <summary>y[i] = f(a[i], b[i], c[i]), the operands broadcast to the output.</summary>
    /// <typeparam name="TOp">The function.</typeparam>
    /// <param name="op">The function and its constants.</param>
    /// <param name="a">The first operand.</param>
    /// <param name="b">The second operand.</param>
    /// <param name="c">The third operand.</param>
    /// <param name="y">The output.</param>
    public abstract void Combine<TOp>(TOp op, Operand a, Operand b, Operand c, Storage y)
        where TOp : unmanaged, ITernaryOp;

    /// <summary>Reduces an axis: y[o, i] combines the terms of x[o, :, i], in a fixed order.</summary>
    /// <typeparam name="TReduction">The reduction.</typeparam>
    /// <param name="reduction">The reduction and its constants.</param>
    /// <param name="x">The input, laid out as <paramref name="layout"/>.</param>
    /// <param name="layout">The axis to reduce.</param>
    /// <param name="y">The output: <c>[outer, inner]</c>.</param>
    public abstract void Reduce<TReduction>(TReduction reduction, Storage x, AxisLayout layout, Storage y)
        where TReduction : unmanaged, IReduction;

    /// <summary>
    /// Where along an axis the largest value is, the first of several; a NaN counts as the largest.
    /// </summary>
    /// <param name="x">The input, laid out as <paramref name="layout"/>.</param>
    /// <param name="layout">The axis to search, at least 1 long.</param>
    /// <param name="sign">+1 for the largest value, −1 for the smallest.</param>
    /// <param name="indices">The places found: <c>[outer, inner]</c>.</param>
    public abstract void ArgMax(Storage x, AxisLayout layout, float sign, int[] indices);

    /// <summary>y[o, a, i] = Σ x[o, 0..a, i], or from a to the end if reversed.</summary>
    /// <param name="x">The input, laid out as <paramref name="layout"/>.</param>
    /// <param name="layout">The axis to sum along.</param>
    /// <param name="reverse">Whether to sum from the end of the axis.</param>
    /// <param name="y">The output, as long as the input.</param>
    public abstract void CumulativeSum(Storage x, AxisLayout layout, bool reverse, Storage y);

    /// <summary>C = op(A) · op(B) for each product of a batch.</summary>
    /// <param name="shape">The shapes, which operands are read transposed, and the batch.</param>
    /// <param name="left">A: <c>[batch, rows, depth]</c>, or <c>[batch, depth, rows]</c> if transposed.</param>
    /// <param name="right">B: <c>[batch, depth, columns]</c>, or <c>[batch, columns, depth]</c> if transposed.</param>
    /// <param name="result">C: <c>[batch, rows, columns]</c>.</param>
    public void MatrixProduct(MatrixProductShape shape, Part left, Part right, Part result) =>
        MatrixProduct(shape, left, right, result, null, default(Identity));

    /// <summary>C = f(op(A) · op(B) + bias) for each product of a batch, the bias added to each row.</summary>
    /// <typeparam name="TActivation">f; <see cref="Identity"/> for none.</typeparam>
    /// <param name="shape">The shapes, which operands are read transposed, and the batch.</param>
    /// <param name="left">A: <c>[batch, rows, depth]</c>, or <c>[batch, depth, rows]</c> if transposed.</param>
    /// <param name="right">B: <c>[batch, depth, columns]</c>, or <c>[batch, columns, depth]</c> if transposed.</param>
    /// <param name="result">C: <c>[batch, rows, columns]</c>.</param>
    /// <param name="bias">What is added to each finished row: <c>[columns]</c>; null for nothing.</param>
    /// <param name="activation">f and its constants.</param>
    public abstract void MatrixProduct<TActivation>(
        MatrixProductShape shape, Part left, Part right, Part result, Storage? bias, TActivation activation)
        where TActivation : unmanaged, IUnaryOp;

    /// <summary>
    /// C = f(op(A) · op(round(B)) + bias), if the backend keeps B's rounded numbers because B comes again unchanged. Otherwise
    /// nothing is computed.
    /// </summary>
    /// <typeparam name="TRounding">The format that B is rounded to.</typeparam>
    /// <typeparam name="TActivation">f; <see cref="Identity"/> for none.</typeparam>
    /// <param name="shape">The shapes, which operands are read transposed, and the batch.</param>
    /// <param name="left">A, as of <see cref="MatrixProduct{TActivation}"/>; it is read as it is.</param>
    /// <param name="right">B, not rounded.</param>
    /// <param name="result">C; it is not rounded.</param>
    /// <param name="bias">What is added to each finished row, as it is; null for nothing.</param>
    /// <param name="activation">f and its constants.</param>
    /// <returns>Whether the product was computed.</returns>
    public virtual bool TryRoundedProduct<TRounding, TActivation>(
        MatrixProductShape shape, Part left, Part right, Part result, Storage? bias, TActivation activation)
        where TRounding : unmanaged, IRounding
        where TActivation : unmanaged, IUnaryOp => false;

    /// <summary>One step of a recurrent cell.</summary>
    /// <typeparam name="TCell">The cell.</typeparam>
    /// <param name="cell">The cell and its constants.</param>
    /// <param name="step">Where the operands lie.</param>
    public abstract void Cell<TCell>(TCell cell, in CellForward step)
        where TCell : unmanaged, IRecurrentCell;

    /// <summary>One step of a recurrent layer: h · Uᵀ, then <see cref="Cell"/> with that as what came from the step before.</summary>
    /// <typeparam name="TCell">The cell.</typeparam>
    /// <param name="cell">The cell and its constants.</param>
    /// <param name="weight">U, the recurrent weights: <c>[G · width, width]</c>.</param>
    /// <param name="step">Where the operands lie. <see cref="CellForward.Recurrent"/> is undefined afterwards.</param>
    public virtual void CellStep<TCell>(TCell cell, Storage weight, in CellForward step)
        where TCell : unmanaged, IRecurrentCell
    {
        MatrixProductShape shape = new(step.Rows, cell.GateCount * step.Width, step.Width) { TransposeRight = true };
        MatrixProduct(shape, step.HiddenBefore, weight, step.Recurrent);
        Cell(cell, step);
    }

    /// <summary>One step back of a recurrent cell.</summary>
    /// <typeparam name="TCell">The cell.</typeparam>
    /// <param name="cell">The cell and its constants.</param>
    /// <param name="step">Where the operands lie.</param>
    public abstract void CellBackward<TCell>(TCell cell, in CellBackward step)
        where TCell : unmanaged, IRecurrentCell;

    /// <summary>
    /// One step back of a recurrent layer: the gradients of the gates of the step after, times U, then
    /// <see cref="CellBackward"/> with that as what came through them.
    /// </summary>
    /// <typeparam name="TCell">The cell.</typeparam>
    /// <param name="cell">The cell and its constants.</param>
    /// <param name="weight">U, the recurrent weights: <c>[G · width, width]</c>.</param>
    /// <param name="rowsAfter">How many sequences make the step after; as many as this one, or fewer.</param>
    /// <param name="gradientAfter">The gradients of its gates: <c>[rows after, G · width]</c>.</param>
    /// <param name="step">
    /// Where the operands lie. <see cref="CellBackward.GateGradient"/> is 0 in further rows, and undefined afterwards in others.
    /// </param>
    public virtual void CellStepBackward<TCell>(
        TCell cell, Storage weight, int rowsAfter, Part gradientAfter, in CellBackward step)
        where TCell : unmanaged, IRecurrentCell
    {
        MatrixProductShape shape = new(rowsAfter, step.Width, cell.GateCount * step.Width);
        MatrixProduct(shape, gradientAfter, weight, step.GateGradient);
        CellBackward(cell, step);
    }

    /// <summary>
    /// Runs a computation of many steps in which rows do not depend on each other: all rows at once, or ranges of them in any
    /// order and on any threads, whichever takes the backend less time. At each step a row is multiplied by the same matrix.
    /// </summary>
    /// <typeparam name="TWalk">The computation.</typeparam>
    /// <param name="product">The product that all rows together make at a step.</param>
    /// <param name="right">Its right operand.</param>
    /// <param name="walk">The computation; it calls this backend.</param>
    public virtual void WalkRows<TWalk>(MatrixProductShape product, Storage right, TWalk walk)
        where TWalk : struct, IRowWalk => walk.Run(0, product.Rows);

    /// <summary>y = softmax(x) along an axis, or its logarithm, computed without overflow.</summary>
    /// <param name="x">The input.</param>
    /// <param name="layout">The axis.</param>
    /// <param name="logarithm">Whether to give log softmax(x) instead.</param>
    /// <param name="y">The output, as long as the input.</param>
    public abstract void Softmax(Storage x, AxisLayout layout, bool logarithm, Storage y);

    /// <summary>
    /// The gradient of <see cref="Softmax"/> from its output: y · (g − Σ g·y), or g − eʸ · Σ g for the logarithm.
    /// </summary>
    /// <param name="y">The output of the forward pass.</param>
    /// <param name="gradient">The gradient of the output, of the same shape.</param>
    /// <param name="layout">The axis.</param>
    /// <param name="logarithm">Whether forward gave the logarithm.</param>
    /// <param name="result">The gradient of the input, of the same shape.</param>
    public abstract void SoftmaxBackward(Storage y, Storage gradient, AxisLayout layout, bool logarithm, Storage result);

    /// <summary>
    /// The cross-entropy −Σ t · ln softmax(x) of each row of logits with its target t, 0 for a row that is left out.
    /// </summary>
    /// <param name="x">The logits: <c>[rows, columns]</c>, with at least one column.</param>
    /// <param name="targets">The targets, one for each row.</param>
    /// <param name="columns">The length of a row.</param>
    /// <param name="normalizers">
    /// What backward needs besides the logits, <c>[2, rows]</c>: the row's largest value m, and ln Σ e^(x − m).
    /// </param>
    /// <param name="losses">The output: <c>[rows]</c>.</param>
    public abstract void CrossEntropy(
        Storage x, ClassTargets targets, int columns, Storage normalizers, Storage losses);

    /// <summary>
    /// The gradient of <see cref="CrossEntropy"/>: g / d · (softmax(x) · Σ t − t), 0 for a row that is left out.
    /// </summary>
    /// <param name="x">The logits: <c>[rows, columns]</c>.</param>
    /// <param name="normalizers">What the forward pass left.</param>
    /// <param name="targets">The targets, one for each row.</param>
    /// <param name="columns">The length of a row.</param>
    /// <param name="gradient">g: one number for each row, or one for all.</param>
    /// <param name="divisor">d.</param>
    /// <param name="result">The gradient of the logits, of their shape.</param>
    public abstract void CrossEntropyBackward(
        Storage x,
        Storage normalizers,
        ClassTargets targets,
        int columns,
        Storage gradient,
        float divisor,
        Storage result);

    /// <summary>The mean and the variance of each group, the variance around 0 where the mean is not subtracted.</summary>
    /// <param name="shape">The groups.</param>
    /// <param name="x">The input.</param>
    /// <param name="statistics">What is found: <c>[2, groups]</c>, first the means (0 where none is subtracted), then the variances.</param>
    public abstract void GroupStatistics(in NormalizationShape shape, Storage x, Storage statistics);

    /// <summary>y = (x − mean) / √(variance + ε) · weight + bias, with the statistics of each number's group.</summary>
    /// <param name="shape">The groups.</param>
    /// <param name="x">The input.</param>
    /// <param name="statistics">Means and variances: <c>[2, groups]</c>.</param>
    /// <param name="weight">The weights, or null for 1.</param>
    /// <param name="bias">The biases, or null for 0.</param>
    /// <param name="y">The output, of the input's shape.</param>
    public abstract void Normalize(
        in NormalizationShape shape, Storage x, Storage statistics, Storage? weight, Storage? bias, Storage y);

    /// <summary>The gradients of a normalisation by its own statistics; see <see cref="StandardizedGroup{T}.InputGradient"/>.</summary>
    /// <param name="shape">The groups.</param>
    /// <param name="x">The input.</param>
    /// <param name="statistics">Means and variances: <c>[2, groups]</c>.</param>
    /// <param name="weight">The weights, or null for 1.</param>
    /// <param name="gradient">The gradient of the output.</param>
    /// <param name="result">The gradient of the input, or null if it is not asked for.</param>
    /// <param name="weightGradient">The gradient of the weights, Σ g · x̂, or null.</param>
    /// <param name="biasGradient">The gradient of the biases, Σ g, or null.</param>
    public abstract void NormalizeBackward(
        in NormalizationShape shape,
        Storage x,
        Storage statistics,
        Storage? weight,
        Storage gradient,
        Storage? result,
        Storage? weightGradient,
        Storage? biasGradient);

    /// <summary>Copies a block of elements between two strided layouts; other elements of the destination stay.</summary>
    /// <param name="x">The storage to read.</param>
    /// <param name="source">Where the block lies in <paramref name="x"/>.</param>
    /// <param name="y">The storage to write.</param>
    /// <param name="target">Where the block lies in <paramref name="y"/>; no two elements may share a place.</param>
    /// <param name="dimensions">The dimensions of the block.</param>
    public abstract void Copy(
        Storage x, StridedLayout source, Storage y, StridedLayout target, ReadOnlySpan<int> dimensions);

    /// <summary>
    /// Whether rows that are equal are better multiplied once, with their products looked up and their gradients added up, than
    /// one by one.
    /// </summary>
    public virtual bool LooksUpProducts => false;

    /// <summary>y[r, :] = x[rows[r], :].</summary>
    /// <param name="x">The table to read from: <c>[any, width]</c>.</param>
    /// <param name="rows">Which rows, each already checked to be in range.</param>
    /// <param name="width">The length of a row.</param>
    /// <param name="y">The output: <c>[rows, width]</c>.</param>
    public abstract void Gather(Storage x, RowNumbers rows, int width, Storage y);

    /// <summary>y[rows[r], :] += x[r, :], in an order that follows from the arguments alone.</summary>
    /// <param name="x">What to add: <c>[rows, width]</c>.</param>
    /// <param name="rows">Which rows to add to, each already checked to be in range.</param>
    /// <param name="width">The length of a row.</param>
    /// <param name="y">The table to add to: <c>[any, width]</c>.</param>
    public abstract void ScatterAdd(Storage x, RowNumbers rows, int width, Storage y);

    /// <summary>
    /// The p-norm of each unit (a run of consecutive elements of equal length) of a buffer, in double precision. It
    /// neither overflows nor underflows for finite float32 input, is 0 over no elements, and is not finite exactly where
    /// an element is not finite.
    /// </summary>
    /// <param name="x">The numbers: <c>[norms, unit length]</c>.</param>
    /// <param name="order">p: a positive number or +∞.</param>
    /// <param name="norms">The result, one number a unit; with one unit, the norm of the whole buffer.</param>
    public abstract void Norms(Storage x, double order, Span<double> norms);

    /// <summary>The p-norm of each of several buffers, each the same bits as the norm of that buffer alone.</summary>
    /// <param name="buffers">The numbers; an element must not be replaced while this runs.</param>
    /// <param name="order">p: a positive number or +∞.</param>
    /// <param name="norms">The result, one number a buffer.</param>
    public abstract void Norms(IReadOnlyList<Storage> buffers, double order, Span<double> norms);

    /// <summary>
    /// The updates of several parameters by one rule. Each gradient is read once, scaled and clamped as its target says;
    /// gradients are not changed.
    /// </summary>
    /// <typeparam name="TRule">The update rule.</typeparam>
    /// <param name="rule">The rule and this step's constants.</param>
    /// <param name="targets">The parameters.</param>
    /// <param name="clamped">
    /// Becomes true for each target of whose gradient an element has passed a bound of its scale; stays as it is for others. Empty if nobody asks.
    /// </param>
    public abstract void Update<TRule>(TRule rule, ReadOnlySpan<UpdateTarget> targets, Span<bool> clamped)
        where TRule : unmanaged, IUpdateRule;

    /// <summary>Writes a gradient as an update reads it.</summary>
    /// <param name="gradient">The gradient; read only, unless the result is written to it.</param>
    /// <param name="scale">How it is read.</param>
    /// <param name="result">Where to, as long as the gradient; it may be the gradient itself.</param>
    /// <returns>Whether an element has passed a bound.</returns>
    public virtual bool WriteScaled(Storage gradient, GradientScale scale, Storage result)
    {
        Span<bool> clamped = [false];
        Update(default(ReplacementRule), [new UpdateTarget(result, gradient, scale, [])], clamped);
        return clamped[0];
    }

    /// <summary>
    /// Measures what a rule would make of several parameters, with gradients read as <see cref="Update{TRule}"/> reads them.
    /// Nothing is changed.
    /// </summary>
    /// <typeparam name="TRule">The update rule.</typeparam>
    /// <param name="rule">The rule and this step's constants.</param>
    /// <param name="targets">The parameters.</param>
    /// <param name="norms">The norm of what was measured of each parameter, in the rule's order; 0 where it has no elements.</param>
    public abstract void MeasureUpdates<TRule>(TRule rule, ReadOnlySpan<UpdateTarget> targets, Span<double> norms)
        where TRule : unmanaged, IUpdateMeasure;

    /// <summary>
    /// Steps that run without the host, or null where the host is the device, or where the parameters lie elsewhere. The
    /// parameters' numbers may be moved so that they lie side by side; their storages stay the same objects.
    /// </summary>
    /// <param name="parameters">The parameters, each once.</param>
    /// <param name="unitCounts">How many units each has.</param>
    /// <param name="initialState">What each number that the rule remembers is before the first step.</param>
    public virtual DeferredSteps? Defer(
        IReadOnlyList<Storage> parameters, IReadOnlyList<UnitCounts> unitCounts, IReadOnlyList<float> initialState) => null;
}
