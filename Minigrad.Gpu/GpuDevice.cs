using System.Globalization;
using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.CPU;
using ILGPU.Runtime.Cuda;
using ILGPU.Runtime.OpenCL;

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

    private const string HowToInstall =
        """
        Looked for:
          - NVIDIA GPUs, through the CUDA driver (libcuda.so.1, or nvcuda.dll on Windows). Install NVIDIA's driver; the
            CUDA toolkit is not needed. `nvidia-smi` must list the GPU, and a container must be started with access to it.
          - other GPUs, through OpenCL (libOpenCL.so.1, or OpenCL.dll on Windows) with OpenCL C 2.0 or newer. Install the
            loader (on Debian and Ubuntu: ocl-icd-libopencl1) and the maker's driver. `clinfo` must list the GPU.
        """;

    /// <summary>The devices of this machine, best first: CUDA, then OpenCL GPUs, then other OpenCL devices; by memory.</summary>
    public static IReadOnlyList<GpuDeviceDescription> List()
    {
        using Context context = CreateContext();
        return [.. Devices(context).Select((device, index) => Describe(device, index))];
    }

    /// <summary>Opens the best GPU: the CUDA device with the most memory, else the OpenCL GPU with the most.</summary>
    /// <returns>The backend. It holds the device until it is disposed.</returns>
    /// <exception cref="GpuException">There is no GPU, or it has no usable driver.</exception>
    public static GpuBackend Open() => OpenFirst(
        description => description.Kind is GpuDeviceKind.Cuda or GpuDeviceKind.OpenClGpu,
        others =>
            $"""
            No GPU was found.
            {HowToInstall}
            {Others(others)}To try kernels without a GPU there is GpuDevice.OpenCpuAccelerator(), an emulation that is far slower than the CPU backend.
            """);

    /// <summary>Opens the device that is named, GPU or not.</summary>
    /// <param name="nameOrIndex">An index of <see cref="List"/>, a device's name, or a part of its name in any case.</param>
    /// <returns>The backend. It holds the device until it is disposed.</returns>
    /// <exception cref="ArgumentException">The text is empty.</exception>
    /// <exception cref="GpuException">There is no such device.</exception>
    public static GpuBackend Open(string nameOrIndex)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(nameOrIndex);
        string wanted = nameOrIndex.Trim();
        return OpenFirst(
            int.TryParse(wanted, NumberStyles.None, CultureInfo.InvariantCulture, out int index)
                ? description => description.Index == index
                : description => description.Name.Contains(wanted, StringComparison.OrdinalIgnoreCase),
            others => others.Count == 0
                ? $"There is no device '{wanted}', nor any other.\n{HowToInstall}"
                : $"There is no device '{wanted}'.\n{Others(others)}Choose one by its index or a part of its name.");
    }

    /// <summary>
    /// Opens ILGPU's CPU accelerator: the kernels as plain .NET methods on a few threads, with every index checked. For
    /// debugging and tests; it is hundreds of times slower than <see cref="Backends.Cpu.CpuBackend"/> and never chosen
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

    private static GpuBackend OpenFirst(
        Func<GpuDeviceDescription, bool> isWanted, Func<IReadOnlyList<GpuDeviceDescription>, string> explain)
    {
        Context context = CreateContext();
        try
        {
            List<Device> devices = Devices(context);
            List<GpuDeviceDescription> descriptions = [.. devices.Select((device, index) => Describe(device, index))];
            int chosen = descriptions.FindIndex(description => isWanted(description));
            return chosen >= 0
                ? new GpuBackend(context, CreateAccelerator(context, devices[chosen], descriptions[chosen]), descriptions[chosen])
                : throw new GpuException(explain(descriptions));
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
                $"{description} was found but could not be opened: {exception.Message} A CUDA device needs a driver that is "
                + "new enough for it; an OpenCL device needs OpenCL C 2.0 with the generic address space.",
                exception);
        }
    }

    private static Context CreateContext() => CreateContext(builder => builder.Cuda().OpenCL());

    private static Context CreateContext(Func<Context.Builder, Context.Builder> addDevices)
    {
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
    private static List<Device> Devices(Context context) =>
        [.. context.Devices.Where(device => device is CudaDevice or CLDevice)
            .OrderBy(KindOf)
            .ThenByDescending(device => device.MemorySize)];

    private static GpuDeviceDescription Describe(Device device, int index) =>
        new(index, device.Name.Trim(), KindOf(device), device.MemorySize);

    private static GpuDeviceKind KindOf(Device device) => device switch
    {
        CudaDevice => GpuDeviceKind.Cuda,
        CLDevice openCl when (openCl.DeviceType & CLDeviceType.CL_DEVICE_TYPE_GPU) != 0 => GpuDeviceKind.OpenClGpu,
        CLDevice => GpuDeviceKind.OpenClOther,
        _ => GpuDeviceKind.CpuAccelerator,
    };

    private static string Others(IReadOnlyList<GpuDeviceDescription> others) => others.Count == 0
        ? string.Empty
        : $"The devices of this machine are:\n{string.Concat(others.Select(other => $"  {other}\n"))}";
}
