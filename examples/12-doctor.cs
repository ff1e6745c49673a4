#:project ../Minigrad.Gpu
// What GPUs this machine has, and what to do about those that can't be used: dotnet run -c Release examples/12-doctor.cs
using Minigrad;
using Minigrad.Backends;
using Minigrad.Gpu;

Console.WriteLine("Drivers");
foreach (GpuDriver driver in GpuDevice.Drivers())
{
    Console.WriteLine($"  {driver}");
}

Console.WriteLine("Devices");
IReadOnlyList<GpuDeviceDescription> devices = GpuDevice.List();
bool isWell = true;
foreach (GpuDeviceDescription device in devices)
{
    Console.WriteLine($"  {device}");
    Console.WriteLine($"      {device.Version}, driver {device.Driver}");
    if (!device.HasDoublePrecision)
    {
        Console.WriteLine("      It has no double precision: it computes forward and backward, but no optimizer's step. Step on the CPU.");
    }

    string verdict = Examine(device, out bool works);
    Console.WriteLine($"      {verdict}");
    isWell &= works || !device.IsUsable;
}

if (devices.Count == 0)
{
    Console.WriteLine("  none");
}

Backend chosen = GpuDevice.OpenOrCpu();
using (chosen as IDisposable)
{
    Console.WriteLine($"GpuDevice.OpenOrCpu() takes {chosen.Name}.");
}

// A machine without a GPU is well; one whose GPU should work and does not is not.
return isWell ? 0 : 1;

// Being listed is one thing: this opens the device, compiles a kernel for it, and looks at what it computes.
static string Examine(GpuDeviceDescription device, out bool works)
{
    works = false;
    if (!device.IsUsable)
    {
        return $"It can't be used: {device.Problem}";
    }

    try
    {
        using GpuBackend gpu = GpuDevice.Open($"{device.Index}");
        float sum = Tensor.Arange(1000).To(gpu).Sum().Item();
        works = sum == 499_500f;
        return works ? "It works: a sum of 1,000 numbers is right." : $"It computes wrongly: 0 + 1 + … + 999 gave {sum} on it. Install a newer driver.";
    }
    catch (GpuException exception)
    {
        return $"It does not work: {exception.Message}";
    }
}
