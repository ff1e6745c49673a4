namespace Minigrad.Optimizers;

/// <summary>What an output unit of a weight is, which a vector is one of in either layout.</summary>
public enum UnitLayout
{
    /// <summary>A row, with all dimensions but the first joined: weights are <c>[out, in]</c>, as in Minigrad and PyTorch.</summary>
    Rows,

    /// <summary>A column, with all dimensions but the last joined: weights are <c>[in, out]</c>, as in Keras and JAX.</summary>
    Columns,
}
