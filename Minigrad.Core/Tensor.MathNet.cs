using MathNet.Numerics.LinearAlgebra;

namespace Minigrad;

/// <content>Conversion from and to MathNet's matrices and vectors.</content>
public sealed partial class Tensor
{
    /// <summary>A tensor <c>[rows, columns]</c> with a matrix's numbers.</summary>
    /// <param name="matrix">The matrix.</param>
    public static Tensor Of(Matrix<float> matrix)
    {
        ArgumentNullException.ThrowIfNull(matrix);
        return Of(matrix.ToRowMajorArray(), matrix.RowCount, matrix.ColumnCount);
    }

    /// <summary>A tensor <c>[rows, columns]</c> with a matrix's numbers, rounded to float32.</summary>
    /// <param name="matrix">The matrix.</param>
    public static Tensor Of(Matrix<double> matrix)
    {
        ArgumentNullException.ThrowIfNull(matrix);
        return Of(Array.ConvertAll(matrix.ToRowMajorArray(), value => (float)value), matrix.RowCount, matrix.ColumnCount);
    }

    /// <summary>A tensor <c>[n]</c> with a vector's numbers.</summary>
    /// <param name="vector">The vector.</param>
    public static Tensor Of(Vector<float> vector)
    {
        ArgumentNullException.ThrowIfNull(vector);
        return Of(vector.ToArray());
    }

    /// <summary>A tensor <c>[n]</c> with a vector's numbers, rounded to float32.</summary>
    /// <param name="vector">The vector.</param>
    public static Tensor Of(Vector<double> vector)
    {
        ArgumentNullException.ThrowIfNull(vector);
        return Of(Array.ConvertAll(vector.ToArray(), value => (float)value));
    }

    /// <summary>A matrix with the numbers of this tensor, which must have two dimensions.</summary>
    /// <exception cref="ShapeException">The tensor has not two dimensions.</exception>
    public Matrix<float> ToMatrix()
    {
        if (Rank != 2)
        {
            throw new ShapeException($"ToMatrix: a matrix has two dimensions, but the tensor has shape {Shape}; reshape it first.");
        }

        return Matrix<float>.Build.DenseOfRowMajor(Shape[0], Shape[1], ToArray());
    }

    /// <summary>A vector with the numbers of this tensor, which must have one dimension.</summary>
    /// <exception cref="ShapeException">The tensor has not one dimension.</exception>
    public Vector<float> ToVector() =>
        Rank == 1
            ? Vector<float>.Build.Dense(ToArray())
            : throw new ShapeException($"ToVector: a vector has one dimension, but the tensor has shape {Shape}; use Flatten() first.");
}
