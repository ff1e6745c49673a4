using Minigrad.Autodiff;
using Minigrad.Backends;

namespace Minigrad;

/// <summary>
/// A dense row-major array of float32 numbers that can remember how it was computed, so that gradients flow back
/// through it. Nobody disposes it: its memory returns to a pool by itself.
/// </summary>
/// <remarks>
/// Operations never change their inputs; the few methods that change a tensor in place say so. <see cref="Reshape"/> and its like
/// (<see cref="Flatten(int)"/>, <see cref="Squeeze"/>, <see cref="Unsqueeze"/>) and <see cref="Detach"/> share the numbers with their source, and a layer
/// with nothing to do, as a dropout in evaluation, gives its input itself. Every other operation has numbers of its own, whatever the shape.
/// </remarks>
public sealed partial class Tensor
{
    // What computed this tensor, or the leaf where its gradient gathers: it has one of them at most.
    private Node? node;
    private Tensor? gradient;
    private bool isGradientSeen;
    private bool requiresGradient;

    internal Tensor(Shape shape, Storage storage)
    {
        Shape = shape;
        Storage = storage;
    }

    /// <summary>The dimensions.</summary>
    public Shape Shape { get; }

    /// <summary>The number of dimensions.</summary>
    public int Rank => Shape.Rank;

    /// <summary>The number of elements.</summary>
    public int Length => Shape.Size;

    /// <summary>The backend that holds the numbers and computes with them.</summary>
    public Backend Backend => Storage.Backend;

    /// <summary>What a person calls this tensor, as <c>encoder.0.weight</c>; modules name their parameters.</summary>
    public string? Name { get; set; }

    /// <summary>
    /// The sum of the gradients that backward has added, or null before the first. A later backward may add to the tensor that was read;
    /// <see cref="Clone"/> it to keep it as it is. It gathers only in tensors that the
    /// user made with <see cref="RequiresGradient"/>, and in results that were told to <see cref="RetainGradient"/>; see
    /// <see cref="Gradients"/> for any other.
    /// </summary>
    public Tensor? Gradient
    {
        get
        {
            isGradientSeen = true;
            return gradient;
        }

        set
        {
            if (value is null)
            {
                ReturnUnseenGradient();
            }
            else
            {
                // It may be the gradient of another tensor too, to which nothing is to be added that is not its own.
                BackwardPass.MarkExposed(value);
            }

            GatheredGradient = value;
            isGradientSeen = true;
        }
    }

    /// <summary>Whether a gradient can flow back to this tensor.</summary>
    /// <remarks>
    /// What is computed while it is false never brings it one. Set to false afterwards, backward brings it none until it is true again.
    /// </remarks>
    /// <exception cref="GradientException">Set on a tensor that was computed from others.</exception>
    public bool RequiresGradient
    {
        get => requiresGradient || Producer is not null;
        set
        {
            if (Producer is not null)
            {
                throw new GradientException(
                    $"RequiresGradient was set on the result of {Producer.Operation}; it follows from the inputs there. Set it on a tensor you created, or use Detach() first.");
            }

            requiresGradient = value;
        }
    }

    /// <summary>
    /// The gradient for those who do not hand it on. As long as no one else has seen it, letting go of it gives its buffer back to
    /// the pool at once, so that the next backward writes to memory that is still in cache, and no collection has to find it.
    /// </summary>
    internal Tensor? GatheredGradient
    {
        get => gradient;
        set
        {
            gradient = value;
            isGradientSeen = false;
            GradientMark = null;
        }
    }

    /// <summary>The numbers, to which several tensors may refer.</summary>
    internal Storage Storage { get; private set; }

    /// <summary>What computes with the numbers: the backend, or that with rounding in a scope of <see cref="EmulatedPrecision"/>.</summary>
    internal Backend Loops => EmulatedPrecision.Loops(Storage.Backend);

    /// <summary>The table that this tensor's rows were looked up in, or null.</summary>
    internal RowLookup? Lookup { get; private set; }

