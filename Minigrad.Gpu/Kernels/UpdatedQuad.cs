namespace Minigrad.Gpu.Kernels;

/// <summary>Four elements of a parameter and what a rule remembers of them, in a thread's registers between reading and writing.</summary>
internal struct UpdatedQuad
{
    /// <summary>The parameter's elements.</summary>
    public Quad Parameters;

    /// <summary>The first remembered number of each.</summary>
    public Quad First;

    /// <summary>The second.</summary>
    public Quad Second;

    /// <summary>The third.</summary>
    public Quad Third;
}
