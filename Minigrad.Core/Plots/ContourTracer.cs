namespace Minigrad.Plots;

/// <summary>
/// Finds where a grid of heights crosses a level (marching squares; Lorensen and Cline, 1987, in the plane). The grid is
/// thought to be surrounded by an abyss without width, so every line is a closed ring around what is not below the level,
/// which may run along the edge: the same rings serve as areas and as lines.
/// </summary>
/// <param name="heights">[row, column].</param>
/// <param name="level">What is crossed.</param>
internal sealed class ContourTracer(double[,] heights, double level)
{
    private readonly int rows = heights.GetLength(0) + 2;
    private readonly int columns = heights.GetLength(1) + 2;

    /// <summary>For the crossing where a line enters a cell, the one where it leaves. A crossing has the number of the side that it lies on.</summary>
    private readonly Dictionary<int, int> next = [];

    /// <summary>The rings, each without its first point repeated; (row, column) are counted in distances of the grid.</summary>
    public List<List<(double Row, double Column)>> Rings()
    {
        for (int row = 0; row < rows - 1; row++)
        {
            for (int column = 0; column < columns - 1; column++)
            {
                CrossCell(row, column);
            }
        }

        List<List<(double Row, double Column)>> rings = [];
        while (next.Count > 0)
        {
            List<(double Row, double Column)> ring = [];
            for (int side = next.Keys.First(); next.Remove(side, out int following); side = following)
            {
                ring.Add(Crossing(side));
            }

            rings.Add(ring);
        }

        return rings;
    }

    /// <summary>
    /// Goes around a cell counter-clockwise. A line leads from a side where the ground rises to one where it falls; in the
    /// cell beyond a side the two are exchanged, so lines join.
    /// </summary>
    private void CrossCell(int row, int column)
    {
        Span<(int Row, int Column)> corners = [(row, column), (row, column + 1), (row + 1, column + 1), (row + 1, column)];
        Span<int> sides = [Along(row, column), Across(row, column + 1), Along(row + 1, column), Across(row, column)];
        Span<int> rises = stackalloc int[2];
        Span<int> falls = stackalloc int[2];
        (int riseCount, int fallCount) = (0, 0);
        for (int i = 0; i < 4; i++)
        {
            bool isHigh = IsHigh(corners[i]);
            bool isNextHigh = IsHigh(corners[(i + 1) % 4]);
            if (isHigh != isNextHigh)
            {
                if (isNextHigh)
                {
                    rises[riseCount++] = sides[i];
                }
                else
                {
                    falls[fallCount++] = sides[i];
                }
            }
        }

        // At a saddle the middle decides whether its two high corners are one area. Around the cell rise and fall alternate;
        // which comes first, the list of falls begins behind the first rise or before it.
        bool beginsHigh = IsHigh(corners[0]);
        bool isOneArea = riseCount == 2 && (HeightAt(corners[0]) + HeightAt(corners[1]) + HeightAt(corners[2]) + HeightAt(corners[3])) / 4 >= level;
        for (int i = 0; i < riseCount; i++)
        {
            int behind = beginsHigh ? i + 1 : i;
            next[rises[i]] = falls[(isOneArea ? behind + 1 : behind) % riseCount];
        }
    }

    /// <summary>The side from a point of the grid to the next in its row.</summary>
    private int Along(int row, int column) => 2 * ((row * columns) + column);

    /// <summary>The side from a point of the grid to the next in its column.</summary>
    private int Across(int row, int column) => (2 * ((row * columns) + column)) + 1;

    private (double Row, double Column) Crossing(int side)
    {
        (int row, int column) = Math.DivRem(side / 2, columns);
        (int Row, int Column) from = (row, column);
        (int Row, int Column) to = side % 2 == 0 ? (row, column + 1) : (row + 1, column);
        (double first, double second) = (HeightAt(from), HeightAt(to));

        // Beside an infinity what is finite is the last that is known; between two there is no better place than the middle.
        double part = (double.IsFinite(first), double.IsFinite(second)) switch
        {
            (true, true) => (level - first) / (second - first),
            (true, false) => 0,
            (false, true) => 1,
            (false, false) => 0.5,
        };
        part = double.IsFinite(part) ? part : 0.5; // The heights differ by more than the largest number.
        return (
            double.Lerp(PlaceOf(from.Row, rows), PlaceOf(to.Row, rows), part),
            double.Lerp(PlaceOf(from.Column, columns), PlaceOf(to.Column, columns), part));
    }

    /// <summary>The abyss has no width: its points lie where the edge of the grid is.</summary>
    private static double PlaceOf(int index, int count) => Math.Clamp(index - 1, 0, count - 3);

    private bool IsHigh((int Row, int Column) point) => HeightAt(point) >= level;

    private double HeightAt((int Row, int Column) point)
    {
        bool isInside = point.Row > 0 && point.Row < rows - 1 && point.Column > 0 && point.Column < columns - 1;
        double height = isInside ? heights[point.Row - 1, point.Column - 1] : double.NegativeInfinity;
        return double.IsNaN(height) ? double.NegativeInfinity : height;
    }
}
