namespace Minigrad.Autodiff;

/// <summary>Which of some looked-up rows are equal.</summary>
/// <param name="TableRows">The different rows: their numbers in the table.</param>
/// <param name="First">For each different row, the first row of the tensor that is a copy of it.</param>
/// <param name="Numbers">For each of the rows asked for, which of the different ones it is.</param>
internal sealed record RowRepeats(int[] TableRows, int[] First, int[] Numbers);
