using System.Runtime.InteropServices;
using System.Text;

namespace Minigrad.EmulatedCuda;

/// <summary>
/// The functions of CUDA's driver that ILGPU calls, over a <see cref="Machine"/>. What is asked of a stream is done as late as
/// it can be, when somebody waits for it: a number that is read too early, or memory that is given back too early, shows.
/// </summary>
/// <remarks>NVIDIA's "CUDA Driver API" says what each does. Streams and contexts are all one.</remarks>
internal static unsafe class Driver
{
    private const int ErrorLog = 5;

    private static readonly Lock Gate = new();
    private static readonly DeviceMemory Memory = new();
    private static readonly Machine Machine = new(Memory);
    private static readonly List<Action> Pending = [];
    private static readonly Dictionary<nint, PtxKernel> Modules = [];
    private static readonly Dictionary<nint, bool> Events = [];
    private static readonly Dictionary<nuint, nuint> Pinned = [];
    private static nint handles;
    private static int questions;
    private static CudaResult state;
    private static nint message = Marshal.StringToCoTaskMemUTF8("an error of the emulated device");

    [UnmanagedCallersOnly(EntryPoint = "cuInit")]
    public static CudaResult Initialize(int flags) => CudaResult.Success;

    [UnmanagedCallersOnly(EntryPoint = "cuDriverGetVersion")]
    public static CudaResult GetVersion(int* version)
    {
        *version = 12040;
        return CudaResult.Success;
    }

    [UnmanagedCallersOnly(EntryPoint = "cuDeviceGetCount")]
    public static CudaResult GetDeviceCount(int* count)
    {
        *count = 1;
        return CudaResult.Success;
    }

    [UnmanagedCallersOnly(EntryPoint = "cuDeviceGet")]
    public static CudaResult GetDevice(int* device, int number)
    {
        *device = 0;
        return number == 0 ? CudaResult.Success : CudaResult.InvalidDevice;
    }

    [UnmanagedCallersOnly(EntryPoint = "cuDeviceGetName")]
    public static CudaResult GetDeviceName(byte* name, int length, int device)
    {
        Write("Emulated CUDA device", name, length);
        return CudaResult.Success;
    }

    [UnmanagedCallersOnly(EntryPoint = "cuDeviceTotalMem_v2")]
    public static CudaResult GetTotalMemory(nuint* bytes, int device)
    {
        *bytes = DeviceMemory.Capacity;
        return CudaResult.Success;
    }

    /// <summary>An H100 with less memory.</summary>
    [UnmanagedCallersOnly(EntryPoint = "cuDeviceGetAttribute")]
    public static CudaResult GetDeviceAttribute(int* value, int attribute, int device)
    {
        *value = attribute switch
        {
            1 or 2 or 3 => 1024, // Threads of a block, and along x and y.
            4 => 64, // Along z.
            5 => int.MaxValue, // Blocks along x.
            6 or 7 => 65535, // Along y and z.
            8 => 49152, // Bytes that a block can share.
            9 => 65536, // Constant memory.
            10 => 32, // Threads of a warp.
            11 => int.MaxValue, // The largest pitch.
            12 or 82 => 65536, // Registers of a block and of a multiprocessor.
            13 => 1_980_000, // kHz.
            16 => 132, // Multiprocessors.
            19 or 41 or 83 or 90 or 91 => 1, // What the host has can be mapped, addressed and registered.
            36 => 2_619_000, // Memory's kHz.
            37 => 5120, // Its bits.
            38 => 50 << 20, // Cache.
            39 => 2048, // Threads of a multiprocessor.
            40 => 3, // Copies at once.
            75 => 9, // Compute capability 9.0.
            81 => 233_472, // Bytes that the blocks of a multiprocessor can share.
            _ => 0,
        };
        return CudaResult.Success;
    }

    [UnmanagedCallersOnly(EntryPoint = "cuCtxCreate_v2")]
    public static CudaResult CreateContext(nint* context, int flags, int device)
    {
        lock (Gate)
        {
            state = CudaResult.Success; // What is lost is lost with its context.
            *context = ++handles;
            return CudaResult.Success;
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "cuCtxDestroy_v2")]
    public static CudaResult DestroyContext(nint context) => Wait();

