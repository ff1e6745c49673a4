using Minigrad.Autodiff;
using Minigrad.Backends;
using Minigrad.Operations;
using Minigrad.Optimizers.Clipping;

namespace Minigrad.Optimizers;

/// <content>Loss scaling: which gradients are scaled by what, and what becomes of the scale.</content>
public abstract partial class Optimizer
{
    private double lossScale = 1;
    private int goodSteps;
    private int scaleEpoch;
    private Tensor? scaleTensor;

    /// <summary>
    /// How losses are scaled before backward, or null for not at all. Gradients are divided by the scale before anything
    /// else. Setting it begins at the initial scale.
    /// </summary>
    public LossScaling? LossScaling
    {
        get;
        set
        {
            CountOnHost();
            field = value;
            BeginScale(value?.Initial ?? 1, countedSteps: 0);
        }
    }

    /// <summary>The loss scale in force; 1 without <see cref="LossScaling"/>. Where a device counts, reading it waits for the device.</summary>
    public double LossScale => LearnedOr(pipeline => pipeline.LossScale, lossScale);

    private LossScaleRule ScaleRule => LossScaling?.Rule ?? default;

    /// <summary>What gradients of a loss that is scaled now are marked with; null if none is.</summary>
    internal ScaleMark? CurrentMark => LossScaling switch
    {
        null => null,
        { IsDynamic: false } => new ScaleMark(lossScale, null, 0),
        _ => new ScaleMark(0, this, scaleEpoch),
    };

    /// <summary>
    /// The loss times the loss scale, for backward: <c>optimizer.Scale(loss).Backward()</c>. The loss itself without
    /// <see cref="LossScaling"/>. On a device the scale is known there alone, and nothing waits for it.
    /// </summary>
    /// <remarks>
    /// The gradients that backward leaves are known to be scaled until <see cref="Step"/> or <see cref="Unscale"/>, and
    /// clipping them by hand before is an error. Scale last: a sum of losses, not one of them; several losses, or parts of a
    /// batch, may also be scaled and go backward one after another before the step.
    /// </remarks>
    /// <param name="loss">The loss.</param>
    public Tensor Scale(Tensor loss)
    {
        ArgumentNullException.ThrowIfNull(loss);
        return CurrentMark is { } mark ? loss.ScaledAsLoss(ScaleOn(loss.Backend), mark) : loss;
    }

    /// <summary>
    /// Divides the gradients by the loss scale in place, for a loop that looks at them or clips them by hand before
    /// <see cref="Step"/>, which does not divide again then. Those that are divided already, and all without
    /// <see cref="LossScaling"/>, stay as they are.
    /// </summary>
    /// <remarks>
    /// <see cref="AccumulationCount"/> is left to <see cref="Step"/>. Gradients of several backward passes are their sum until then, so
    /// what clips them by hand needs a threshold that many times as large; stages in <see cref="Clip"/> act after the division.
    /// </remarks>
    /// <exception cref="InvalidOperationException">A gradient is not of a loss that <see cref="Scale"/> gave.</exception>
    public void Unscale()
    {
        ScaleMark? current = CurrentMark;
        for (int i = 0; i < slots.Count; i++)
        {
            Tensor parameter = slots[i].Parameter;
            if (parameter.GatheredGradient is { } gradient && IsLossScaled(nameof(Unscale), parameter, i, current))
            {
                Storage numbers = gradient.Storage;
                numbers.Backend.Zip(
                    default(Divide), new Operand(numbers), new Operand(ScaleOn(numbers.Backend).Storage, 1, 1), numbers);
                numbers.MarkChanged();
                parameter.GradientMark = current! with { IsUnscaled = true };
            }
        }
    }