    /// <summary>The operation that computed this tensor, if it was recorded.</summary>
    internal Node? Producer => node is LeafNode ? null : node;

    /// <summary>Which loss scale the <see cref="Gradient"/> is multiplied by; null for none, or if it was set by hand.</summary>
    internal ScaleMark? GradientMark
    {
        get => (node as LeafNode)?.Mark;
        set
        {
            if (node is LeafNode leaf)
            {
                leaf.Mark = value;
            }
        }
    }

    /// <summary>Where a gradient of this tensor goes, or null if it needs none.</summary>
    internal Node? NodeForGradient => !requiresGradient ? Producer : node ?? TheOneLeaf();

    /// <summary>Asks for a gradient: <c>Tensor w = Tensor.Zeros(3).WithGradient();</c></summary>
    /// <param name="name">A name for messages and reports.</param>
    /// <returns>This tensor.</returns>
    /// <exception cref="GradientException">The tensor was computed from others.</exception>
    public Tensor WithGradient(string? name = null)
    {
        RequiresGradient = true;
        Name = name ?? Name;
        return this;
    }

    /// <summary>
    /// Keeps the gradient of a computed tensor too: the next backward adds it to <see cref="Gradient"/>. To look at what
    /// arrives at a layer's output. A tensor that the user made keeps its gradient anyway.
    /// </summary>
    /// <exception cref="GradientException">No gradient flows back to this tensor.</exception>
    public void RetainGradient()
    {
        if (!RequiresGradient)
        {
            throw new GradientException(
                $"RetainGradient was called on a tensor of shape {Shape} to which no gradient flows back: nothing that it was computed from asks for one. "
                + "Call WithGradient() on what to differentiate by, and compute outside NoGrad.");
        }

        if (Producer is not null)
        {
            Producer.Retained = this;
        }
    }

    /// <summary>
    /// Adds ∂this/∂x to the <see cref="Gradient"/> of every tensor x that asked for one and that this was computed from.
    /// </summary>
    /// <param name="gradient">The gradient to start from, of this tensor's shape; needed unless this is a single number.</param>
    /// <param name="createGraph">Whether to record the computation of the gradients, so that they can be differentiated once more.</param>
    /// <param name="retainGraph">Whether to keep what backward needs for another backward through the same graph; null is as <paramref name="createGraph"/>.</param>
    /// <exception cref="GradientException">
    /// Nothing that this was computed from asks for a gradient; no starting gradient was given for more than one number;
    /// a saved tensor was changed in place; backward has passed here before; or a third derivative was asked for.
    /// </exception>
    /// <exception cref="ShapeException">The starting gradient has another shape.</exception>
    public void Backward(Tensor? gradient = null, bool createGraph = false, bool? retainGraph = null)
    {
        Tensor seed = Seed(gradient, nameof(Backward));
        if (NodeForGradient is LeafNode)
        {
            Tensor flow = createGraph ? seed : seed.Detach();
            Gradient = Gradient is { } before ? BackwardPass.Sum(before, flow) : BackwardPass.Copy(flow);
            return;
        }

        BackwardPass.Accumulate(this, seed, createGraph, retainGraph ?? createGraph);
    }

