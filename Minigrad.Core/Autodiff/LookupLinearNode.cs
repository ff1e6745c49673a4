namespace Minigrad.Autodiff;

/// <summary>
/// Y = X · Wᵀ + b where X's rows were looked up in a table, most of them more than once, as the characters of a text: the
/// different rows are multiplied, and their products are looked up. With G the gradient of Y, summed over equal rows, W gets
/// Gᵀ · X and b the sum of G, over the different rows only, and the table gets G · W without a detour through X.
/// </summary>
/// <remarks>Where someone looks at the gradient of X itself, it is computed row by row, and reaches the table through it.</remarks>
internal sealed class LookupLinearNode : Node
{
    private const int Input = 0;
    private const int Weight = 1;
    private const int Bias = 2;
    private const int Table = 3;

    private readonly int[] places;
    private readonly RowRepeats repeats;
    private readonly Shape tableShape;
    private readonly bool hasBias;
    private SavedTensor input;
    private SavedTensor weight;

    private LookupLinearNode(Tensor x, Tensor table, int[] places, RowRepeats repeats, Tensor weight, Tensor? bias)
        : base(x, weight, bias ?? weight, table)
    {
        this.places = places;
        this.repeats = repeats;
        tableShape = table.Shape;
        hasBias = bias is not null;
        input = new SavedTensor(x);
        this.weight = new SavedTensor(weight);
    }

    /// <inheritdoc/>
    public override string Operation => "Linear of looked-up rows";

    /// <summary>Whether the gradient of X is wanted itself, not only what reaches the table.</summary>
    private bool IsInputLookedAt =>
        Inputs[Input] is LeafNode or { Capture: not null } or { Retained: not null } || BackwardPass.Current!.Trace is not null;

    /// <summary>Some rows of x · weightᵀ + bias, if this way to them is the shorter one.</summary>
    /// <param name="x">The rows: <c>[…, in]</c>.</param>
    /// <param name="places">Which rows of x.</param>
    /// <param name="weight">The weights: <c>[out, in]</c>.</param>
    /// <param name="bias">What to add to each row, <c>[out]</c>, or null.</param>
    /// <returns><c>[places, out]</c>, or null.</returns>
    public static Tensor? Run(Tensor x, int[] places, Tensor weight, Tensor? bias)
    {
        if (x.Lookup is not { } lookup || lookup.Version != x.Storage.Version || !x.Backend.LooksUpProducts
            || Recording.IsTraced || EmulatedPrecision.Current != Precision.Full || lookup.Repeats(places) is not { } repeats)
        {
            return null;
        }

        Tensor y;
        bool before = Recording.Set(false);
        try
        {
            Tensor rows = Different(x, repeats);
            Tensor products = rows.Linear(weight, bias);
            y = products.GatherRows(
                repeats.Numbers, weight.Shape[0], Shape.Create(places.Length, weight.Shape[0]), nameof(Tensor.Linear));
            rows.Storage.Recycle();
            products.Storage.Recycle();
        }
        finally
        {
            Recording.Set(before);
        }

        bool isRecorded = Tensor.IsRecorded(x, weight) || (bias is not null && Tensor.IsRecorded(bias));
        return isRecorded ? new LookupLinearNode(x, lookup.Table, places, repeats, weight, bias).Output(y) : y;
    }

    /// <inheritdoc/>
    public override void Backward(Tensor gradient)
    {
        Tensor x = input.Read(this);
        Tensor w = weight.Read(this);
        (int outputs, int width) = (w.Shape[0], w.Shape[1]);
        Tensor sums = gradient.ScatterRows(repeats.Numbers, outputs, Shape.Create(repeats.First.Length, outputs), Operation);
        if (Needs(Input) && IsInputLookedAt)
        {
            Give(Input, Tensor.MatrixProduct(gradient, w, false, false).ScatterRows(places, width, x.Shape, Operation));
        }
        else if (Needs(Input))
        {
            Give(Table, Tensor.MatrixProduct(sums, w, false, false).ScatterRows(repeats.TableRows, width, tableShape, Operation));
        }

        Tensor rows = Different(x, repeats);
        if (Needs(Weight))
        {
            Give(Weight, Tensor.MatrixProduct(sums, rows, true, false));
        }

        if (hasBias)
        {
            Give(Bias, sums.SumTo(Shape.Create(outputs)));
        }

        if (!Recording.IsOn)
        {
            sums.Storage.Recycle();
            rows.Storage.Recycle();
        }
    }

    /// <inheritdoc/>
    protected override void ReleaseSaved()
    {
        input.Release();
        weight.Release();
    }

    private static Tensor Different(Tensor x, RowRepeats repeats) =>
        x.GatherRows(repeats.First, x.Shape[-1], Shape.Create(repeats.First.Length, x.Shape[-1]), nameof(Tensor.Linear));
}
