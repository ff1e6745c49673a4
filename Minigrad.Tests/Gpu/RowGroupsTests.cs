using Minigrad.Gpu;

namespace Minigrad.Tests.Gpu;

public sealed class RowGroupsTests
{
    [Fact]
    public void Equal_numbers_are_side_by_side_in_their_order()
    {
        int[] found = RowGroups.Of([7, 0, 300, 7, 70000, 0, 7], out int groups);
        Assert.Equal(4, groups);
        Assert.Equal([7, 0, 300, 7, 70000, 0, 7, /* places */ 1, 5, 0, 3, 6, 2, 4, /* starts */ 0, 2, 5, 6, 7], found);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(int.MaxValue)]
    public void One_number_is_a_group(int number) => Assert.Equal([number, 0, 0, 1], RowGroups.Of([number], out _));

    [Fact]
    public void As_a_stable_sort_has_them()
    {
        int[] numbers = [.. Enumerable.Range(0, 5000).Select(i => (int)(i * 2654435761u % 1_000_003))];
        int[] found = RowGroups.Of(numbers, out int groups);
        int[] places = [.. Enumerable.Range(0, numbers.Length).OrderBy(place => numbers[place])];
        Assert.Equal(places, found[numbers.Length..(2 * numbers.Length)]);
        Assert.Equal(numbers.Distinct().Count(), groups);
    }
}
