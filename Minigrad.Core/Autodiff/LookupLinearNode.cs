namespace Minigrad.Autodiff;

/// <summary>
/// Y = X · Wᵀ + b where X's rows were looked up in a table, and most of them more than once, as the characters of a text: the
/// different rows are multiplied, and their products are looked up. With G the gradient of Y, summed over equal rows, W gets
/// Gᵀ · X and b the sum of G as ever, over the different rows only, and the table gets G · W without a detour through X.
/// </summary>
/// <remarks>
/// Where someone looks at the gradient of X itself, it is computed row by row, and reaches the table through it.
/// </remarks>
internal sealed class LookupLinearNode : Node
{
    private const int Input = 0;
    private const int Weight = 1;
    private const int Bias = 2;
    private const int Table = 3;

    private readonly int[] places;
    private readonly int[] first;
    private readonly int[] numbers;
    private readonly int[] tableRows;
    private readonly Shape tableShape;
    private readonly bool hasBias;
    private SavedTensor input;
    private SavedTensor weight;

    private LookupLinearNode(Tensor x, RowLookup lookup, Tensor weight, Tensor? bias, int[] places, int[] first, int[] numbers)
        : base(x, weight, bias ?? weight, lookup.Table)
    {
        this.places = places;
        this.first = first;
        this.numbers = numbers;
        tableRows = Array.ConvertAll(first, place => lookup.Rows[place]);
        tableShape = lookup.Table.Shape;
        hasBias = bias is not null;
        input = new SavedTensor(x);
        this.weight = new SavedTensor(weight);
    }

    /// <inheritdoc/>
    public override string Operation => "Linear of looked-up rows";

    /// <summary>Whether the gradient of X is wanted itself, not only what reaches the table.</summary>
    private bool IsInputLookedAt =>
        Inputs[Input] is LeafNode or { Capture: not null } or { Retained: not null } || Recording.IsOn || BackwardPass.Current!.Trace is not null;

    /// <summary>Some rows of x · weightᵀ + bias, if this way to them is the shorter one.</summary>
    /// <param name="x">The rows: <c>[…, in]</c>.</param>
    /// <param name="places">Which rows of x.</param>
    /// <param name="weight">The weights: <c>[out, in]</c>.</param>
    /// <param name="bias">What to add to each row, <c>[out]</c>, or null.</param>
    /// <returns><c>[places, out]</c>, or null.</returns>
    public static Tensor? Run(Tensor x, int[] places, Tensor weight, Tensor? bias)
    {
        if (x.Lookup is not { } lookup || lookup.Version != x.Storage.Version || !x.Backend.LooksUpProducts
            || Recording.IsTraced || EmulatedPrecision.Current != Precision.Full
            || !lookup.FindRepeats(places, out int[] first, out int[] numbers))
        {
            return null;
        }

        Tensor y;
        bool before = Recording.Set(false);
        try
        {
            Tensor products = Different(x, first).Linear(weight, bias);
            y = products.GatherRows(numbers, products.Shape[1], Shape.Create(numbers.Length, products.Shape[1]), nameof(Tensor.Linear));
            products.Storage.Recycle();
        }
        finally
        {
            Recording.Set(before);
        }

        bool isRecorded = Tensor.IsRecorded(x, weight) || (bias is not null && Tensor.IsRecorded(bias));
        return isRecorded ? new LookupLinearNode(x, lookup, weight, bias, places, first, numbers).Output(y) : y;
    }

    /// <inheritdoc/>
    public override void Backward(Tensor gradient)
    {
        Tensor x = input.Read(this);
        Tensor w = weight.Read(this);
        int width = w.Shape[1];
        Tensor sums = gradient.ScatterRows(numbers, w.Shape[0], Shape.Create(first.Length, w.Shape[0]), Operation);
        if (Needs(Input))
        {
            if (IsInputLookedAt)
            {
                Give(Input, Tensor.MatrixProduct(gradient, w, false, false).ScatterRows(places, width, x.Shape, Operation));
            }
            else
            {
                Give(Table, Tensor.MatrixProduct(sums, w, false, false).ScatterRows(tableRows, width, tableShape, Operation));
            }
        }

        if (Needs(Weight))
        {
            Give(Weight, Tensor.MatrixProduct(sums, Different(x, first), true, false));
        }

        if (hasBias && Needs(Bias))
        {
            Give(Bias, sums.SumTo(Shape.Create(w.Shape[0])));
        }
    }

    /// <inheritdoc/>
    protected override void ReleaseSaved()
    {
        input.Release();
        weight.Release();
    }

    private static Tensor Different(Tensor x, int[] first) =>
        x.GatherRows(first, x.Shape[-1], Shape.Create(first.Length, x.Shape[-1]), nameof(Tensor.Linear));
}
