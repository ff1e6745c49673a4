using System.Globalization;
using System.Runtime.CompilerServices;
using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.CPU;
using ILGPU.Runtime.Cuda;
using ILGPU.Runtime.OpenCL;
using Minigrad.Backends;
using Minigrad.Backends.Cpu;

namespace Minigrad.Gpu;

/// <summary>Finds the machine's GPUs and opens a backend on one.</summary>
/// <example>
/// <code>
/// using GpuBackend gpu = GpuDevice.Open();
/// Console.WriteLine(gpu.Name);
/// </code>
/// </example>
public static class GpuDevice
{
    private const int EmulatedThreads = 4;
    private static readonly Lock Opening = new();

    /// <summary>
    /// The devices of this machine, best first: those that can be used, and of them CUDA, then OpenCL GPUs, then other
    /// OpenCL devices; by memory. A device that can't be used says why.
    /// </summary>
    public static IReadOnlyList<GpuDeviceDescription> List()
    {
        using Context context = CreateContext();
        return [.. Devices(context).Select(found => found.Description)];
    }

    /// <summary>The ways to reach a GPU, and what to do about those that show none.</summary>
    public static IReadOnlyList<GpuDriver> Drivers()
    {
        using Context context = CreateContext();
        return
        [
            new GpuDriver("CUDA", NativeLibraryNames.Find(NativeLibraryNames.Cuda), context.Devices.OfType<CudaDevice>().Count()),
            new GpuDriver("OpenCL", NativeLibraryNames.Find(NativeLibraryNames.OpenCl), context.Devices.OfType<CLDevice>().Count()),
        ];
    }

    /// <summary>Opens the best GPU: the CUDA device with the most memory, else the OpenCL GPU with the most.</summary>
    /// <returns>The backend. It holds the device until it is disposed.</returns>
    /// <exception cref="GpuException">There is no GPU, or it has no usable driver.</exception>
    public static GpuBackend Open() => OpenFirst(IsUsableGpu, NoGpu);

