using Minigrad.Backends;

namespace Minigrad.Tests.Gpu;

/// <content>Copies, gathering and scattering.</content>
public sealed partial class SeamTests
{
    [Fact]
    public void Copy_transposes_slices_reverses_and_repeats()
    {
        void Check(int[] dimensions, StridedLayout source, StridedLayout target) => Same(
            60,
            (backend, y) =>
            {
                backend.Fill(y, -7f);
                backend.Copy(Numbers(backend, 60, 1), source, y, target, dimensions);
            });

        Check([3, 4, 5], new(0, [20, 5, 1]), StridedLayout.RowMajor([3, 4, 5]));
        Check([5, 3, 4], new(0, [1, 20, 5]), StridedLayout.RowMajor([5, 3, 4]));
        Check([4, 5], new(19, [-5, -1]), new(3, [5, 1]));
        Check([6, 7], new(2, [0, 1]), new(1, [1, 6]));
        Check([], new(5, []), new(7, []));
        Check([1, 1], new(5, [3, 3]), new(7, [9, 9]));
        Check([3, 0], new(0, [1, 1]), new(0, [1, 1]));
    }

    [Theory]
    [InlineData(8)]
    [InlineData(10)]
    public void Copy_of_any_rank(int rank)
    {
        int[] dimensions = new int[rank];
        Array.Fill(dimensions, 2);
        int[] reversed = new int[rank];
        for (int axis = 0; axis < rank; axis++)
        {
            reversed[axis] = 1 << axis;
        }

        int length = 1 << rank;
        Same(
            length,
            (backend, y) => backend.Copy(
                Numbers(backend, length, 1), new(0, reversed), y, StridedLayout.RowMajor(dimensions), dimensions));
    }

    [Theory]
    [InlineData(0, 3)]
    [InlineData(4, 0)]
    [InlineData(1, 1)]
    [InlineData(9, 5)]
    [InlineData(700, 33)]
    [InlineData(3000, 1)]
    public void Gather_and_scatter_add(int count, int width)
    {
        int[] rows = new int[count];
        for (int r = 0; r < count; r++)
        {
            rows[r] = r * r % 4;
        }

        RowNumbers numbers = new(rows);
        Same(count * width, (backend, y) => backend.Gather(Numbers(backend, 4 * width, 1), numbers, width, y));
        Same(
            4 * width,
            (backend, y) =>
            {
                backend.Fill(y, 1f);
                backend.ScatterAdd(Numbers(backend, count * width, 1), numbers, width, y);
            },
            1e-5f);
    }

    /// <summary>Rows of which each goes elsewhere, or all to one place; added twice, and read before and after.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(300)]
    public void Rows_are_added_by_numbers_that_were_used_before(int different)
    {
        RowNumbers numbers = new([.. Enumerable.Range(0, 300).Select(r => (r * 7 % 300) % different * 1000)]);
        int length = ((different - 1) * 1000) + 1;
        Same(
            length,
            (backend, y) =>
            {
                backend.Fill(y, 1f);
                Storage read = backend.Allocate(300);
                backend.Gather(y, numbers, 1, read);
                backend.ScatterAdd(Numbers(backend, 300, 1), numbers, 1, y);
                backend.Gather(y, numbers, 1, read);
                backend.ScatterAdd(read, numbers, 1, y);
            },
            different == 1 ? 1e-2f : 0f);
    }
}
