using Minigrad.Backends;
using Minigrad.Operations;

namespace Minigrad.Autodiff;

/// <summary>
/// One walk backward through a graph: iterative, from the youngest node to the oldest, so that every node has its whole
/// gradient before it passes it on. The only place that orders and adds gradients.
/// </summary>
internal sealed class BackwardPass
{
    private static long passes;

    [ThreadStatic]
    private static BackwardPass? current;

    /// <summary>The last pass of this thread, used again by the next: a training loop makes no lists.</summary>
    [ThreadStatic]
    private static BackwardPass? spare;

    private readonly List<Node> nodes = [];
    private readonly Stack<Node> open = new();

    /// <summary>Where functional gradients are kept, by the node whose output's they are; of this pass, so that others may ask for the same.</summary>
    private readonly Dictionary<Node, GradientCapture> captures = [];

    /// <summary>What a pass inside another has put its number in the place of; empty in any other.</summary>
    private readonly List<(Node Node, long VisitedBy)> marked = [];
    private long number;
    private bool createGraph;
    private bool retainGraph;
    private bool accumulateInLeaves;
    private bool isAskedForSome;
    private bool isSearch;
    private ScaleMark? scale;

    private BackwardPass()
    {
    }

    /// <summary>The pass that is running on this thread.</summary>
    public static BackwardPass? Current => current;

    /// <summary>What looks at this pass's gradients, or null while no anomalies are traced.</summary>
    public GradientTrace? Trace { get; private set; }

    /// <summary>Adds the gradient of a root to every leaf that it depends on.</summary>
    public static void Accumulate(Tensor root, Tensor seed, bool createGraph, bool retainGraph) =>
        Begin(createGraph, retainGraph, accumulateInLeaves: true).Run(root, seed);

    /// <summary>The gradients of a root with respect to given tensors; no leaf is touched.</summary>
    public static Tensor?[] Gradients(
        Tensor root, Tensor seed, IReadOnlyList<Tensor> targets, bool createGraph, bool retainGraph)
    {
        BackwardPass pass = Begin(createGraph, retainGraph, accumulateInLeaves: false);
        pass.isAskedForSome = true;
        GradientCapture[] asked = [.. targets.Select(target => pass.CaptureOf(target.NodeForGradient!))];
        pass.Run(root, seed);

        // Numbers of their own: a sum gives its seed to all terms, and who scales one gradient in place scales no other.
        HashSet<Storage> taken = [seed.Storage];
        return [.. asked.Select(capture => capture.Gradient is { } found && !taken.Add(found.Storage) ? Copy(found) : capture.Gradient)];
    }

    /// <summary>Computes the gradients of all leaves only for the trace that is open to look at; none is kept.</summary>
    public static void Search(Tensor root, Tensor seed)
    {
        BackwardPass pass = Begin(createGraph: false, retainGraph: false, accumulateInLeaves: false);
        pass.isSearch = true;
        pass.Run(root, seed);
    }

    /// <summary>Adds a gradient to what a node has gathered in the running pass.</summary>
    public static void Deliver(Node node, Tensor gradient, Node from)
    {
        if (!gradient.Shape.Equals(node.OutputShape))
        {
            throw new ShapeException(
                $"The backward of {from.Operation} gave a gradient of shape {gradient.Shape} for an input of shape {node.OutputShape}; a gradient has the shape of what it belongs to.");
        }

        BackwardPass pass = current!;
        pass.Trace?.Look(from, gradient);
        if (node is LeafNode leaf)
        {
            pass.DeliverToLeaf(leaf, gradient);
        }
        else
        {
            pass.DeliverToInterior(node, gradient);
        }
    }

    /// <summary>Whether the gradient of a node's output is asked for.</summary>
    public bool IsAskedFor(Node node) => Find(node) is not null;

    /// <summary>Records that someone outside the pass may hold a gradient, so that its buffer is never reused.</summary>
    public static void MarkExposed(Tensor gradient) => gradient.Storage.IsExposed = true;

