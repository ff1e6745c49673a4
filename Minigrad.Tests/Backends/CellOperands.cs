using Minigrad.Backends;

namespace Minigrad.Tests.Backends;

/// <summary>Buffers of random numbers for one step of a recurrent cell; each part begins somewhere inside its buffer.</summary>
internal sealed class CellOperands
{
    private readonly Backend backend;
    private ulong seed;

    public CellOperands(Backend backend, int rows, int width, int gates, int saved)
    {
        this.backend = backend;
        Part hiddenBefore = Part(rows * width, 3);
        Part stateBefore = Part(rows * width, 1);
        Part kept = Part(rows * width * saved, 4);
        Forward = new CellForward
        {
            Rows = rows,
            Width = width,
            Input = Part(rows * width * gates, 2),
            Recurrent = Part(rows * width * gates, 0),
            Bias = Part(width * gates, 5),
            HiddenBefore = hiddenBefore,
            StateBefore = stateBefore,
            Hidden = Part(rows * width, 6),
            State = Part(rows * width, 7),
            Saved = kept,
        };
        Backward = new CellBackward
        {
            Rows = rows,
            Width = width,
            Saved = kept,
            HiddenBefore = hiddenBefore,
            StateBefore = stateBefore,
            OutputGradient = Part(rows * width, 1),
            DirectGradient = Part(rows * width, 0),
            GateGradient = Part(rows * width, 2),
            StateGradient = Part(rows * width, 3),
            DirectGradientBefore = Part(rows * width, 4),
            StateGradientBefore = Part(rows * width, 5),
            InputGradient = Part(rows * width * gates, 1),
            RecurrentGradient = Part(rows * width * gates, 2),
        };
    }

    public CellForward Forward { get; }

    public CellBackward Backward { get; }

    private Part Part(int length, int start)
    {
        Storage storage = backend.Allocate(start + length);
        backend.Upload(Tensor.Uniform([start + length], -2f, 2f, new Generator(seed++)).ToArray(), storage);
        return new Part(storage, start);
    }
}
