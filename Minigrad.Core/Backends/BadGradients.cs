namespace Minigrad.Backends;

/// <summary>What deferred steps do about gradients that no update can be made with.</summary>
public enum BadGradients
{
    /// <summary>The update of this step and of all later ones is withheld, until the host has acknowledged it.</summary>
    Stop,

    /// <summary>The update of this step is withheld.</summary>
    Skip,

    /// <summary>Bad elements are read as 0.</summary>
    ReadAsZero,

    /// <summary>Nothing is done.</summary>
    Use,
}