    /// <summary>
    /// The gradients ∂y/∂x of one tensor with respect to others, as a function: no <see cref="Gradient"/> is touched. Only
    /// operations between y and <paramref name="xs"/> are walked, and let go: what the xs were computed by is left as it is.
    /// </summary>
    /// <param name="y">What to differentiate; a single number unless <paramref name="gradient"/> is given.</param>
    /// <param name="xs">With respect to what: any tensors on the way to y.</param>
    /// <param name="gradient">The gradient to start from, of y's shape.</param>
    /// <param name="createGraph">Whether the gradients can themselves be differentiated.</param>
    /// <param name="retainGraph">Whether to keep the graph for another backward; null is as <paramref name="createGraph"/>.</param>
    /// <returns>One gradient for each of <paramref name="xs"/>, of its shape; zeros where y does not depend on it.</returns>
    /// <exception cref="GradientException">As for <see cref="Backward"/>, or one of <paramref name="xs"/> asks for no gradient.</exception>
    /// <exception cref="ShapeException">The starting gradient has another shape.</exception>
    /// <exception cref="ArgumentException">One of <paramref name="xs"/> is null.</exception>
    public static Tensor[] Gradients(
        Tensor y, IReadOnlyList<Tensor> xs, Tensor? gradient = null, bool createGraph = false, bool? retainGraph = null)
    {
        ArgumentNullException.ThrowIfNull(y);
        ArgumentNullException.ThrowIfNull(xs);
        CheckNotNull(xs, nameof(Gradients));
        for (int i = 0; i < xs.Count; i++)
        {
            if (!xs[i].RequiresGradient)
            {
                throw new GradientException(
                    $"Gradients: tensor {i} of the list, {xs[i].Name ?? "unnamed"} of shape {xs[i].Shape}, asks for no gradient. Call WithGradient() on it before y is computed.");
            }
        }

        Tensor seed = y.Seed(gradient, nameof(Gradients));
        Tensor?[] gradients = BackwardPass.Gradients(y, seed, xs, createGraph, retainGraph ?? createGraph);
        Tensor[] result = new Tensor[xs.Count];
        for (int i = 0; i < xs.Count; i++)
        {
            result[i] = gradients[i] ?? (ReferenceEquals(xs[i], y) ? seed : Filled(xs[i].Shape, 0f, xs[i].Backend));
        }

        return result;
    }

    /// <summary>The same numbers, shared, without the memory of how they were computed.</summary>
    public Tensor Detach() => new(Shape, Storage) { Name = Name };

    /// <summary>The single number of a tensor that has one element, of whatever rank.</summary>
    /// <exception cref="ShapeException">There is not exactly one element.</exception>
    public float Item()
    {
        if (Length != 1)
        {
            throw new ShapeException(
                $"Item() reads a tensor of one element, but this one has shape {Shape}, {Length} elements. Index it first, or use ToArray().");
        }

        Span<float> value = stackalloc float[1];
        Backend.Download(Storage, value);
        return value[0];
    }

    /// <summary>A copy of all elements in row-major order.</summary>
    public float[] ToArray()
    {
        float[] result = new float[Length];
        Backend.Download(Storage, result);
        return result;
    }

    /// <summary>This tensor on another backend; itself if it is there already. The copy is not recorded.</summary>
    /// <param name="backend">The backend.</param>
    /// <exception cref="GradientException">The tensor is part of a recorded graph, which does not move.</exception>
    public Tensor To(Backend backend)
    {
        ArgumentNullException.ThrowIfNull(backend);
        if (ReferenceEquals(backend, Backend))
        {
            return this;
        }

        if (Producer is not null)
        {
            throw new GradientException(
                $"To({backend.Name}) was called on the result of {Producer.Operation}, which is part of a recorded graph. Move inputs and parameters before the forward pass, or Detach() first.");
        }

        Storage storage = backend.Allocate(Length);
        backend.Upload(ToArray(), storage);
        Taint.Copy(Storage, storage);
        return new Tensor(Shape, storage) { Name = Name, requiresGradient = requiresGradient };
    }

    /// <summary>
    /// Overwrites all elements in place with those of another tensor of the same shape. Numbers alone are copied: no gradient
    /// flows to how the source was computed.
    /// </summary>
    /// <param name="source">Where to copy from; it may be on another backend.</param>
    /// <exception cref="ShapeException">The shapes differ.</exception>
    /// <exception cref="GradientException">This tensor is recorded, or asks for a gradient outside <see cref="NoGrad"/>.</exception>
    public void Assign(Tensor source)
    {
        ArgumentNullException.ThrowIfNull(source);
        if (!source.Shape.Equals(Shape))
        {
            throw new ShapeException(
                $"Assign: a tensor of shape {source.Shape} was assigned to one of shape {Shape}; both must have the same shape. Reshape or Expand the source.");
        }

        Tensor local = source.Detach().To(Backend);
        StridedLayout layout = StridedLayout.RowMajor(Shape);
        ChangeInPlace(nameof(Assign));
        Backend.Copy(local.Storage, layout, Storage, layout, Shape);
        Taint.Copy(local.Storage, Storage);
    }