    [UnmanagedCallersOnly(EntryPoint = "cuCtxSetCurrent")]
    public static CudaResult SetCurrentContext(nint context) => CudaResult.Success;

    [UnmanagedCallersOnly(EntryPoint = "cuCtxSynchronize")]
    public static CudaResult SynchronizeContext() => Wait();

    [UnmanagedCallersOnly(EntryPoint = "cuCtxGetCacheConfig")]
    public static CudaResult GetCacheConfiguration(int* configuration)
    {
        *configuration = 0;
        return CudaResult.Success;
    }

    [UnmanagedCallersOnly(EntryPoint = "cuCtxGetSharedMemConfig")]
    public static CudaResult GetSharedMemoryConfiguration(int* configuration)
    {
        *configuration = 0;
        return CudaResult.Success;
    }

    [UnmanagedCallersOnly(EntryPoint = "cuDeviceCanAccessPeer")]
    public static CudaResult CanAccessPeer(int* can, int device, int peer)
    {
        *can = 0;
        return CudaResult.Success;
    }

    [UnmanagedCallersOnly(EntryPoint = "cuMemGetInfo_v2")]
    public static CudaResult GetMemoryInfo(nuint* free, nuint* total)
    {
        lock (Gate)
        {
            *total = DeviceMemory.Capacity;
            *free = *total - Memory.Held;
            return state;
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "cuMemAlloc_v2")]
    public static CudaResult Allocate(byte** address, nuint size)
    {
        lock (Gate)
        {
            if (state != CudaResult.Success || size == 0)
            {
                return size == 0 ? CudaResult.InvalidValue : state;
            }

            *address = Memory.Allocate(size);
            return *address is null ? CudaResult.OutOfMemory : CudaResult.Success;
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "cuMemFree_v2")]
    public static CudaResult Free(byte* address)
    {
        lock (Gate)
        {
            DoPending();
            return Memory.Free(address) ? state : CudaResult.InvalidValue;
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "cuMemAllocHost_v2")]
    public static CudaResult AllocateHost(void** address, nuint size)
    {
        lock (Gate)
        {
            *address = NativeMemory.AlignedAlloc(size, 64);
            Pinned[(nuint)(*address)] = size;
            return CudaResult.Success;
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "cuMemFreeHost")]
    public static CudaResult FreeHost(void* address)
    {
        lock (Gate)
        {
            DoPending();
            Pinned.Remove((nuint)address);
            NativeMemory.AlignedFree(address);
            return CudaResult.Success;
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "cuMemHostRegister_v2")]
    public static CudaResult RegisterHost(void* address, nuint size, int flags)
    {
        lock (Gate)
        {
            Pinned[(nuint)address] = size;
            return CudaResult.Success;
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "cuMemHostUnregister")]
    public static CudaResult UnregisterHost(void* address)
    {
        lock (Gate)
        {
            DoPending();
            Pinned.Remove((nuint)address);
            return CudaResult.Success;
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "cuMemHostGetDevicePointer_v2")]
    public static CudaResult GetDevicePointer(void** onDevice, void* onHost, int flags)
    {
        *onDevice = onHost;
        return CudaResult.Success;
    }

    /// <summary>
    /// Copies. From the host's ordinary memory it takes the bytes at once, into it it waits; pinned memory is read and written when
    /// the copy is done.
    /// </summary>
    [UnmanagedCallersOnly(EntryPoint = "cuMemcpyAsync")]
    public static CudaResult Copy(byte* target, byte* source, nuint size, nint stream)
    {
        lock (Gate)
        {
            bool isFromDevice = Memory.Find(source, size) is not null;
            bool isToDevice = Memory.Find(target, size) is not null;
            if (!isFromDevice && !isToDevice)
            {
                return Fail("a copy leaves the memory of the device");
            }

            if (isFromDevice || IsPinned(source))
            {
                Later(() => NativeMemory.Copy(source, target, size));
                return isToDevice || IsPinned(target) ? state : DoPending();
            }

            byte[] bytes = new ReadOnlySpan<byte>(source, (int)size).ToArray();
            return Later(() => bytes.CopyTo(new Span<byte>(target, bytes.Length)));
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "cuMemsetD8Async")]
    public static CudaResult Fill(byte* target, byte value, nuint size, nint stream)
    {
        lock (Gate)
        {
            return Memory.Find(target, size) is null
                ? Fail("a fill leaves the memory of the device")
                : Later(() => NativeMemory.Fill(target, size, value));
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "cuStreamCreate")]
    public static CudaResult CreateStream(nint* stream, int flags) => NewHandle(stream);

