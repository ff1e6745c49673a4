using Minigrad.Autodiff;
using Minigrad.Backends;
using Minigrad.Operations;

namespace Minigrad;

/// <content>Matrix products.</content>
public sealed partial class Tensor
{
    /// <summary>
    /// The matrix product. <c>[n, k] × [k, m] → [n, m]</c>; leading dimensions are batches and broadcast; a tensor of one
    /// dimension is a row on the left and a column on the right, and that dimension is removed from the result.
    /// </summary>
    /// <param name="other">The right operand.</param>
    /// <param name="transposeLeft">Whether this is read transposed, <c>[k, n]</c>, without copying it.</param>
    /// <param name="transposeRight">Whether the other is read transposed, <c>[m, k]</c>, without copying it.</param>
    /// <exception cref="ShapeException">The inner dimensions differ, the batches do not broadcast, or an operand is a scalar.</exception>
    public Tensor MatMul(Tensor other, bool transposeLeft = false, bool transposeRight = false)
    {
        ArgumentNullException.ThrowIfNull(other);
        CheckProduct(other, transposeLeft, transposeRight);
        if (Rank == 1)
        {
            Tensor product = Reshape(1, Length).MatMul(other, false, transposeRight);
            return product.Squeeze(other.Rank == 1 ? 0 : -2);
        }

        if (other.Rank == 1)
        {
            return MatMul(other.Reshape(other.Length, 1), transposeLeft, false).Squeeze(-1);
        }

        if (other.Rank == 2 && Rank > 2 && !transposeLeft)
        {
            // All matrices of a batch meet the same right operand: one product with the rows of all of them.
            return OfRows(Rows.MatMul(other, false, transposeRight));
        }

        Tensor y = MatrixProduct(this, other, transposeLeft, transposeRight);
        return IsRecorded(this, other)
            ? new MatrixProductNode(this, other, transposeLeft, transposeRight).Output(y)
            : y;
    }

    /// <summary>
    /// x · weightᵀ + bias, a fully connected layer: <c>[…, in] × [out, in] → […, out]</c>.
    /// </summary>
    /// <param name="weight">The weights, <c>[out, in]</c>.</param>
    /// <param name="bias">What to add to each row, <c>[out]</c>, or null.</param>
    /// <exception cref="ShapeException">The last dimension is not in, or the bias is not <c>[out]</c>.</exception>
    public Tensor Linear(Tensor weight, Tensor? bias = null)
    {
        ArgumentNullException.ThrowIfNull(weight);
        if (bias is null || !IsOnePass(weight, bias))
        {
            Tensor product = MatMul(weight, transposeRight: true);
            return bias is null ? product : product + bias;
        }

        if (Rank > 2)
        {
            return OfRows(Rows.Linear(weight, bias));
        }

        Tensor y = ActivatedProduct(weight, bias, default(Identity));
        return IsRecorded(this, weight) || IsRecorded(bias) ? new LinearNode(this, weight, bias).Output(y) : y;
    }

    /// <summary>f(x · weightᵀ + bias) in one pass where that is possible, else as two operations; the bits are the same.</summary>
    internal Tensor Linear<TActivation>(Tensor weight, Tensor? bias, TActivation activation)
        where TActivation : unmanaged, IOutputSlope
    {
        if (bias is null || !IsOnePass(weight, bias))
        {
            return Linear(weight, bias).MapFromOutput(activation);
        }

        if (Rank > 2)
        {
            return OfRows(Rows.Linear(weight, bias, activation));
        }

        Tensor y = ActivatedProduct(weight, bias, activation);
        return IsRecorded(this, weight) || IsRecorded(bias)
            ? new ActivatedLinearNode<TActivation>(activation, this, weight, bias).SaveOutput(y)
            : y;
    }