    /// <summary>Opens the device that is named, GPU or not.</summary>
    /// <param name="nameOrIndex">An index of <see cref="List"/>, a device's name, or a part of its name in any case.</param>
    /// <returns>The backend. It holds the device until it is disposed.</returns>
    /// <exception cref="ArgumentException">The text is empty.</exception>
    /// <exception cref="GpuException">There is no such device, or it can't be used.</exception>
    public static GpuBackend Open(string nameOrIndex)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(nameOrIndex);
        string wanted = nameOrIndex.Trim();
        return OpenFirst(
            int.TryParse(wanted, NumberStyles.None, CultureInfo.InvariantCulture, out int index)
                ? description => description.Index == index
                : description => description.Name.Contains(wanted, StringComparison.OrdinalIgnoreCase),
            others => others.Count == 0
                ? $"There is no device '{wanted}', nor any other.\n{HowToInstall()}"
                : $"There is no device '{wanted}'.\n{Others(others)}Choose one by its index or a part of its name.");
    }

    /// <summary>
    /// The best GPU as <see cref="Open()"/> takes it, or the CPU backend where there is none. For programs that are to run
    /// anywhere: <see cref="Backend.Name"/> says on what.
    /// </summary>
    /// <returns>A <see cref="GpuBackend"/>, which holds the device until it is disposed, or <see cref="CpuBackend.Instance"/>.</returns>
    /// <exception cref="GpuException">
    /// There is a GPU that should work, but it could not be opened; or the program is compiled ahead of time.
    /// </exception>
    public static Backend OpenOrCpu() => List().Any(IsUsableGpu) ? Open() : CpuBackend.Instance;

    /// <summary>
    /// Opens ILGPU's CPU accelerator: the kernels as plain .NET methods on a few threads, with every index checked. For
    /// debugging and tests; it is hundreds of times slower than <see cref="CpuBackend"/> and never chosen
    /// by <see cref="Open()"/>.
    /// </summary>
    /// <returns>The backend, to be disposed.</returns>
    public static GpuBackend OpenCpuAccelerator()
    {
        Context context = CreateContext(builder => builder.CPU(new CPUDevice(EmulatedThreads, EmulatedThreads, 1)));
        return new GpuBackend(
            context,
            context.CreateCPUAccelerator(0),
            new GpuDeviceDescription(0, "CPU accelerator", GpuDeviceKind.CpuAccelerator, 0));
    }

    /// <summary>Refuses where ILGPU, which compiles kernels and what launches them at run time, would fail in words of its own.</summary>
    /// <param name="canCompile">Whether a program can be compiled at run time.</param>
    internal static void ThrowIfCompiledAhead(bool canCompile)
    {
        if (!canCompile)
        {
            throw new GpuException(
                "Kernels are compiled at run time, and this program may not: it is to be compiled ahead of time, which a program of one "
                + "file is unless it says otherwise. Add the line `#:property PublishAot=false` to the file, or "
                + "<PublishAot>false</PublishAot> to the project; or use CpuBackend.Instance, which needs nothing.");
        }
    }

    private static bool IsUsableGpu(GpuDeviceDescription description) =>
        description.IsUsable && description.Kind is GpuDeviceKind.Cuda or GpuDeviceKind.OpenClGpu;

    private static GpuBackend OpenFirst(
        Func<GpuDeviceDescription, bool> isWanted, Func<IReadOnlyList<GpuDeviceDescription>, string> explain)
    {
        Context context = CreateContext();
        try
        {
            List<(Device Device, GpuDeviceDescription Description)> all = Devices(context);
            int chosen = all.FindIndex(found => isWanted(found.Description));
            if (chosen < 0)
            {
                throw new GpuException(explain([.. all.Select(found => found.Description)]));
            }

            (Device device, GpuDeviceDescription description) = all[chosen];
            return description.IsUsable
                ? new GpuBackend(context, CreateAccelerator(context, device, description), description)
                : throw new GpuException($"{description} can't be used: {description.Problem}");
        }
        catch
        {
            context.Dispose();
            throw;
        }
    }

    private static Accelerator CreateAccelerator(Context context, Device device, GpuDeviceDescription description)
    {
        try
        {
            return device.CreateAccelerator(context);
        }
        catch (Exception exception)
        {
            throw new GpuException(
                $"{description} was found but could not be opened: {exception.Message} Its driver is {description.Driver}. Is the "
                + "device's memory full, or another program its only user? `nvidia-smi` or `clinfo` may say more.",
                exception);
        }
    }

    /// <summary>With all devices, also those that ILGPU can't compile for: we say why, where it would be silent.</summary>
    private static Context CreateContext() => CreateContext(builder => builder.Cuda(_ => true).OpenCL(_ => true));

    private static Context CreateContext(Func<Context.Builder, Context.Builder> addDevices)
    {
        ThrowIfCompiledAhead(RuntimeFeature.IsDynamicCodeSupported);

        // One at a time: of two threads that look for devices at once, one may be told that there are none.
        lock (Opening)
        {
            NativeLibraryNames.Install();
            return Context.Create(builder => addDevices(builder.EnableAlgorithms().Optimize(OptimizationLevel.O1)));
        }
    }

    /// <summary>
    /// All but the CPU accelerator, best first. Not <c>GetPreferredDevice</c>, which takes whatever reports most memory:
    /// that is PoCL, with the host's, before any GPU.
    /// </summary>
    private static List<(Device Device, GpuDeviceDescription Description)> Devices(Context context) =>
        [.. context.Devices.Where(device => device is CudaDevice or CLDevice)
            .Select(device => (Device: device, Description: Describe(device)))
            .OrderByDescending(found => found.Description.IsUsable)
            .ThenBy(found => found.Description.Kind)
            .ThenByDescending(found => found.Description.MemoryBytes)
            .Select((found, index) => (found.Device, found.Description with { Index = index }))];

    private static GpuDeviceDescription Describe(Device device)
    {
        string name = device.Name.Trim();
        if (device is CudaDevice cuda)
        {
            return new GpuDeviceDescription(0, name, GpuDeviceKind.Cuda, device.MemorySize)
            {
                Version = $"compute capability {cuda.Architecture?.Major}.{cuda.Architecture?.Minor}",
                Driver = $"NVIDIA's, for CUDA {cuda.DriverVersion}",
                Problem = DeviceRequirements.ProblemOf(cuda.DriverVersion, cuda.Architecture, cuda.InstructionSet),
            };
        }

        CLDevice openCl = (CLDevice)device;
        bool isGpu = (openCl.DeviceType & CLDeviceType.CL_DEVICE_TYPE_GPU) != 0;
        return new GpuDeviceDescription(0, name, isGpu ? GpuDeviceKind.OpenClGpu : GpuDeviceKind.OpenClOther, device.MemorySize)
        {
            Version = $"OpenCL {openCl.DeviceVersion.Major}.{openCl.DeviceVersion.Minor}",
            Driver = $"{openCl.PlatformName} {CLAPI.CurrentAPI.GetDeviceInfo(openCl.DeviceId, CLDeviceInfoType.CL_DRIVER_VERSION)}",
            HasDoublePrecision = openCl.Capabilities.Float64,
            Problem = DeviceRequirements.ProblemOf(openCl.CLStdVersion, openCl.Capabilities.GenericAddressSpace),
        };
    }

    private static string NoGpu(IReadOnlyList<GpuDeviceDescription> others) =>
        $"""
        No GPU was found.
        {HowToInstall()}
        {Others(others)}GpuDevice.OpenOrCpu() gives the CPU backend instead. To try kernels without a GPU there is GpuDevice.OpenCpuAccelerator(), an emulation that is far slower than the CPU backend.
        """;

    private static string HowToInstall() => string.Join('\n', Drivers().Select(driver => $"  - {driver}"));

    private static string Others(IReadOnlyList<GpuDeviceDescription> others) => others.Count == 0
        ? string.Empty
        : $"The devices of this machine are:\n{string.Concat(others.Select(other => $"  {other}{(other.IsUsable ? string.Empty : $", which can't be used: {other.Problem}")}\n"))}";
}
