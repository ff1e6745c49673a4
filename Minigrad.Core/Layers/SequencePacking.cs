using Minigrad.Autodiff;

namespace Minigrad.Layers;

/// <summary>
/// Lays a padded batch of sequences out step by step, longest first, without its padding; and back. A sequence is then
/// computed as if it were alone.
/// </summary>
internal sealed class SequencePacking
{
    private readonly int batch;
    private readonly int time;
    private readonly bool isBatchFirst;

    // Null where nothing has to be sorted or left out.
    private readonly int[]? order;
    private readonly int[]? places;
    private readonly int[]? reversed;

    /// <summary>Plans the layout.</summary>
    public SequencePacking(int batch, int time, int[]? lengths, bool isBatchFirst)
    {
        this.batch = batch;
        this.time = time;
        this.isBatchFirst = isBatchFirst;
        if (lengths is null || Array.TrueForAll(lengths, length => length == time))
        {
            Steps = new PackedSteps([.. Enumerable.Repeat(batch, time)]);
            return;
        }

        // A stable sort, so that the layout follows from the lengths alone.
        order = [.. Enumerable.Range(0, batch).OrderByDescending(sequence => lengths[sequence])];
        int longest = lengths[order[0]];
        Steps = new PackedSteps([.. Enumerable.Range(0, longest).Select(step => lengths.Count(length => length > step))]);
        places = new int[Steps.TotalRows];
        reversed = new int[Steps.TotalRows];
        for (int step = 0; step < longest; step++)
        {
            for (int row = 0; row < Steps.RowCounts[step]; row++)
            {
                int sequence = order[row];
                int place = Steps.Starts[step] + row;
                places[place] = isBatchFirst ? (sequence * time) + step : (step * batch) + sequence;
                reversed[place] = Steps.Starts[lengths[sequence] - 1 - step] + row;
            }
        }
    }

    /// <summary>The layout.</summary>
    public PackedSteps Steps { get; }

    /// <summary>For each row of each step, its row in the padded batch.</summary>
    /// <param name="isReverse">Whether each sequence begins with its last step.</param>
    public int[] Places(bool isReverse)
    {
        int[] all = new int[Steps.TotalRows];
        for (int place = 0; place < all.Length; place++)
        {
            if (places is not null)
            {
                all[place] = places[isReverse ? reversed![place] : place];
                continue;
            }

            int step = isReverse ? time - 1 - (place / batch) : place / batch;
            int sequence = place % batch;
            all[place] = isBatchFirst ? (sequence * time) + step : (step * batch) + sequence;
        }

        return all;
    }

    /// <summary><c>[batch, time, width]</c>, or time first, → <c>[rows of all steps, width]</c>.</summary>
    public Tensor Pack(Tensor x)
    {
        int width = x.Shape[2];
        if (places is not null)
        {
            return x.GatherRows(places, width, Shape.Create([places.Length, width]), nameof(Pack));
        }

        return (isBatchFirst ? x.Transpose(0, 1) : x).Reshape(time * batch, width);
    }

    /// <summary>The inverse of <see cref="Pack"/>, with zeros for the padding.</summary>
    public Tensor Unpack(Tensor rows)
    {
        int width = rows.Shape[1];
        if (places is not null)
        {
            Shape shape = Shape.Create(isBatchFirst ? [batch, time, width] : [time, batch, width]);
            return rows.ScatterRows(places, width, shape, nameof(Unpack));
        }

        Tensor x = rows.Reshape(time, batch, width);
        return isBatchFirst ? x.Transpose(0, 1) : x;
    }

    /// <summary>Each sequence's rows from its last step to its first; its own inverse.</summary>
    public Tensor Reverse(Tensor rows)
    {
        int width = rows.Shape[1];
        return reversed is not null
            ? rows.GatherRows(reversed, width, rows.Shape, nameof(Reverse))
            : rows.Reshape(time, batch, width).Flip(0).Reshape(time * batch, width);
    }

    /// <summary>A state's rows in the order of the packed sequences: <c>[batch, width]</c>.</summary>
    public Tensor Sort(Tensor state) => order is null
        ? state
        : state.GatherRows(order, state.Shape[1], state.Shape, nameof(Sort));

    /// <summary>The inverse of <see cref="Sort"/>.</summary>
    public Tensor Unsort(Tensor state) => order is null
        ? state
        : state.ScatterRows(order, state.Shape[1], state.Shape, nameof(Unsort));
}
