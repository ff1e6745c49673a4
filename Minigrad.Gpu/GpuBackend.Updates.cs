using ILGPU;
using Minigrad.Backends;
using Minigrad.Gpu.Kernels;
using Minigrad.Operations;

namespace Minigrad.Gpu;

/// <content>Optimizer updates.</content>
public sealed partial class GpuBackend
{
    /// <inheritdoc/>
    /// <remarks>Asked for gradients with bounds, it waits for the device. A step that needs no host has the answer in its records.</remarks>
    public override void Update<TRule>(TRule rule, ReadOnlySpan<UpdateTarget> targets, Span<bool> clamped)
    {
        Storage? found = null;
        for (int i = 0; i < targets.Length; i++)
        {
            UpdateTarget target = targets[i];
            if (target.Scale.HasBounds && found is null)
            {
                found = Allocate(targets.Length);
                Upload(new float[targets.Length], found);
            }

            ParameterMemory memory = Memory(rule, target);
            queue.Launch(
                UpdateKernels.Update<TRule>,
                target.Parameter.Length,
                rule,
                Arguments(target, target.Scale.HasBounds ? View(found!).SubView(i, 1) : memory.Parameters),
                memory.Parameters,
                View(target.Gradient),
                memory.First,
                memory.Second,
                memory.Third);
            KeepAlive(target.Parameter, target.Gradient, target.Scale.UnitFactors);
            GC.KeepAlive(target.State);
        }

        if (found is not null && !clamped.IsEmpty)
        {
            float[] marks = new float[targets.Length];
            Download(found, marks);
            for (int i = 0; i < clamped.Length; i++)
            {
                clamped[i] |= marks[i] > 0f;
            }
        }

        GC.KeepAlive(found);
    }

    /// <inheritdoc/>
    /// <remarks>What is measured is written to a buffer, and its norm is downloaded. A step that needs no host does it in one launch.</remarks>
    public override void MeasureUpdates<TRule>(TRule rule, ReadOnlySpan<UpdateTarget> targets, Span<double> norms)
    {
        for (int i = 0; i < targets.Length; i++)
        {
            UpdateTarget target = targets[i];
            Storage measures = Allocate(target.Parameter.Length);
            queue.Launch(
                UpdateKernels.Measure<TRule>,
                target.Parameter.Length,
                rule,
                Arguments(target, View(measures)),
                Memory(rule, target),
                View(target.Gradient),
                View(measures));
            KeepAlive(target.Parameter, target.Gradient, target.Scale.UnitFactors);
            GC.KeepAlive(target.State);
            Norms(measures, TRule.Order, norms.Slice(i, 1));
        }
    }

    /// <inheritdoc/>
    /// <remarks>The parameters move into one buffer. Those that lie in one already, with another optimizer, stay there.</remarks>
    public override DeferredSteps? Defer(
        IReadOnlyList<Storage> parameters, IReadOnlyList<UnitCounts> unitCounts, IReadOnlyList<float> initialState)
    {
        queue.ThrowIfDisposed();
        GpuStorage[] own = [.. parameters.OfType<GpuStorage>().Where(storage => storage.Backend == this)];
        return own.Length == parameters.Count && GpuSteps.Room(own) <= DeviceBufferPool.MostNumbers
            ? new GpuSteps(this, queue, pool, own, unitCounts, initialState)
            : null;
    }

    private UpdateArguments Arguments(UpdateTarget target, ArrayView<float> clamped)
    {
        GradientScale scale = target.Scale;
        return new UpdateArguments(
            scale.First,
            scale.Second,
            scale.Low,
            scale.High,
            View(scale.UnitFactors ?? target.Parameter),
            scale.UnitFactors is null ? 0 : scale.UnitLength,
            scale.UnitCount,
            clamped);
    }

    private ParameterMemory Memory<TRule>(TRule rule, UpdateTarget target)
        where TRule : unmanaged, IUpdateRule
    {
        ArrayView<float> parameter = View(target.Parameter);
        return new ParameterMemory(
            parameter,
            rule.StateCount > 0 ? View(target.State[0]) : parameter,
            rule.StateCount > 1 ? View(target.State[1]) : parameter,
            rule.StateCount > 2 ? View(target.State[2]) : parameter);
    }
}