    /// <summary>Overwrites all elements in place with numbers in row-major order.</summary>
    /// <param name="values">As many numbers as there are elements.</param>
    /// <exception cref="ShapeException">The number of values is not the number of elements.</exception>
    /// <exception cref="GradientException">This tensor is recorded, or asks for a gradient outside <see cref="NoGrad"/>.</exception>
    public void Assign(ReadOnlySpan<float> values)
    {
        if (values.Length != Length)
        {
            throw new ShapeException(
                $"Assign: {values.Length} numbers were given for a tensor of shape {Shape}, which has {Length} elements.");
        }

        ChangeInPlace(nameof(Assign));
        Backend.Upload(values, Storage);
    }

    /// <summary>Sets all elements in place to one value.</summary>
    /// <param name="value">The value.</param>
    /// <exception cref="GradientException">This tensor is recorded, or asks for a gradient outside <see cref="NoGrad"/>.</exception>
    public void Fill(float value)
    {
        ChangeInPlace(nameof(Fill));
        Backend.Fill(Storage, value);
    }

    /// <summary>
    /// An operation of your own with a backward of your own, where <see cref="Map{TOp}(TOp)"/> does not reach.
    /// </summary>
    /// <param name="name">What messages and graphs call it.</param>
    /// <param name="inputs">The tensors that it depends on.</param>
    /// <param name="forward">Computes the result; nothing inside is recorded. It may give an input itself, which shares its numbers then.</param>
    /// <param name="backward">
    /// From the gradient of the result, the gradients of the inputs, in order and each of its input's shape; null where
    /// there is none. Nothing inside is recorded either, unless the gradients are asked for with createGraph: written with tensor operations,
    /// they can be differentiated again then. It reads tensors as they are by then: that one was changed in place since is not noticed.
    /// </param>
    /// <exception cref="ArgumentException">An input is null, or <paramref name="forward"/> gave null.</exception>
    public static Tensor Custom(
        string name, IReadOnlyList<Tensor> inputs, Func<Tensor> forward, Func<Tensor, Tensor?[]> backward)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(inputs);
        ArgumentNullException.ThrowIfNull(forward);
        ArgumentNullException.ThrowIfNull(backward);
        CheckNotNull(inputs, name);
        Tensor y;
        using (new NoGrad())
        {
            y = forward() ?? throw new ArgumentException($"The forward of {name} gave null; it must give a tensor.", nameof(forward));
        }

