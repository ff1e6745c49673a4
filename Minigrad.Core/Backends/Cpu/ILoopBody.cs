using Minigrad.Numerics;

namespace Minigrad.Backends.Cpu;

/// <summary>The body of a loop that <see cref="Workers"/> runs item by item.</summary>
internal interface ILoopBody
{
    /// <summary>Does one item's share of the work.</summary>
    /// <typeparam name="TLanes">The widest lanes that this machine has.</typeparam>
    /// <param name="item">The number of the item, from 0.</param>
    void Run<TLanes>(int item)
        where TLanes : struct, ILanes<TLanes>;
}
