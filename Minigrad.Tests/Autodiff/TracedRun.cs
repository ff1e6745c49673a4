using System.Runtime.CompilerServices;

namespace Minigrad.Tests.Autodiff;

/// <summary>Runs something traced, for the tests of what a trace says.</summary>
internal static class TracedRun
{
    /// <summary>The line that this is called at.</summary>
    public static int Here([CallerLineNumber] int line = 0) => line;

    /// <summary>Does something while a trace is open.</summary>
    public static void Traced(Action action)
    {
        using IDisposable trace = Anomaly.Trace();
        action();
    }

    /// <summary>What the error says that comes of something while a trace is open.</summary>
    public static AnomalyReport Caught(Action action) => Assert.Throws<AnomalyException>(() => Traced(action)).Report!;

    /// <summary>Fills a parameter.</summary>
    public static void Fill(Tensor tensor, float value)
    {
        using NoGrad scope = new();
        tensor.Fill(value);
    }
}
