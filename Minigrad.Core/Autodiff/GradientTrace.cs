namespace Minigrad.Autodiff;

/// <summary>Looks at every gradient of one backward pass, and at its end throws if one that was asked for is not finite.</summary>
/// <param name="roundings">What became infinite by being rounded.</param>
internal sealed class GradientTrace(RoundingWatch roundings)
{
    private Tensor[] arrived = [];
    private AnomalyReport? report;
    private long beginning = long.MaxValue;
    private LossScaleNode? scale;

    /// <summary>The operation whose backward is running, or null before the first.</summary>
    public Node? Visited { get; private set; }

    /// <summary>Looks at what backward starts from.</summary>
    /// <exception cref="AnomalyException">The result is not finite: no gradient of it would be.</exception>
    public void Start(Tensor root, Node node, Tensor seed)
    {
        scale = node as LossScaleNode;
        string name = $"{NameOf(node)} of shape {root.Shape}";
        Taint? taint = Taint.Of(root.Storage) ?? Inspection.Held(root, $"{name} (computed before the trace was opened)", "Backward", null);
        if (taint is not null)
        {
            throw new AnomalyException(new AnomalyReport($"Backward can't start: {name}", taint));
        }

        _ = Taint.Of(seed.Storage) ?? Inspection.Held(seed, "the gradient that backward was given to start from", node.Operation, node.Origin);
    }

    /// <summary>An operation's backward is about to run.</summary>
    public void Visit(Node node)
    {
        Visited = node;
        arrived = [.. node.ArrivedGradients];
        roundings.Forget();
    }

    /// <summary>Looks at what rounding made of the gradient that an operation's backward begins with.</summary>
    /// <param name="owner">The operation.</param>
    /// <param name="gradient">The gradient before.</param>
    /// <param name="rounded">The gradient after.</param>
    public void LookAtRounded(Node owner, Tensor gradient, Tensor rounded)
    {
        arrived = Array.ConvertAll(arrived, tensor => ReferenceEquals(tensor, gradient) ? rounded : tensor);
        if (!float.IsFinite(Inspection.Largest(rounded.Storage)))
        {
            Taint? before = Taint.Of(gradient.Storage);
            Taint.Mark(rounded.Storage, before?.NaN, before?.Infinity ?? Overflow());
        }

        roundings.Forget();

        Finding? Overflow()
        {
            float[] values = rounded.ToArray();
            int element = Array.FindIndex(values, float.IsInfinity);
            return element < 0 ? null : new Finding(owner.Operation, null, new AnomalySource(owner.Operation, owner.Origin, rounded, values, element)
            {
                IsBackward = true,
                Rounded = roundings.At(gradient.Storage, element, RoundedNumber.Part.Gradient),
            });
        }
    }

    /// <summary>Forgets roundings that nobody will ask for.</summary>
    public void Forget() => roundings.Forget();

    /// <summary>Looks at a gradient that the backward of an operation gave to an input.</summary>
    public void Look(Node from, Tensor gradient)
    {
        if (Visited is not null && Taint.Of(gradient.Storage) is null)
        {
            new Inspection(from, gradient, arrived, isBackward: true).Run();
        }
    }

    /// <summary>Looks at the sum of two gradients of one tensor.</summary>
    /// <param name="owner">The operation or leaf whose gradient it is.</param>
    /// <param name="sum">The sum.</param>
    /// <param name="a">What was not finite in the first.</param>
    /// <param name="b">What was not finite in the second.</param>
    public static void LookAtSum(Node owner, Tensor sum, Taint? a, Taint? b)
    {
        if (Taint.Of(sum.Storage) is not null || (a is null && b is null && float.IsFinite(Inspection.Largest(sum.Storage))))
        {
            return;
        }

        float[] values = sum.ToArray();
        Finding? infinity = Finding.Earlier(a?.Infinity, b?.Infinity);
        Finding? Find(Predicate<float> isBad, Finding? known, Finding? before)
        {
            int element = Array.FindIndex(values, isBad);
            return element < 0 ? null : known ?? new Finding("Add", before, new AnomalySource("Add", owner.Origin, sum, values, element)
            {
                IsBackward = true,
                SumOf = NameOf(owner),
            });
        }

        Taint.Mark(sum.Storage, Find(float.IsNaN, Finding.Earlier(a?.NaN, b?.NaN), infinity), Find(float.IsInfinity, infinity, null));
    }

    /// <summary>What is not finite in the gradient that a leaf had before this pass.</summary>
    public static Taint? Before(LeafNode leaf, Tensor gradient) => Taint.Of(gradient.Storage)
        ?? Inspection.Held(gradient, $"the gradient that {NameOf(leaf)} had before this backward", "Add", null);

    /// <summary>Looks at a gradient that someone asked for.</summary>
    public void Receive(Node owner, Tensor gradient)
    {
        // Of several bad gradients, the one that began first is told.
        if (Taint.Of(gradient.Storage) is { } taint && taint.Worst.Beginning < beginning)
        {
            beginning = taint.Worst.Beginning;
            report = new AnomalyReport($"The gradient of {NameOf(owner)}, of shape {gradient.Shape},", taint, scale);
        }
    }

    private static string NameOf(Node owner) => owner switch
    {
        LeafNode { Tensor.Name: { } name } => $"'{name}'",
        LeafNode leaf => $"a tensor of shape {leaf.OutputShape}",
        _ => $"the result of {owner.Operation}",
    };

    /// <summary>The pass is over.</summary>
    /// <exception cref="AnomalyException">A gradient that was asked for is not finite.</exception>
    public void End()
    {
        if (report is not null)
        {
            throw new AnomalyException(report);
        }
    }
}
