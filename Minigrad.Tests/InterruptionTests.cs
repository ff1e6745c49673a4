using System.Diagnostics;
using System.Globalization;

namespace Minigrad.Tests;

/// <summary>A signal sets a flag while someone listens. A whole run ended by one is in the gate, which can send it to a process of its own.</summary>
public sealed class InterruptionTests
{
    [Theory]
    [InlineData("INT")]
    [InlineData("TERM")]
    public void A_signal_asks_for_the_end_and_does_not_end_the_process(string signal)
    {
        if (OperatingSystem.IsWindows())
        {
            return; // There is no shell to send it with.
        }

        using var interruption = new Interruption();
        Assert.False(interruption.IsRequested);
        using (Process kill = Process.Start("sh", ["-c", string.Create(CultureInfo.InvariantCulture, $"kill -{signal} {Environment.ProcessId}")]))
        {
            kill.WaitForExit();
        }

        if (IsIgnored(signal))
        {
            // Whoever started the tests, in the background as a rule, has made the system drop the signal.
            Assert.False(interruption.IsRequested);
            return;
        }

        Assert.True(SpinWait.SpinUntil(() => interruption.IsRequested, TimeSpan.FromMinutes(1)));
    }

    [Fact]
    public void A_program_can_ask_itself()
    {
        using var interruption = new Interruption();
        interruption.Request();
        Assert.True(interruption.IsRequested);
    }

    private static bool IsIgnored(string signal)
    {
        const string Status = "/proc/self/status";
        const string Label = "SigIgn:";
        if (!File.Exists(Status))
        {
            return false;
        }

        string mask = File.ReadLines(Status).First(line => line.StartsWith(Label, StringComparison.Ordinal))[Label.Length..].Trim();
        int number = signal == "INT" ? 2 : 15;
        return ((ulong.Parse(mask, NumberStyles.HexNumber, CultureInfo.InvariantCulture) >> (number - 1)) & 1) == 1;
    }
}