    [UnmanagedCallersOnly(EntryPoint = "cuStreamCreateWithPriority")]
    public static CudaResult CreateStreamWithPriority(nint* stream, int flags, int priority) => NewHandle(stream);

    [UnmanagedCallersOnly(EntryPoint = "cuStreamDestroy_v2")]
    public static CudaResult DestroyStream(nint stream) => Wait();

    [UnmanagedCallersOnly(EntryPoint = "cuStreamSynchronize")]
    public static CudaResult SynchronizeStream(nint stream) => Wait();

    [UnmanagedCallersOnly(EntryPoint = "cuEventCreate")]
    public static CudaResult CreateEvent(nint* created, int flags)
    {
        lock (Gate)
        {
            *created = ++handles;
            Events[*created] = true;
            return state;
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "cuEventDestroy_v2")]
    public static CudaResult DestroyEvent(nint destroyed)
    {
        lock (Gate)
        {
            Events.Remove(destroyed);
            return CudaResult.Success;
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "cuEventRecord")]
    public static CudaResult RecordEvent(nint recorded, nint stream)
    {
        lock (Gate)
        {
            Events[recorded] = false;
            return Later(() => Events[recorded] = true);
        }
    }

    /// <summary>Whether an event has come. A device goes on by itself, so every third question finds all done.</summary>
    [UnmanagedCallersOnly(EntryPoint = "cuEventQuery")]
    public static CudaResult QueryEvent(nint asked)
    {
        lock (Gate)
        {
            return !Events.TryGetValue(asked, out bool hasCome)
                ? CudaResult.InvalidValue
                : hasCome ? state : ++questions % 3 == 0 ? DoPending() : CudaResult.NotReady;
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "cuEventSynchronize")]
    public static CudaResult SynchronizeEvent(nint awaited) => Wait();

    [UnmanagedCallersOnly(EntryPoint = "cuModuleLoadData")]
    public static CudaResult LoadModule(nint* module, byte* text) => Load(module, text, 0, null, null);

    [UnmanagedCallersOnly(EntryPoint = "cuModuleLoadDataEx")]
    public static CudaResult LoadModuleWithOptions(nint* module, byte* text, int count, int* options, byte** values) =>
        Load(module, text, count, options, values);

    [UnmanagedCallersOnly(EntryPoint = "cuModuleUnload")]
    public static CudaResult UnloadModule(nint module)
    {
        lock (Gate)
        {
            DoPending();
            Modules.Remove(module);
            return CudaResult.Success;
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "cuModuleGetFunction")]
    public static CudaResult GetFunction(nint* function, nint module, byte* name)
    {
        lock (Gate)
        {
            *function = module; // A module has one.
            return Modules.TryGetValue(module, out PtxKernel? kernel) && kernel.Name == Marshal.PtrToStringUTF8((nint)name)
                ? CudaResult.Success
                : CudaResult.NotFound;
        }
    }

