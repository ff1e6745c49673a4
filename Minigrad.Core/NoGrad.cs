using Minigrad.Autodiff;

namespace Minigrad;

/// <summary>
/// Until disposed, operations on this thread record nothing: no node, no closure, no memory kept for backward. For
/// evaluation and for changing parameters by hand.
/// </summary>
/// <remarks>
/// Do not <c>await</c> inside: the program may go on on another thread, which would record, and leave this one in the scope for whatever
/// runs there next.
/// </remarks>
/// <example><code>using (new NoGrad()) { accuracy = Accuracy(model.Forward(x), labels); }</code></example>
public sealed class NoGrad : IDisposable
{
    private readonly bool before = Recording.Set(false);
    private bool isDisposed;

    /// <summary>
    /// Goes back to what was in force before; once, so that a second call does not end another scope. Scopes end in the reverse of
    /// the order in which they began, as <c>using</c> does it.
    /// </summary>
    public void Dispose()
    {
        if (!isDisposed)
        {
            isDisposed = true;
            Recording.Set(before);
        }
    }
}
