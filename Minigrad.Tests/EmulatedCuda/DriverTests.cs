using System.Runtime.InteropServices;
using System.Text;
using Minigrad.EmulatedCuda;

namespace Minigrad.Tests.EmulatedCuda;

/// <summary>The functions of the driver, called as ILGPU calls them.</summary>
[Collection(Collection)]
public sealed unsafe class DriverTests
{
    /// <summary>Tests that run one after another: a process has one driver, and what is lost in it is lost for all.</summary>
    public const string Collection = "the emulated driver";

    /// <summary>Writes 7 to where its argument points.</summary>
    private const string WritesSeven = """
        .version 8.4
        .target sm_90
        .address_size 64

        .visible .entry Kernel_Seven(
        	.param .b64 y
        )
        {
        	ld.param.b64	%rd1, [y];
        	st.global.b32	[%rd1], 7;
        }
        """;

    private static readonly delegate* unmanaged<nint*, int, int, CudaResult> CreateContext = &Driver.CreateContext;
    private static readonly delegate* unmanaged<byte**, nuint, CudaResult> Allocate = &Driver.Allocate;
    private static readonly delegate* unmanaged<byte*, CudaResult> Free = &Driver.Free;
    private static readonly delegate* unmanaged<void**, nuint, CudaResult> AllocateHost = &Driver.AllocateHost;
    private static readonly delegate* unmanaged<void*, CudaResult> FreeHost = &Driver.FreeHost;
    private static readonly delegate* unmanaged<byte*, byte*, nuint, nint, CudaResult> Copy = &Driver.Copy;
    private static readonly delegate* unmanaged<CudaResult> Synchronize = &Driver.SynchronizeContext;
    private static readonly delegate* unmanaged<nint*, byte*, CudaResult> Load = &Driver.LoadModule;
    private static readonly delegate* unmanaged<nint*, byte*, int, int*, byte**, CudaResult> LoadWithLog = &Driver.LoadModuleWithOptions;
    private static readonly delegate* unmanaged<nint, int, int, int, int, int, int, int, nint, void**, void**, CudaResult> Launch = &Driver.LaunchKernel;
    private static readonly delegate* unmanaged<nint*, int, CudaResult> CreateEvent = &Driver.CreateEvent;
    private static readonly delegate* unmanaged<nint, nint, CudaResult> RecordEvent = &Driver.RecordEvent;
    private static readonly delegate* unmanaged<nint, CudaResult> QueryEvent = &Driver.QueryEvent;
    private static readonly delegate* unmanaged<CudaResult, nint*, CudaResult> GetErrorText = &Driver.GetErrorText;

    [Fact]
    public void What_is_asked_is_done_when_somebody_waits()
    {
        NewContext();
        byte* device;
        void* host;
        Assert.Equal(CudaResult.Success, Allocate(&device, 4));
        Assert.Equal(CudaResult.Success, AllocateHost(&host, 4));
        *(int*)host = 5;
        Assert.Equal(CudaResult.Success, LaunchSeven(device));
        Assert.Equal(CudaResult.Success, Copy((byte*)host, device, 4, 0));
        nint recorded;
        CreateEvent(&recorded, 0);
        RecordEvent(recorded, 0);
        Assert.Equal(5, *(int*)host);

        // Which of three questions finds it done depends on how many were asked before.
        CudaResult[] answers = [QueryEvent(recorded), QueryEvent(recorded), QueryEvent(recorded)];
        Assert.Equal(CudaResult.Success, answers[^1] == CudaResult.Success ? answers[^1] : QueryEvent(recorded));
        Assert.Equal(7, *(int*)host);

        // Ordinary memory is read at once and written before the call is over.
        int number = 8;
        Copy(device, (byte*)&number, 4, 0);
        number = 9;
        Copy((byte*)&number, device, 4, 0);
        Assert.Equal(8, number);
        Assert.Equal(CudaResult.Success, FreeHost(host));
        Assert.Equal(CudaResult.Success, Free(device));
        Assert.Equal(CudaResult.InvalidValue, Free(device));
    }

    [Fact]
    public void A_fault_is_told_by_whoever_waits_and_stays_until_there_is_a_new_context()
    {
        NewContext();
        byte* device;
        Assert.Equal(CudaResult.Success, Allocate(&device, 4));
        Assert.Equal(CudaResult.Success, LaunchSeven(device + 4));
        Assert.Equal(CudaResult.IllegalAddress, Synchronize());
        Assert.StartsWith("an address is outside of all memory of the device: Kernel_Seven, line 10, block 0 of 1: st.global.b32", ErrorText(), StringComparison.Ordinal);
        Assert.Equal(CudaResult.IllegalAddress, LaunchSeven(device));
        byte* another;
        Assert.Equal(CudaResult.IllegalAddress, Allocate(&another, 4));
        NewContext();
        Assert.Equal(CudaResult.Success, LaunchSeven(device));
        Assert.Equal(CudaResult.Success, Synchronize());
        Assert.Equal(7, *(int*)device);
        Free(device);
    }

    [Fact]
    public void What_leaves_the_memory_or_is_too_much_is_refused()
    {
        NewContext();
        byte* device;
        Assert.Equal(CudaResult.OutOfMemory, Allocate(&device, DeviceMemory.Capacity + 1));
        Assert.Equal(CudaResult.InvalidValue, Allocate(&device, 0));
        Assert.Equal(CudaResult.Success, Allocate(&device, 4));
        long number = 0;
        Assert.Equal(CudaResult.IllegalAddress, Copy(device, (byte*)&number, 8, 0));
        NewContext();
        Free(device);
    }

    [Fact]
    public void A_text_that_is_not_known_is_refused_in_words()
    {
        byte[] text = [.. Encoding.UTF8.GetBytes(WritesSeven.Replace("st.global", "st.elsewhere", StringComparison.Ordinal)), 0];
        byte[] log = new byte[1024];
        int option = 5;
        nint module;
        fixed (byte* begin = text, logBegin = log)
        {
            byte* value = logBegin;
            Assert.Equal(CudaResult.InvalidPtx, LoadWithLog(&module, begin, 1, &option, &value));
        }

        Assert.StartsWith("Line 10 is an access that is not known", Encoding.UTF8.GetString(log), StringComparison.Ordinal);
    }

    private static void NewContext()
    {
        nint context;
        Assert.Equal(CudaResult.Success, CreateContext(&context, 0, 0));
    }

    private static CudaResult LaunchSeven(byte* y)
    {
        byte[] text = [.. Encoding.UTF8.GetBytes(WritesSeven), 0];
        nint module;
        fixed (byte* begin = text)
        {
            CudaResult loaded = Load(&module, begin);
            if (loaded != CudaResult.Success)
            {
                return loaded;
            }
        }

        nint size = sizeof(byte*);
        void** extra = stackalloc void*[] { (void*)1, &y, (void*)2, &size, null };
        return Launch(module, 1, 1, 1, 1, 1, 1, 0, 0, null, extra);
    }

    private static string ErrorText()
    {
        nint text;
        GetErrorText(CudaResult.IllegalAddress, &text);
        return Marshal.PtrToStringUTF8(text)!;
    }
}