    /// <summary>Launches a kernel. The arguments come as a buffer: key 1 before its address, key 2 before the address of its size, 0 at the end.</summary>
    [UnmanagedCallersOnly(EntryPoint = "cuLaunchKernel")]
    public static CudaResult LaunchKernel(
        nint function, int gridX, int gridY, int gridZ, int blockX, int blockY, int blockZ, int sharedSize, nint stream, void** arguments, void** extra)
    {
        lock (Gate)
        {
            if (!Modules.TryGetValue(function, out PtxKernel? kernel))
            {
                return CudaResult.NotFound;
            }

            long threads = (long)blockX * blockY * blockZ;
            if (gridX < 1 || gridY is < 1 or > 65535 || gridZ is < 1 or > 65535 || threads is < 1 or > 1024)
            {
                return CudaResult.InvalidValue;
            }

            if (sharedSize != 0 || extra is null || (nint)extra[0] != 1 || (nint)extra[2] != 2 || *(int*)extra[3] < kernel.ArgumentSize)
            {
                return Fail($"{kernel.Name} is launched with other arguments than it has, or with shared memory that is not its own");
            }

            byte[] bytes = new ReadOnlySpan<byte>(extra[1], *(int*)extra[3]).ToArray();
            Launch launch = new(kernel, [gridX, gridY, gridZ], [blockX, blockY, blockZ], bytes);
            return Later(() => Machine.Run(launch));
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "cuOccupancyMaxActiveBlocksPerMultiprocessor")]
    public static CudaResult GetOccupancy(int* blocks, nint function, int blockSize, nuint sharedSize)
    {
        *blocks = 2048 / Math.Max(blockSize, 1);
        return CudaResult.Success;
    }

    [UnmanagedCallersOnly(EntryPoint = "cuOccupancyMaxPotentialBlockSize")]
    public static CudaResult GetBestBlockSize(int* blocks, int* blockSize, nint function, nint sharedSizes, nuint sharedSize, int limit)
    {
        *blockSize = limit is > 0 and < 256 ? limit : 256;
        *blocks = 132 * (2048 / *blockSize);
        return CudaResult.Success;
    }

    [UnmanagedCallersOnly(EntryPoint = "cuGetErrorString")]
    public static CudaResult GetErrorText(CudaResult error, nint* text)
    {
        *text = message;
        return CudaResult.Success;
    }

    /// <summary>Asks for work of a library over pieces of the device's memory.</summary>
    /// <param name="pieces">The pieces that it reads and writes.</param>
    /// <param name="work">What it does.</param>
    internal static CudaResult Ask((nint Address, nuint Size)[] pieces, Action work)
    {
        lock (Gate)
        {
            return Array.Exists(pieces, piece => piece.Size > 0 && Memory.Find((byte*)piece.Address, piece.Size) is null)
                ? Fail("a matrix leaves the memory of the device")
                : Later(work);
        }
    }

    private static CudaResult NewHandle(nint* handle)
    {
        lock (Gate)
        {
            *handle = ++handles;
            return state;
        }
    }

    private static CudaResult Load(nint* module, byte* text, int count, int* options, byte** values)
    {
        lock (Gate)
        {
            try
            {
                *module = ++handles;
                Modules[*module] = PtxReader.Read(Marshal.PtrToStringUTF8((nint)text)!);
                return state;
            }
            catch (PtxException exception)
            {
                Tell(exception.Message);
                for (int i = 0; i < count; i++)
                {
                    if (options[i] == ErrorLog)
                    {
                        Write(exception.Message, values[i], 1024);
                    }
                }

                return CudaResult.InvalidPtx;
            }
        }
    }

    private static CudaResult Wait()
    {
        lock (Gate)
        {
            return DoPending();
        }
    }

    private static CudaResult Later(Action action)
    {
        if (state == CudaResult.Success)
        {
            Pending.Add(action);
        }

        return state;
    }

    private static CudaResult DoPending()
    {
        try
        {
            foreach (Action action in Pending)
            {
                action();
            }
        }
        catch (DeviceFaultException fault)
        {
            Fail(fault.Message);
        }

        Pending.Clear();
        return state;
    }

    private static CudaResult Fail(string what)
    {
        Tell(what);
        return state = CudaResult.IllegalAddress;
    }

    private static void Tell(string what)
    {
        Marshal.FreeCoTaskMem(message);
        message = Marshal.StringToCoTaskMemUTF8(what);
    }

    private static bool IsPinned(byte* address) => Pinned.Any(piece => (nuint)address >= piece.Key && (nuint)address < piece.Key + piece.Value);

    private static void Write(string text, byte* target, int length)
    {
        Span<byte> bytes = new(target, length);
        bytes.Clear();
        Encoding.UTF8.GetBytes(text.AsSpan(0, Math.Min(text.Length, (length / 4) - 1)), bytes);
    }
}
