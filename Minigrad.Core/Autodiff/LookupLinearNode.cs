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

    private readonly RowLookup lookup;
    private readonly RowRepeats repeats;
    private readonly int[] places;
    private readonly Shape inputShape;
    private readonly bool hasBias;
    private Tensor? different;
    private SavedTensor input;
    private SavedTensor weight;

    private LookupLinearNode(Tensor x, int[] places, RowRepeats repeats, Tensor different, Tensor weight, Tensor? bias)
        : base(x, weight, bias ?? weight)
    {
        lookup = x.Lookup!;
        this.repeats = repeats;
        this.places = places;
        this.different = different;
        inputShape = x.Shape;
        hasBias = bias is not null;
        input = new SavedTensor(x);
        this.weight = new SavedTensor(weight);
    }

    /// <inheritdoc/>
    public override string Operation => "Linear of looked-up rows";

    /// <summary>Whether the gradient of X is wanted itself, not only what reaches the table.</summary>
    private bool IsInputLookedAt =>
        Inputs[Input] is LeafNode or { Retained: not null } || (Inputs[Input] is { } node && BackwardPass.Current!.IsAskedFor(node)) || BackwardPass.Current!.Trace is not null;

    /// <summary>Whether x was looked up, and neither its backend, its precision nor a trace is in the way.</summary>
    /// <param name="x">The rows: <c>[…, in]</c>.</param>
    public static bool Serves(Tensor x) =>
        x.Lookup is { } lookup && lookup.Holds(x.Storage) && x.Backend.LooksUpProducts
        && !Recording.IsTraced && EmulatedPrecision.Current == Precision.Full;

    /// <summary>Some rows of x · weightᵀ + bias, if this way to them is the shorter one.</summary>
    /// <param name="x">The rows, <c>[…, in]</c>, that it <see cref="Serves"/>.</param>
    /// <param name="places">Which rows of x.</param>
    /// <param name="weight">The weights: <c>[out, in]</c>.</param>
    /// <param name="bias">What to add to each row, <c>[out]</c>, or null.</param>
    /// <returns><c>[places, out]</c>, or null.</returns>
    public static Tensor? Run(Tensor x, int[] places, Tensor weight, Tensor? bias)
    {
        if (x.Lookup!.Repeats(places) is not { } repeats)
        {
            return null;
        }

        Tensor different;
        Tensor y;
        bool before = Recording.Set(false);
        try
        {
            different = Different(x, repeats);
            Tensor products = different.Linear(weight, bias);
            y = products.GatherRows(
                repeats.Numbers, weight.Shape[0], Shape.Create(places.Length, weight.Shape[0]), nameof(Tensor.Linear));
            products.Storage.Recycle();
        }
        finally
        {
            Recording.Set(before);
        }

        if (Tensor.IsRecorded(x, weight) || (bias is not null && Tensor.IsRecorded(bias)))
        {
            return new LookupLinearNode(x, places, repeats, different, weight, bias).Output(y);
        }

        different.Storage.Recycle();
        return y;
    }

    /// <inheritdoc/>
    public override void Backward(Tensor gradient)
    {
        Tensor w = weight.Read(this);
        (int outputs, int width) = (w.Shape[0], w.Shape[1]);
        Tensor sums = gradient.ScatterRows(repeats.Numbers, outputs, Shape.Create(repeats.First.Length, outputs), Operation);
        if (Needs(Input))
        {
            bool isLookedAt = IsInputLookedAt;
            Tensor product = Tensor.MatrixProduct(isLookedAt ? gradient : sums, w, false, false);
            if (isLookedAt)
            {
                Give(Input, product.ScatterRows(places, width, inputShape, Operation));
            }
            else
            {
                // X leads to the table, so the pass comes to the table's node after this one.
                BackwardPass.Deliver(lookup.Table!, product.ScatterRows(repeats.TableRows, width, lookup.Shape, Operation), this);
            }

            Forget(product);
        }

        if (Needs(Weight))
        {
            // Under createGraph the rows are X's, so that the graph leads on to the table.
            Tensor rows = Recording.IsOn && Needs(Input) ? Different(input.Read(this), repeats) : different!;
            Give(Weight, Tensor.MatrixProduct(sums, rows, true, false));
        }

        if (hasBias && Needs(Bias))
        {
            Give(Bias, sums.SumTo(Shape.Create(outputs)));
        }

        Forget(sums);
    }

    /// <inheritdoc/>
    protected override void ReleaseSaved()
    {
        different = null;
        input.Release();
        weight.Release();
    }

    private static void Forget(Tensor intermediate)
    {
        if (!Recording.IsOn)
        {
            intermediate.Storage.Recycle();
        }
    }

    private static Tensor Different(Tensor x, RowRepeats repeats) =>
        x.GatherRows(repeats.First, x.Shape[-1], Shape.Create(repeats.First.Length, x.Shape[-1]), nameof(Tensor.Linear));
}
