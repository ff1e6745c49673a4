using Minigrad.Backends.Cpu;

namespace Minigrad.Tests.Backends;

/// <summary>How the rows of a block are cut into tiles, and where their strips lie.</summary>
[Trait(SuiteBackend.Trait, SuiteBackend.CpuOnly)]
public sealed class MatrixProductPlanTests
{
    [Fact]
    public void Tiles_cover_the_rows_and_none_of_several_low_ones_has_few()
    {
        for (int rows = 1; rows <= 200; rows++)
        {
            List<int> tiles = [];
            for (int left = rows; left > 0; left -= tiles[^1])
            {
                tiles.Add(MatrixProductPlan.RowsOfTile(left));
            }

            int highest = MatrixProductPlan.TileRows;
            Assert.Equal(rows, tiles.Sum());
            Assert.All(tiles, tile => Assert.InRange(tile, highest == 6 && rows > highest ? 3 : 1, highest));
            Assert.Equal((rows + highest - 1) / highest, tiles.Count);
            Assert.Equal(tiles.TakeWhile(tile => tile == highest).Sum(), MatrixProductPlan.RowsOfWholeTiles(rows));
        }
    }

    [Fact]
    public void Strips_do_not_lie_whole_pages_apart()
    {
        const int PageLength = 1024;
        for (int steps = 1; steps <= 3000; steps++)
        {
            int length = MatrixProductPlan.PackedRowLength(steps);
            Assert.InRange(length, steps, steps + 4);
            Assert.NotEqual(0, MatrixProductPlan.TileRows * length % PageLength);
        }
    }
}