    /// <summary>A batch of matrix products of operands of at least two dimensions; recorded only under createGraph.</summary>
    internal static Tensor MatrixProduct(Tensor a, Tensor b, bool transposeLeft, bool transposeRight)
    {
        if (BackwardPass.Current is not null && IsRecorded(a, b))
        {
            return MatrixProductOfGradients(a, b, transposeLeft, transposeRight);
        }

        Backend backend = CommonBackend(a, b, "MatMul");
        MatrixProductShape shape = new(a.Shape[transposeLeft ? -1 : -2], b.Shape[transposeRight ? -2 : -1], a.Shape[transposeLeft ? -2 : -1])
        {
            TransposeLeft = transposeLeft,
            TransposeRight = transposeRight,
        };
        if (a.Rank == 2 && b.Rank == 2)
        {
            Tensor product = Allocate(Shape.Create(shape.Rows, shape.Columns), backend);
            backend.MatrixProduct(shape, a.Storage, b.Storage, product.Storage);
            return product;
        }

        Shape batch = Shape.Broadcast(a.BatchShape, b.BatchShape, "MatMul (batch dimensions)");
        bool sharedLeft = a.BatchShape.Size == 1 && batch.Size != 1;
        bool sharedRight = b.BatchShape.Size == 1 && batch.Size != 1;
        using Recording.Scope untraced = Recording.Untraced();
        Tensor left = sharedLeft ? a : a.Detach().ExpandBatch(batch);
        Tensor right = sharedRight ? b : b.Detach().ExpandBatch(batch);
        Tensor y = Allocate(Shape.Create([.. batch.Dimensions, shape.Rows, shape.Columns]), backend);
        shape = shape with { Batch = batch.Size, SharedLeft = sharedLeft, SharedRight = sharedRight };
        backend.MatrixProduct(shape, left.Storage, right.Storage, y.Storage);
        return y;
    }

    /// <summary>Under createGraph, the products of a backward pass are recorded like any other.</summary>
    private static Tensor MatrixProductOfGradients(Tensor a, Tensor b, bool transposeLeft, bool transposeRight)
    {
        bool before = Recording.Set(false);
        Tensor y;
        try
        {
            y = MatrixProduct(a, b, transposeLeft, transposeRight);
        }
        finally
        {
            Recording.Set(before);
        }

        return new MatrixProductNode(a, b, transposeLeft, transposeRight).Output(y);
    }

    /// <summary>Whether a product can finish with the bias: not where it broadcasts otherwise, and not under createGraph, whose graph is of primitives.</summary>
    private bool IsOnePass(Tensor weight, Tensor bias) =>
        Rank >= 2 && weight.Rank == 2 && bias.Rank == 1 && bias.Length == weight.Shape[0] && BackwardPass.Current is null;

    private Tensor ActivatedProduct<TActivation>(Tensor weight, Tensor bias, TActivation activation)
        where TActivation : unmanaged, IUnaryOp
    {
        CheckProduct(weight, false, true);
        Backend backend = CommonBackend(this, weight, "Linear");
        CommonBackend(this, bias, "Linear");
        Tensor y = Allocate(Shape.Create(Shape[0], weight.Shape[0]), backend);
        MatrixProductShape shape = new(Shape[0], weight.Shape[0], Shape[1]) { TransposeRight = true };
        backend.MatrixProduct(shape, Storage, weight.Storage, y.Storage, bias.Storage, activation);
        return y;
    }

    /// <summary>The rows of all batches, as a matrix.</summary>
    private Tensor Rows => Reshape(Shape.Product(0, Rank - 1), Shape[-1]);

    /// <summary>A matrix with one row for each of this tensor's, in this tensor's batches.</summary>
    private Tensor OfRows(Tensor rows) => rows.Reshape([.. Shape.Dimensions[..^1], rows.Shape[-1]]);

    private Shape BatchShape => Shape.Create(Shape.Dimensions[..^2]);

    private Tensor ExpandBatch(Shape batch) => Expand([.. batch.Dimensions, Shape[-2], Shape[-1]]);

    private void CheckProduct(Tensor other, bool transposeLeft, bool transposeRight)
    {
        if (Rank == 0 || other.Rank == 0)
        {
            throw new ShapeException(
                $"MatMul: shapes {Shape} and {other.Shape}: a scalar cannot be an operand of a matrix product. Multiply by it with *.");
        }

        int left = Rank == 1 ? -1 : transposeLeft ? -2 : -1;
        int right = other.Rank == 1 ? -1 : transposeRight ? -1 : -2;
        if (Shape[left] == other.Shape[right])
        {
            return;
        }

        string leftText = transposeLeft && Rank > 1 ? $"{Shape} (read transposed)" : Shape.ToString();
        string rightText = transposeRight && other.Rank > 1 ? $"{other.Shape} (read transposed)" : other.Shape.ToString();
        int fitting = right == -1 ? -2 : -1;
        string suggestion = other.Rank > 1 && Shape[left] == other.Shape[fitting]
            ? $"The right operand would fit transposed: pass transposeRight: {(transposeRight ? "false" : "true")}."
            : "Check which dimension holds the features.";
        throw new ShapeException(
            $"MatMul: shapes {leftText} and {rightText} do not fit: dimension {left} of the left operand is {Shape[left]} and dimension {right} of the right operand is {other.Shape[right]}; these inner dimensions must be equal. {suggestion}");
    }
}
