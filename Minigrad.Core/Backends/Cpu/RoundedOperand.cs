namespace Minigrad.Backends.Cpu;

/// <summary>
/// The packed form of a matrix whose numbers are rounded when they are packed. It refers to the plain one, and takes its place
/// in the storage: a training step makes a dozen of those, and few programs one of these.
/// </summary>
/// <typeparam name="TRounding">How they are rounded.</typeparam>
/// <param name="storage">Whose numbers.</param>
/// <param name="plain">The packed form of the numbers as they are.</param>
internal sealed class RoundedOperand<TRounding>(CpuStorage storage, PackedOperand plain) : PackedOperand(storage)
{
    /// <inheritdoc/>
    public override PackedOperand Plain => plain;
}
