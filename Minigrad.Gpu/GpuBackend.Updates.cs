using ILGPU;
using Minigrad.Backends;
using Minigrad.Gpu.Kernels;

namespace Minigrad.Gpu;

/// <content>Optimizer updates.</content>
public sealed partial class GpuBackend
{
    /// <inheritdoc/>
    public override void Update<TRule>(TRule rule, ReadOnlySpan<UpdateTarget> targets)
    {
        foreach (ref readonly UpdateTarget target in targets)
        {
            ArrayView<float> parameter = View(target.Parameter);
            GradientScale scale = target.Scale;
            UpdateArguments arguments = new(
                scale.First,
                scale.Second,
                scale.Low,
                scale.High,
                scale.UnitFactors is { } factors ? View(factors) : parameter,
                scale.UnitFactors is null ? 0 : scale.UnitLength,
                scale.UnitCount);
            queue.Launch(
                UpdateKernels.Update<TRule>,
                target.Parameter.Length,
                rule,
                arguments,
                parameter,
                View(target.Gradient),
                rule.StateCount > 0 ? View(target.State[0]) : parameter,
                rule.StateCount > 1 ? View(target.State[1]) : parameter,
                rule.StateCount > 2 ? View(target.State[2]) : parameter);
            KeepAlive(target.Parameter, target.Gradient, scale.UnitFactors);
            GC.KeepAlive(target.State);
        }
    }

    /// <inheritdoc/>
    /// <remarks>The parameters move into one buffer. Those that lie in one already, with another optimizer, stay there.</remarks>
    public override DeferredSteps? Defer(
        IReadOnlyList<Storage> parameters, IReadOnlyList<UnitCounts> unitCounts, IReadOnlyList<float> initialState)
    {
        queue.ThrowIfDisposed();
        GpuStorage[] own = [.. parameters.OfType<GpuStorage>().Where(storage => storage.Backend == this)];
        return own.Length == parameters.Count && GpuSteps.Room(own) <= int.MaxValue
            ? new GpuSteps(this, queue, pool, own, unitCounts, initialState)
            : null;
    }
}
