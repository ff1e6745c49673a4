using Minigrad.Operations;

namespace Minigrad.Backends;

/// <summary>
/// The loops of another backend as a device of fewer bits would run them: each reads rounded copies of its operands and
/// rounds its results. What only moves numbers, and what belongs to an optimizer's step, is the other's as it is. Buffers
/// are the other's, so that whoever has one need not know.
/// </summary>
/// <typeparam name="TRounding">How numbers are rounded.</typeparam>
/// <param name="inner">The backend that computes.</param>
/// <param name="watch">Who looks at numbers before they are rounded, or null.</param>
internal sealed class RoundingBackend<TRounding>(Backend inner, IRoundingWatch? watch) : Backend
    where TRounding : unmanaged, IRounding
{
    /// <inheritdoc/>
    public override string Name => $"{inner.Name} ({typeof(TRounding).Name})";

    /// <inheritdoc/>
    public override Storage Allocate(int length) => inner.Allocate(length);

    /// <inheritdoc/>
    public override void Upload(ReadOnlySpan<float> source, Storage destination) => inner.Upload(source, destination);

    /// <inheritdoc/>
    public override void Download(Storage source, Span<float> destination) => inner.Download(source, destination);

    /// <inheritdoc/>
    public override void Fill(Storage y, float value) => inner.Fill(y, value);

    /// <inheritdoc/>
    public override void Fill<TDistribution>(TDistribution distribution, Randomness source, Storage y) => inner.Fill(distribution, source, y);

    /// <inheritdoc/>
    public override void Map<TOp>(TOp op, Storage x, Storage y)
    {
        Storage read = Rounded(x);
        inner.Map(op, read, y);
        read.Recycle();
        Round(y);
    }

    /// <inheritdoc/>
    public override void Zip<TOp>(TOp op, Operand a, Operand b, Storage y)
    {
        (Operand first, Operand second) = (Rounded(a), Rounded(b));
        inner.Zip(op, first, second, y);
        first.Storage.Recycle();
        second.Storage.Recycle();
        Round(y);
    }

    /// <inheritdoc/>
    public override void Combine<TOp>(TOp op, Operand a, Operand b, Operand c, Storage y)
    {
        (Operand first, Operand second, Operand third) = (Rounded(a), Rounded(b), Rounded(c));
        inner.Combine(op, first, second, third, y);
        first.Storage.Recycle();
        second.Storage.Recycle();
        third.Storage.Recycle();
        Round(y);
    }

    /// <inheritdoc/>
    public override void Reduce<TReduction>(TReduction reduction, Storage x, AxisLayout layout, Storage y)
    {
        Storage read = Rounded(x);
        inner.Reduce(reduction, read, layout, y);
        read.Recycle();
        Round(y);
    }

    /// <inheritdoc/>
    public override void ArgMax(Storage x, AxisLayout layout, float sign, int[] indices)
    {
        // Not shown to the watch: no number is made of it.
        Storage read = inner.Allocate(x.Length);
        inner.Map(default(TRounding), x, read);
        inner.ArgMax(read, layout, sign, indices);
        read.Recycle();
    }

    /// <inheritdoc/>
    public override void CumulativeSum(Storage x, AxisLayout layout, bool reverse, Storage y)
    {
        Storage read = Rounded(x);
        inner.CumulativeSum(read, layout, reverse, y);
        read.Recycle();
        Round(y);
    }

    /// <inheritdoc/>
    public override void MatrixProduct<TActivation>(
        MatrixProductShape shape, Part left, Part right, Part result, Storage? bias, TActivation activation)
    {
        Storage first = Rounded(left, (shape.SharedLeft ? 1 : shape.Batch) * shape.Rows * shape.Depth);
        Storage? third = Rounded(bias);
        int length = shape.Batch * shape.Rows * shape.Columns;
        Storage product = inner.Allocate(length);
        if (!inner.TryRoundedProduct<TRounding, TActivation>(shape, first, right, product, third, activation))
        {
            Storage second = Rounded(right, (shape.SharedRight ? 1 : shape.Batch) * shape.Depth * shape.Columns);
            inner.MatrixProduct(shape, first, second, product, third, activation);
            second.Recycle();
        }

        first.Recycle();
        third?.Recycle();
        Write(product, result, length);
    }

    /// <inheritdoc/>
    public override void Cell<TCell>(TCell cell, in CellForward step)
    {
        int length = step.Rows * step.Width;
        Storage input = Rounded(step.Input, cell.GateCount * length);
        Storage recurrent = Rounded(step.Recurrent, cell.GateCount * length);
        Storage bias = Rounded(step.Bias, cell.GateCount * step.Width);
        Storage hiddenBefore = Rounded(step.HiddenBefore, length);
        Storage stateBefore = cell.HasState ? Rounded(step.StateBefore, length) : hiddenBefore;
        Storage hidden = inner.Allocate(length);
        Storage state = cell.HasState ? inner.Allocate(length) : hidden;
        Storage saved = inner.Allocate(cell.SavedCount * length);
        inner.Cell(cell, step with
        {
            Input = input,
            Recurrent = recurrent,
            Bias = bias,
            HiddenBefore = hiddenBefore,
            StateBefore = stateBefore,
            Hidden = hidden,
            State = state,
            Saved = saved,
        });
        input.Recycle();
        recurrent.Recycle();
        bias.Recycle();
        hiddenBefore.Recycle();
        Write(hidden, step.Hidden, length);
        Write(saved, step.Saved, cell.SavedCount * length);
        if (cell.HasState)
        {
            stateBefore.Recycle();
            Write(state, step.State, length);
        }
    }

    /// <inheritdoc/>
    public override void CellBackward<TCell>(TCell cell, in CellBackward step)
    {
        int length = step.Rows * step.Width;
        Storage saved = Rounded(step.Saved, cell.SavedCount * length);
        Storage hiddenBefore = Rounded(step.HiddenBefore, length);
        Storage stateBefore = cell.HasState ? Rounded(step.StateBefore, length) : hiddenBefore;
        Storage outputGradient = Rounded(step.OutputGradient, length);
        Storage direct = Rounded(step.DirectGradient, length);
        Storage throughGates = Rounded(step.GateGradient, length);
        Storage state = cell.HasState ? Rounded(step.StateGradient, length) : direct;
        Storage directBefore = inner.Allocate(length);
        Storage stateGradientBefore = cell.HasState ? inner.Allocate(length) : directBefore;
        Storage input = inner.Allocate(cell.GateCount * length);
        Storage recurrent = cell.SeparatesRecurrent ? inner.Allocate(cell.GateCount * length) : input;
        inner.CellBackward(cell, step with
        {
            Saved = saved,
            HiddenBefore = hiddenBefore,
            StateBefore = stateBefore,
            OutputGradient = outputGradient,
            DirectGradient = direct,
            GateGradient = throughGates,
            StateGradient = state,
            DirectGradientBefore = directBefore,
            StateGradientBefore = stateGradientBefore,
            InputGradient = input,
            RecurrentGradient = recurrent,
        });
        saved.Recycle();
        hiddenBefore.Recycle();
        outputGradient.Recycle();
        direct.Recycle();
        throughGates.Recycle();
        Write(directBefore, step.DirectGradientBefore, length);
        Write(input, step.InputGradient, cell.GateCount * length);
        if (cell.HasState)
        {
            stateBefore.Recycle();
            state.Recycle();
            Write(stateGradientBefore, step.StateGradientBefore, length);
        }

        if (cell.SeparatesRecurrent)
        {
            Write(recurrent, step.RecurrentGradient, cell.GateCount * length);
        }
    }

    /// <inheritdoc/>
    public override void Softmax(Storage x, AxisLayout layout, bool logarithm, Storage y)
    {
        Storage read = Rounded(x);
        inner.Softmax(read, layout, logarithm, y);
        read.Recycle();
        Round(y);
    }

    /// <inheritdoc/>
    public override void SoftmaxBackward(Storage y, Storage gradient, AxisLayout layout, bool logarithm, Storage result)
    {
        (Storage output, Storage read) = (Rounded(y), Rounded(gradient));
        inner.SoftmaxBackward(output, read, layout, logarithm, result);
        output.Recycle();
        read.Recycle();
        Round(result);
    }

    /// <inheritdoc/>
    public override void CrossEntropy(Storage x, ClassTargets targets, int columns, Storage normalizers, Storage losses)
    {
        Storage read = Rounded(x);
        inner.CrossEntropy(read, targets, columns, normalizers, losses);
        read.Recycle();
        Round(losses);
    }

    /// <inheritdoc/>
    public override void CrossEntropyBackward(
        Storage x, Storage normalizers, ClassTargets targets, int columns, Storage gradient, float divisor, Storage result)
    {
        (Storage logits, Storage read) = (Rounded(x), Rounded(gradient));
        inner.CrossEntropyBackward(logits, normalizers, targets, columns, read, divisor, result);
        logits.Recycle();
        read.Recycle();
        Round(result);
    }

    /// <inheritdoc/>
    public override void GroupStatistics(in NormalizationShape shape, Storage x, Storage statistics)
    {
        Storage read = Rounded(x);
        inner.GroupStatistics(shape, read, statistics);
        read.Recycle();
    }

    /// <inheritdoc/>
    public override void Normalize(
        in NormalizationShape shape, Storage x, Storage statistics, Storage? weight, Storage? bias, Storage y)
    {
        Storage read = Rounded(x);
        (Storage? scale, Storage? shift) = (Rounded(weight), Rounded(bias));
        inner.Normalize(shape, read, statistics, scale, shift, y);
        read.Recycle();
        scale?.Recycle();
        shift?.Recycle();
        Round(y);
    }

    /// <inheritdoc/>
    public override void NormalizeBackward(
        in NormalizationShape shape,
        Storage x,
        Storage statistics,
        Storage? weight,
        Storage gradient,
        Storage? result,
        Storage? weightGradient,
        Storage? biasGradient)
    {
        (Storage read, Storage flow) = (Rounded(x), Rounded(gradient));
        Storage? scale = Rounded(weight);
        inner.NormalizeBackward(shape, read, statistics, scale, flow, result, weightGradient, biasGradient);
        read.Recycle();
        flow.Recycle();
        scale?.Recycle();
        Round(result);
        Round(weightGradient);
        Round(biasGradient);
    }

    /// <inheritdoc/>
    public override void Copy(Storage x, StridedLayout source, Storage y, StridedLayout target, ReadOnlySpan<int> dimensions) =>
        inner.Copy(x, source, y, target, dimensions);

    /// <inheritdoc/>
    public override void Gather(Storage x, RowNumbers rows, int width, Storage y)
    {
        inner.Gather(x, rows, width, y);
        Round(y);
    }

    /// <inheritdoc/>
    public override void ScatterAdd(Storage x, RowNumbers rows, int width, Storage y)
    {
        Storage read = Rounded(x);
        inner.ScatterAdd(read, rows, width, y);
        read.Recycle();
        Round(y);
    }

    /// <inheritdoc/>
    public override void Norms(Storage x, double order, Span<double> norms) => inner.Norms(x, order, norms);

    /// <inheritdoc/>
    public override void Norms(IReadOnlyList<Storage> buffers, double order, Span<double> norms) => inner.Norms(buffers, order, norms);

    /// <inheritdoc/>
    public override void Update<TRule>(TRule rule, ReadOnlySpan<UpdateTarget> targets, Span<bool> clamped) =>
        inner.Update(rule, targets, clamped);

    /// <inheritdoc/>
    public override bool WriteScaled(Storage gradient, GradientScale scale, Storage result)
    {
        bool isClamped = base.WriteScaled(gradient, scale, result);
        Round(result);
        return isClamped;
    }

    /// <inheritdoc/>
    public override void MeasureUpdates<TRule>(TRule rule, ReadOnlySpan<UpdateTarget> targets, Span<double> norms) =>
        inner.MeasureUpdates(rule, targets, norms);

    private void Round(Storage? y)
    {
        if (y is not null)
        {
            Round(y, y, y);
        }
    }

    private void Round(Storage x, Storage y, Part place)
    {
        watch?.Look(x, place);
        inner.Map(default(TRounding), x, y);
    }

    private Storage Rounded(Part x, int length)
    {
        Storage copy = inner.Allocate(length);
        if (x.Start == 0 && x.Storage.Length == length)
        {
            Round(x.Storage, copy, x);
        }
        else
        {
            Move(x, copy, length);
            Round(copy, copy, x);
        }

        return copy;
    }

    private Operand Rounded(Operand x) => x with { Storage = Rounded(x.Storage, x.Storage.Length) };

    [return: System.Diagnostics.CodeAnalysis.NotNullIfNotNull(nameof(x))]
    private Storage? Rounded(Storage? x) => x is null ? null : Rounded(x, x.Length);

    private void Write(Storage values, Part y, int length)
    {
        Round(values, values, y);
        Move(values, y, length);
        values.Recycle();
    }

    private void Move(Part from, Part to, int length) => inner.Copy(
        from.Storage, new StridedLayout(from.Start, [1]), to.Storage, new StridedLayout(to.Start, [1]), [length]);
}
