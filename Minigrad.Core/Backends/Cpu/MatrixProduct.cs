namespace Minigrad.Backends.Cpu;

/// <summary>Placeholder until the packed product lands on main.</summary>
internal static class MatrixProduct
{
    public static void Run(Workers workers, MatrixProductShape shape, float[] left, float[] right, float[] result)
    {
        for (int b = 0; b < shape.Batch; b++)
        {
            int leftStart = shape.SharedLeft ? 0 : b * shape.Rows * shape.Depth;
            int rightStart = shape.SharedRight ? 0 : b * shape.Depth * shape.Columns;
            for (int i = 0; i < shape.Rows; i++)
            {
                for (int j = 0; j < shape.Columns; j++)
                {
                    float sum = 0;
                    for (int k = 0; k < shape.Depth; k++)
                    {
                        sum += left[leftStart + (shape.TransposeLeft ? (k * shape.Rows) + i : (i * shape.Depth) + k)]
                            * right[rightStart + (shape.TransposeRight ? (j * shape.Depth) + k : (k * shape.Columns) + j)];
                    }

                    result[(((b * shape.Rows) + i) * shape.Columns) + j] = sum;
                }
            }
        }
    }
}
