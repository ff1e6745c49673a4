namespace Minigrad.Autodiff;

/// <summary>
/// One recorded operation: which nodes its inputs came from, and how to push a gradient of its output back to them.
/// </summary>
/// <remarks>
/// <see cref="Backward"/> is written with tensor operations. While gradients are computed plainly they record nothing;
/// under <c>createGraph</c> they record themselves, and so become a graph that can be differentiated again.
/// </remarks>
internal abstract class Node
{
    private static long created;

    /// <summary>A node without inputs, which is no operation.</summary>
    protected Node()
    {
        Inputs = [];
        Sequence = Interlocked.Increment(ref created);
    }

    /// <summary>A node for an operation on some inputs, of which some may be constants.</summary>
    protected Node(params ReadOnlySpan<Tensor> inputs)
    {
        Origin = AnomalyTrace.Current?.OriginOf(inputs);
        Inputs = new Node?[inputs.Length];
        for (int i = 0; i < inputs.Length; i++)
        {
            Inputs[i] = inputs[i].NodeForGradient;
        }

        // After the inputs, since that of a leaf may have been made here.
        Sequence = Interlocked.Increment(ref created);
    }

    /// <summary>The operation's name, as it stands in graphs and messages.</summary>
    public abstract string Operation { get; }

    /// <summary>When the node was made. Inputs are always older than what uses them, so this orders the backward walk.</summary>
    public long Sequence { get; }

    /// <summary>The nodes of the inputs, null for an input that needs no gradient.</summary>
    public Node?[] Inputs { get; private set; }

    /// <summary>The shape of the output, which every gradient arriving here must have.</summary>
    public Shape OutputShape { get; protected set; } = Shape.Scalar;

    /// <summary>Where the output was computed.</summary>
    public Backends.Backend? OutputBackend { get; private set; }

    /// <summary>0 for a node of a forward pass, 1 for one recorded by a backward pass with <c>createGraph</c>.</summary>
    public int Order { get; private set; }

    /// <summary>In which precision the operation was computed, and so its gradients are.</summary>
    public Precision Precision { get; } = EmulatedPrecision.Current;

    /// <summary>Whether backward has passed and what it needed was let go.</summary>
    public bool IsReleased { get; private set; }

    /// <summary>The sum of the gradients that arrived so far in the running backward pass.</summary>
    public Tensor? PendingGradient { get; set; }

    /// <summary>Which backward pass has visited this node.</summary>
    public long VisitedBy { get; set; }

    /// <summary>The output itself, if its gradient is to be kept there (<see cref="Tensor.RetainGradient"/>), or null.</summary>
    public Tensor? Retained { get; set; }

    /// <summary>Where the operation was called and with what, while anomalies are traced; else null.</summary>
    public OperationOrigin? Origin { get; }

    /// <summary>Whether an element of the output depends on the elements of the inputs at its own place only, broadcast.</summary>
    public virtual bool IsElementwise => false;

    /// <summary>The number that is one of the operation's two operands, and whether it is the first; null if there is none.</summary>
    public virtual (float Number, bool IsFirst)? Constant => null;

    /// <summary>The gradients that have arrived, at this output or at another that the operation has.</summary>
    public virtual IEnumerable<Tensor> ArrivedGradients => PendingGradient is null ? [] : [PendingGradient];

    /// <summary>Whether the gradient handed to <see cref="Backward"/> may be kept by someone, so that its buffer is never reused.</summary>
    public virtual bool ExposesGradient => false;

    /// <summary>Whether a gradient has arrived, at this output or at another that the operation has.</summary>
    public virtual bool HasGradient => PendingGradient is not null;

    /// <summary>Makes a tensor the output of this node.</summary>
    public Tensor Output(Tensor result)
    {
        OutputShape = result.Shape;
        OutputBackend = result.Backend;
        Order = BackwardPass.Current is null ? 0 : 1;
        if (Origin is not null && !AnomalyTrace.Look(this, result))
        {
            Release();
            return result;
        }

        result.SetProducer(this);
        return result;
    }

    /// <summary>Where an element of the output is, for messages.</summary>
    public virtual string PlaceText(int element) => Shape.Text(OutputShape.Place(element));

    /// <summary>Pushes the gradient of the output back: calls <see cref="Give"/> for each input that needs it.</summary>
    public abstract void Backward(Tensor gradient);

    /// <summary>Lets go of gradients that arrived in a pass that is over.</summary>
    public virtual void ForgetGradients() => PendingGradient = null;

    /// <summary>Lets go of inputs and saved tensors after backward has passed.</summary>
    public void Release()
    {
        IsReleased = true;
        Inputs = [];
        Retained = null;
        Origin?.Release();
        ReleaseSaved();
    }

    /// <summary>Lets go of saved tensors.</summary>
    protected virtual void ReleaseSaved()
    {
    }

    /// <summary>Whether an input asks for a gradient.</summary>
    protected bool Needs(int input) => Inputs[input] is not null;

    /// <summary>Hands an input its share of the gradient, to be added to what it has.</summary>
    protected void Give(int input, Tensor gradient)
    {
        if (Inputs[input] is { } node)
        {
            BackwardPass.Deliver(node, gradient, this);
        }
    }
}