    /// <summary>Whether the gradients are multiplied by the loss scale: all are, or none.</summary>
    private bool AreLossScaled()
    {
        ScaleMark? current = CurrentMark;
        int count = 0;
        int scaled = 0;
        for (int i = 0; i < slots.Count; i++)
        {
            if (slots[i].Pending.HasGradient)
            {
                count++;
                scaled += IsLossScaled(nameof(Step), slots[i].Parameter, i, current) ? 1 : 0;
            }
        }

        return scaled == 0 || scaled == count
            ? scaled > 0
            : throw new InvalidOperationException(
                $"{GetType().Name}.Step(): {count - scaled} of {count} gradients were divided by the loss scale, by Unscale(), and the others came after it. Call Unscale() after the last Backward().");
    }

    private bool IsLossScaled(string method, Tensor parameter, int number, ScaleMark? current)
    {
        ScaleMark? mark = parameter.GradientMark;
        if (mark is { IsUnscaled: true } || (mark is null && current is null))
        {
            return false;
        }

        return Equals(mark, current)
            ? true
            : throw new InvalidOperationException(
                $"{GetType().Name}.{method}(): the gradient of '{NonFiniteGradients.NameOf(parameter, number)}' {WhatIsWrong(mark)}");
    }

    private string WhatIsWrong(ScaleMark? mark)
    {
        if (mark is null)
        {
            return $"is not of a loss that this optimizer scaled, but LossScaling is {LossScaling}, so what to divide it by is not known. Write optimizer.Scale(loss).Backward() for loss.Backward(), "
                + "and leave all multiplying of the loss to it; where gradients are set by hand, leave LossScaling null.";
        }

        if (ReferenceEquals(mark, ScaleMark.Mixed))
        {
            return "is a sum of gradients under different loss scales. Call ZeroGradients() after each Step(), Unscale() after the last Backward(), and let every loss of a step go through this optimizer's Scale.";
        }

        if (ReferenceEquals(mark.Owner, this))
        {
            return "is of a loss scaled before an earlier Step(), or before LossScaling was set, and the scale may have changed since. Call ZeroGradients() after each Step(), before the next Backward().";
        }

        string whose = mark.Owner is null ? $"was scaled by {mark.Scale:g}" : "was scaled by another optimizer, whose scale changes by itself";
        return $"{whose}, and this optimizer's LossScaling is {(object?)LossScaling ?? "null"}. Where two optimizers learn from one loss, give both the same LossScaling.Static, or make them one optimizer with two ParameterGroups; "
            + "where each has a loss of its own, call ZeroGradients() before the second one's Backward().";
    }

    /// <summary>The scale in force as a tensor: the device's own number, where it is the device that changes it.</summary>
    private Tensor ScaleOn(Backend backend)
    {
        if (isCountedOnDevice && ReferenceEquals(deferred!.LossScaleOnDevice.Backend, backend))
        {
            return new Tensor(Shape.Scalar, deferred.LossScaleOnDevice);
        }

        if (scaleTensor is null || isCountedOnDevice || !ReferenceEquals(scaleTensor.Backend, backend))
        {
            scaleTensor = Tensor.Filled(Shape.Scalar, (float)LossScale, backend);
        }

        return scaleTensor;
    }

    private void BeginScale(double scale, int countedSteps)
    {
        (lossScale, goodSteps, scaleTensor) = (scale, countedSteps, null);
        scaleEpoch++;
    }

    /// <summary>Lets a dynamic scale follow what became of a step, where the host counts.</summary>
    private void FollowScale(bool hasOverflowed)
    {
        if (ScaleRule is { IsDynamic: true } rule)
        {
            double counted = goodSteps;
            double next = hasOverflowed ? rule.AfterOverflow(lossScale) : rule.AfterStep(lossScale, ref counted);
            BeginScale(next, (int)counted);
        }
    }

    private LossScaleState? ScaleState()
    {
        if (LossScaling is not { IsDynamic: true })
        {
            return null;
        }

        return new LossScaleState(LossScale, LearnedOr(pipeline => pipeline.GoodSteps, goodSteps));
    }

    private void RestoreScale(LossScaleState? state)
    {
        if (LossScaling is { IsDynamic: true } dynamic)
        {
            BeginScale(state?.Scale ?? dynamic.Initial, state?.GoodSteps ?? 0);
        }
    }
}