    /// <summary>Gradients are added in float32: a leaf's sum stays so, any other is rounded when it is passed on.</summary>
    /// <exception cref="ShapeException">One was set by hand and has another shape: broadcast, it would count in many places.</exception>
    public static Tensor Sum(Tensor a, Tensor b)
    {
        if (!a.Shape.Equals(b.Shape))
        {
            throw new ShapeException(
                $"Backward has a gradient of shape {b.Shape} to add to one of shape {a.Shape}, which was set by hand; a gradient has the shape of what it belongs to. Set Gradient to null, or to a tensor of shape {b.Shape}.");
        }

        Precision before = EmulatedPrecision.Set(Precision.Full);
        Tensor sum = a + b;
        EmulatedPrecision.Set(before);
        return sum;
    }

    /// <summary>A copy, in float32 like a leaf's sum; recorded if gradients are.</summary>
    public static Tensor Copy(Tensor gradient)
    {
        Precision before = EmulatedPrecision.Set(Precision.Full);
        Tensor copy = gradient.Clone();
        EmulatedPrecision.Set(before);
        return copy;
    }

    private static BackwardPass Begin(bool createGraph, bool retainGraph, bool accumulateInLeaves)
    {
        // A pass inside another, from a user's own backward, finds none to use.
        BackwardPass pass = spare ?? new BackwardPass();
        spare = null;
        pass.number = Interlocked.Increment(ref passes);
        pass.createGraph = createGraph;
        pass.retainGraph = retainGraph;
        pass.accumulateInLeaves = accumulateInLeaves;
        pass.isAskedForSome = false;
        pass.isSearch = false;
        pass.Trace = AnomalyTrace.Current is { } trace ? new GradientTrace(trace.Roundings) : null;
        return pass;
    }

    private static void CheckThatGraphIsWhole(Node node)
    {
        if (node.IsReleased)
        {
            throw new GradientException(
                $"Backward reached {node.Operation} a second time, but its saved tensors were released when backward first passed. "
                + "Run the forward pass again, or call Backward(retainGraph: true) the first time. If it is a state carried on from an earlier batch, carry on its Detach().");
        }
    }

    private static void CheckThatScaleIsOutermost(Node node, Node root)
    {
        if (node is LossScaleNode && node != root)
        {
            throw new GradientException(
                "Backward reached a loss that was scaled by optimizer.Scale inside of what it was called on, so that gradients would be scaled in part, or twice. "
                + "Scale last, and once: optimizer.Scale(first + second).Backward().");
        }
    }

    private void Run(Tensor root, Tensor seed)
    {
        Node rootNode = root.NodeForGradient!;
        BackwardPass? outer = current;
        GradientTrace? trace = Trace;
        Precision precision = EmulatedPrecision.Current;
        using Recording.Scope untraced = Recording.Untraced();
        bool before = Recording.Set(createGraph);
        current = this;
        scale = (rootNode as LossScaleNode)?.Mark;
        bool isCollected = false;
        try
        {
            if (trace is not null)
            {
                trace.Start(root, rootNode, seed);
            }

            Collect(rootNode, isInside: outer is not null);
            isCollected = true;
            MarkExposed(seed);
            Deliver(rootNode, seed, rootNode);
            foreach (Node node in nodes)
            {
                Visit(node);
            }
        }
        finally
        {
            if (isCollected)
            {
                // Of a pass that was refused there are none, and those of an outer one stay.
                foreach (Node node in nodes)
                {
                    node.ForgetGradients();
                }
            }

            nodes.Clear();
            open.Clear();
            captures.Clear();
            marked.ForEach(entry => entry.Node.VisitedBy = entry.VisitedBy);
            marked.Clear();
            current = outer;
            trace?.Forget();
            Trace = null;
            spare = this;
            Recording.Set(before);
            EmulatedPrecision.Set(precision);
        }

        trace?.End();
    }

    /// <summary>
    /// All nodes that the root depends on, youngest first; where gradients of some tensors are asked for, those on the way to them.
    /// No recursion: a chain may be very long.
    /// </summary>
    private void Collect(Node root, bool isInside)
    {
        if (root is LeafNode)
        {
            return;
        }

        // Inputs are older than what uses them, so what is older than all that is asked for leads to none of it.
        long oldest = isAskedForSome ? captures.Keys.Select(node => node.Sequence).DefaultIfEmpty(long.MaxValue).Min() : long.MinValue;
        Open(root, isInside);
        while (open.TryPop(out Node? node))
        {
            if (node.Sequence > oldest)
            {
                CheckThatGraphIsWhole(node);
            }

            nodes.Add(node);
            foreach (Node? input in node.Inputs)
            {
                if (input is not null and not LeafNode && input.VisitedBy != number && input.Sequence >= oldest)
                {
                    Open(input, isInside);
                }
            }
        }

        nodes.Sort(static (a, b) => b.Sequence.CompareTo(a.Sequence));
        if (isAskedForSome)
        {
            LeaveOutWhatLeadsNowhere();
        }

        foreach (Node node in nodes)
        {
            CheckThatScaleIsOutermost(node, root);
            CheckThatNoThirdDerivativeIsTaken(node);
            if (isInside)
            {
                CheckThatNoOuterPassIsHere(node);
            }
        }
    }