        // The result may be one of the inputs, or share its numbers; a node's output must be a tensor of its own.
        return IsRecorded(inputs)
            ? new CustomNode(name, [.. inputs], backward).Output(new Tensor(y.Shape, y.Storage))
            : y;
    }

    /// <summary>Moves the numbers, and the gradient if there is one, to another backend. Only for tensors that nothing was recorded from.</summary>
    internal void MoveTo(Backend backend)
    {
        ScaleMark? mark = GradientMark;
        Storage = To(backend).Storage;
        Gradient = Gradient?.Detach().To(backend);
        GradientMark = mark;
    }

    /// <summary>This loss times a loss scale; gradients from there on are known to be scaled.</summary>
    internal Tensor ScaledAsLoss(Tensor scale, ScaleMark mark)
    {
        Precision before = EmulatedPrecision.Set(Precision.Full);
        try
        {
            Tensor y = Zip(this, scale, default(Operations.Multiply));
            return IsRecorded(this) ? new LossScaleNode(this, scale, mark).Output(y) : y;
        }
        finally
        {
            EmulatedPrecision.Set(before);
        }
    }

    /// <summary>Says that the present gradient is looked at even when this tensor has let go of it, so its buffer is not reused.</summary>
    internal void KeepGradient() => isGradientSeen = true;

    /// <summary>Makes this tensor the output of a node.</summary>
    internal void SetProducer(Node producer) => node = producer;

    /// <summary>A tensor of undefined contents on a backend.</summary>
    internal static Tensor Allocate(Shape shape, Backend backend) => new(shape, backend.Allocate(shape.Size));

    /// <summary>Whether an operation on these inputs makes a node: to be recorded, or for a trace to look at.</summary>
    internal static bool IsRecorded(Tensor a) => Recording.IsPlain ? a.RequiresGradient : Recording.IsTraced;

    /// <inheritdoc cref="IsRecorded(Tensor)"/>
    internal static bool IsRecorded(Tensor a, Tensor b) =>
        Recording.IsPlain ? a.RequiresGradient || b.RequiresGradient : Recording.IsTraced;

    /// <inheritdoc cref="IsRecorded(Tensor)"/>
    internal static bool IsRecorded(IReadOnlyList<Tensor> inputs) =>
        Recording.IsPlain ? inputs.Any(input => input.RequiresGradient) : Recording.IsTraced;

    /// <summary>A result through which no gradient flows: nothing is recorded, but a trace looks at it.</summary>
    internal static Tensor Constant(string operation, Tensor result, params ReadOnlySpan<Tensor> inputs)
    {
        if (!Recording.IsTraced)
        {
            return result;
        }

        Tensor[] constants = new Tensor[inputs.Length];
        for (int i = 0; i < constants.Length; i++)
        {
            constants[i] = inputs[i].Detach();
        }

        return new CustomNode(operation, constants, static _ => []).Output(result);
    }

    /// <summary>What computes with two operands of one backend.</summary>
    /// <exception cref="InvalidOperationException">They are on different ones.</exception>
    internal static Backend CommonBackend(Tensor a, Tensor b, string operation) =>
        ReferenceEquals(a.Backend, b.Backend)
            ? a.Loops
            : throw new InvalidOperationException(
                $"{operation}: one operand, {a.Shape}, is on {a.Backend.Name} and the other, {b.Shape}, on {b.Backend.NameBeside(a.Backend)}. Move one with To(other.Backend).");

    /// <summary>Threads may meet a new leaf at once. Were each given a node of its own, all but one would miss the gradients asked for.</summary>
    private Node TheOneLeaf()
    {
        LeafNode made = new(this);
        return Interlocked.CompareExchange(ref node, made, null) ?? made;
    }

    private void ReturnUnseenGradient()
    {
        if (!isGradientSeen && gradient is { Producer: null, Storage: { GradientReferences: 1, IsExposed: false } unseen })
        {
            unseen.Recycle();
        }
    }

    private Tensor Seed(Tensor? gradient, string operation)
    {
        if (!RequiresGradient)
        {
            throw new GradientException(
                $"{operation} was called on a constant: nothing that this tensor of shape {Shape} was computed from asks for a gradient. "
                + "Call WithGradient() on the tensors to differentiate by before computing with them, and compute outside NoGrad and the backward of an operation of your own, where nothing is recorded.");
        }

        if (gradient is null)
        {
            return Length == 1
                ? Filled(Shape, 1f, Backend)
                : throw new GradientException(
                    $"{operation} needs a starting gradient for a tensor of shape {Shape}, because only a single number has the natural one, 1. Reduce it first (Sum() or Mean()), or pass a gradient of shape {Shape}.");
        }

        CommonBackend(this, gradient, operation);
        return gradient.Shape.Equals(Shape)
            ? gradient
            : throw new ShapeException(
                $"{operation}: the starting gradient has shape {gradient.Shape}, but the tensor has shape {Shape}; they must be the same.");
    }

    private void ChangeInPlace(string operation)
    {
        if (Producer is not null || (requiresGradient && Recording.IsOn))
        {
            string what = Producer is null ? "a tensor that asks for a gradient" : $"the recorded result of {Producer.Operation}";
            throw new GradientException(
                $"{operation} would change {what} in place, which backward could not follow. Do it inside `using (new NoGrad())`"
                + (Producer is null ? "." : ", on a Detach()ed or Clone()d tensor."));
        }

        Storage.MarkChanged();
    }
}
