namespace Minigrad.Backends;

/// <summary>One parameter of an update: the parameter, its gradient as clipping left it, and what the rule remembers.</summary>
/// <param name="Parameter">The parameter, changed in place.</param>
/// <param name="Gradient">Its gradient, as long as the parameter; read only.</param>
/// <param name="Scale">What clipping has decided but not written.</param>
/// <param name="State">The rule's numbers, each as long as the parameter, changed in place.</param>
public readonly record struct UpdateTarget(Storage Parameter, Storage Gradient, GradientScale Scale, IReadOnlyList<Storage> State);