    private void Open(Node node, bool isInside)
    {
        if (isInside)
        {
            marked.Add((node, node.VisitedBy));
        }

        node.VisitedBy = number;
        open.Push(node);
    }

    /// <summary>Leaves out nodes that are not asked for and have no input on the way to one that is; oldest first, so an input is decided before.</summary>
    private void LeaveOutWhatLeadsNowhere()
    {
        for (int i = nodes.Count - 1; i >= 0; i--)
        {
            if (!captures.ContainsKey(nodes[i]) && !LeadsOn(nodes[i]))
            {
                nodes[i].VisitedBy = 0;
            }
        }

        nodes.RemoveAll(node => node.VisitedBy != number);
    }

    /// <summary>Whether an input of a node is asked for, or on the way to one that is.</summary>
    private bool LeadsOn(Node node) => Array.Exists(
        node.Inputs, input => input is not null && (input is LeafNode ? captures.ContainsKey(input) : input.VisitedBy == number));

    private void CheckThatNoThirdDerivativeIsTaken(Node node)
    {
        // An end of the way is asked for, not walked through.
        if (createGraph && node.Order > 0 && (!isAskedForSome || LeadsOn(node)))
        {
            throw new GradientException(
                $"Backward(createGraph: true) reached {node.Operation}, which is itself part of a gradient. Minigrad differentiates twice; "
                + "a third derivative is not supported. Leave createGraph out for the last backward.");
        }
    }

    private static void CheckThatNoOuterPassIsHere(Node node)
    {
        if (node.HasGradient)
        {
            throw new GradientException(
                $"A backward pass inside another reached {node.Operation}, where the outer pass has gathered a gradient that it has not passed on yet. "
                + "Let the inner pass run through operations of its own: begin them from Detach() of what both need.");
        }
    }

    private GradientCapture? Find(Node node) => captures.Count > 0 && captures.TryGetValue(node, out GradientCapture? capture) ? capture : null;

    private GradientCapture CaptureOf(Node node)
    {
        if (!captures.TryGetValue(node, out GradientCapture? capture))
        {
            captures[node] = capture = new GradientCapture();
        }

        return capture;
    }

    private void Visit(Node node)
    {
        bool isEnd = isAskedForSome && !LeadsOn(node);
        if (node.HasGradient)
        {
            Trace?.Visit(node);
            Tensor gradient = node.PendingGradient ?? ZeroGradient(node);
            node.PendingGradient = null;
            EmulatedPrecision.Set(node.Precision);
            if (node.Precision != Precision.Full)
            {
                gradient = Rounded(node, gradient);
            }

            Storage storage = gradient.Storage;
            if (Find(node) is { } capture)
            {
                capture.Gradient = gradient;
                MarkExposed(gradient);
                Trace?.Receive(node, gradient);
            }

            if (node.Retained is { } retained && accumulateInLeaves)
            {
                // A copy: this gradient may be the seed, or belong to others as well, and whose it is may change it in place.
                retained.Gradient = retained.Gradient is { } before ? Sum(before, gradient) : Copy(gradient);
            }

            if (node.ExposesGradient)
            {
                MarkExposed(gradient);
            }

            if (!isEnd)
            {
                // A pass inside this one may have released it since it was collected.
                CheckThatGraphIsWhole(node);
                node.Backward(gradient);
            }

            LetGo(storage);
        }

        if (!retainGraph && !isEnd)
        {
            node.Release();
        }
    }

    private void LetGo(Storage gradient)
    {
        gradient.GradientReferences--;
        if (gradient.GradientReferences == 0 && !gradient.IsExposed && !createGraph)
        {
            gradient.Recycle();
        }
    }

