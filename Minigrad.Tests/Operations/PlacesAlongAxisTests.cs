using CsCheck;

namespace Minigrad.Tests.Operations;

/// <summary>What is chosen by places along an axis, held against one element after the other, value and gradient.</summary>
public sealed class PlacesAlongAxisTests
{
    private static readonly Gen<(int[] Shape, int Axis)> Shapes =
        from shape in Gen.Int[1, 7].Array[1, 4]
        from axis in Gen.Int[0, shape.Length - 1]
        select (shape, axis);

    private static readonly Gen<(int[] Shape, int Axis, int[] IndexShape, int[] Index)> Gathers =
        from chosen in Shapes
        from shorter in Gen.Int[0, 2].Array[chosen.Shape.Length]
        from longer in Gen.Int[0, 9]
        let indexShape = (int[])[.. chosen.Shape.Select((size, axis) => axis == chosen.Axis ? longer : Math.Max(1, size - shorter[axis]))]
        from index in Gen.Int[-chosen.Shape[chosen.Axis], chosen.Shape[chosen.Axis] - 1].Array[indexShape.Aggregate(1, (a, b) => a * b)]
        select (chosen.Shape, chosen.Axis, indexShape, index);

    [Fact]
    public void Gather_reads_the_place_that_the_index_names_and_gives_its_gradient_there() => Gathers.Sample(
        (shape, axis, indexShape, index) =>
        {
            Tensor x = Numbered(shape);
            Tensor y = x.Gather(axis, new Indices(index, Shape.Create(indexShape)));
            (y * Numbered(indexShape, 1f).Detach()).Sum().Backward();
            float[] gradient = new float[x.Length];
            float[] expected = new float[index.Length];
            for (int i = 0; i < index.Length; i++)
            {
                int[] place = Places(i, indexShape);
                place[axis] = index[i] < 0 ? index[i] + shape[axis] : index[i];
                expected[i] = Number(place, shape);
                gradient[Number(place, shape)] += i + 1f;
            }

            Assert.Equal(expected, y.ToArray());
            Assert.Equal(indexShape, y.Shape.Dimensions.ToArray());
            Assert.Equal(gradient, x.Gradient!.ToArray());
        },
        iter: 300,
        threads: 1);

    [Fact]
    public void The_largest_and_smallest_number_along_an_axis_take_the_gradient_at_their_first_place() => Shapes.SelectMany(
        chosen => Gen.Int[-3, 3].Array[chosen.Shape.Aggregate(1, (a, b) => a * b)].Select(Gen.Bool, (x, smallest) => (chosen.Shape, chosen.Axis, x, smallest))).Sample(
        (shape, axis, values, smallest) =>
        {
            Tensor x = Tensor.Of([.. values.Select(value => (float)value)], shape).WithGradient();
            Tensor y = smallest ? x.Min(axis, keepDimensions: true) : x.Max(axis, keepDimensions: true);
            int[] kept = [.. shape];
            kept[axis] = 1;
            (y * Numbered(kept, 1f).Detach()).Sum().Backward();
            float[] gradient = new float[x.Length];
            float[] expected = new float[y.Length];
            for (int i = 0; i < expected.Length; i++)
            {
                int[] place = Places(i, kept);
                int best = Enumerable.Range(0, shape[axis]).MaxBy(step =>
                {
                    place[axis] = step;
                    return smallest ? -values[Number(place, shape)] : values[Number(place, shape)];
                });
                place[axis] = best;
                expected[i] = values[Number(place, shape)];
                gradient[Number(place, shape)] = i + 1f;
            }

            Assert.Equal(expected, y.ToArray());
            Assert.Equal(kept, y.Shape.Dimensions.ToArray());
            Assert.Equal(gradient, x.Gradient!.ToArray());

            // Where nothing asks for a gradient no place is looked for.
            Tensor alone = smallest ? x.Detach().Min(axis) : x.Detach().Max(axis);
            Assert.Equal(expected, alone.ToArray());
            Assert.Equal(kept.Where((_, dimension) => dimension != axis), alone.Shape.Dimensions.ToArray());
            Assert.Equal(smallest ? values.Min() : values.Max(), (smallest ? x.Detach().Min() : x.Detach().Max()).Item());
        },
        iter: 300,
        threads: 1);

    private static Tensor Numbered(int[] shape, float first = 0f) =>
        Tensor.Of([.. Enumerable.Range(0, shape.Aggregate(1, (a, b) => a * b)).Select(i => i + first)], shape).WithGradient();

    private static int[] Places(int number, int[] shape)
    {
        int[] places = new int[shape.Length];
        for (int axis = shape.Length - 1; axis >= 0; axis--)
        {
            places[axis] = number % shape[axis];
            number /= shape[axis];
        }

        return places;
    }

    private static int Number(int[] places, int[] shape)
    {
        int number = 0;
        for (int axis = 0; axis < shape.Length; axis++)
        {
            number = (number * shape[axis]) + places[axis];
        }

        return number;
    }
}