    /// <summary>The gradient of a number in half precision is one as well, whatever it was summed up from.</summary>
    private Tensor Rounded(Node node, Tensor gradient)
    {
        Tensor rounded = EmulatedPrecision.Round(gradient);
        Trace?.LookAtRounded(node, gradient, rounded);
        rounded.Storage.GradientReferences++;
        LetGo(gradient.Storage);
        return rounded;
    }

    /// <summary>Where only another output of the operation has a gradient, this one's is zero.</summary>
    private static Tensor ZeroGradient(Node node)
    {
        Tensor zero = Tensor.Filled(node.OutputShape, 0f, node.OutputBackend!);
        zero.Storage.GradientReferences++;
        return zero;
    }

    private void DeliverToInterior(Node node, Tensor gradient)
    {
        if (node.VisitedBy != number)
        {
            return; // It leads to nothing that is asked for.
        }

        if (node.PendingGradient is not { } pending)
        {
            node.PendingGradient = gradient;
            gradient.Storage.GradientReferences++;
            return;
        }

        Taint? before = Trace is null ? null : Taint.Of(pending.Storage);
        if (!createGraph && IsHeldOnce(pending))
        {
            AddInPlace(pending, gradient);
        }
        else
        {
            pending.Storage.GradientReferences--;
            node.PendingGradient = Sum(pending, gradient);
            node.PendingGradient.Storage.GradientReferences++;
        }

        if (Trace is not null)
        {
            GradientTrace.LookAtSum(node, node.PendingGradient, before, Taint.Of(gradient.Storage));
        }
    }

    private void DeliverToLeaf(LeafNode leaf, Tensor gradient)
    {
        if ((isSearch ? CaptureOf(leaf) : Find(leaf)) is { } capture)
        {
            Taint? before = Trace is null || capture.Gradient is null ? null : Taint.Of(capture.Gradient.Storage);
            capture.Gradient = capture.Gradient is null ? gradient : Sum(capture.Gradient, gradient);
            MarkExposed(capture.Gradient);
            Receive(leaf, capture.Gradient, before, gradient);
        }

        // What was frozen after the forward pass is not to move: a step takes whatever has a gradient.
        Tensor tensor = leaf.Tensor;
        if (!accumulateInLeaves || !tensor.RequiresGradient)
        {
            return;
        }

        Taint? had = Trace is null || tensor.GatheredGradient is null ? null : GradientTrace.Before(leaf, tensor.GatheredGradient);
        ScaleMark? mark = tensor.GatheredGradient is null ? scale : ScaleMark.OfSum(leaf.Mark, scale);
        if (createGraph)
        {
            // A copy, like Own: recorded gradients refer to each other's buffers, and to the seed's.
            tensor.GatheredGradient = tensor.GatheredGradient is { } before ? Sum(before, gradient) : Copy(gradient);
            MarkExposed(tensor.GatheredGradient);
        }
        else if (tensor.GatheredGradient is { } sum && IsHeldOnce(sum) && sum.Producer is null)
        {
            AddInPlace(sum, gradient);
        }
        else
        {
            tensor.GatheredGradient = tensor.GatheredGradient is { } sumBefore ? Sum(sumBefore, gradient) : Own(gradient);
            tensor.GatheredGradient.Storage.GradientReferences++;
        }

        leaf.Mark = mark;
        Receive(leaf, tensor.GatheredGradient, had, gradient);
    }

    /// <summary>Shows the trace what has gathered in a leaf, of what was there before and what came.</summary>
    private void Receive(LeafNode leaf, Tensor sum, Taint? before, Tensor gradient)
    {
        if (Trace is { } trace)
        {
            GradientTrace.LookAtSum(leaf, sum, before, Taint.Of(gradient.Storage));
            trace.Receive(leaf, sum);
        }
    }

    /// <summary>Whether one place refers to a gradient's buffer and no one else can see it, so that it may be changed.</summary>
    private static bool IsHeldOnce(Tensor gradient) =>
        gradient.Storage is { GradientReferences: 1, IsExposed: false };

    /// <summary>The gradient itself if nothing else refers to its buffer, else a copy: clipping will scale it in place.</summary>
    private static Tensor Own(Tensor gradient) =>
        gradient.Storage is { GradientReferences: 0, IsExposed: false } ? gradient : Copy(gradient);

    private static void AddInPlace(Tensor sum, Tensor term)
    {
        sum.Backend.Zip(default(Add), new Operand(sum.Storage), new Operand(term.Storage), sum.Storage);
        sum.Storage.MarkChanged();
    }
}
