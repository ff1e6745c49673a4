using System.Runtime.InteropServices;
using Minigrad.EmulatedCuda;

namespace Minigrad.Tests.EmulatedCuda;

/// <summary>Runs PTX text on arrays.</summary>
internal static unsafe class EmulatedKernel
{
    /// <summary>Runs instructions, which find the addresses of the arrays in %rd0, %rd1, …</summary>
    public static void Run(string instructions, int blocks, int threads, params uint[][] arrays)
    {
        string[] numbers = [.. arrays.Select((_, i) => $"{i}")];
        string text = $$"""
            .version 8.4
            .target sm_90
            .address_size 64

            .visible .entry Kernel_Test(
            {{string.Join(",\n", numbers.Select(i => $"\t.param .b64 array{i}"))}}
            )
            {
            {{string.Join("\n", numbers.Select(i => $"\tld.param.b64\t%rd{i}, [array{i}];"))}}
            {{instructions}}
            }
            """;
        Run(PtxReader.Read(text), blocks, threads, arrays, addresses => [.. addresses.SelectMany(BitConverter.GetBytes)]);
    }

    /// <summary>Runs a kernel of ILGPU's that has an index and views of arrays, one thread an element of the first.</summary>
    public static void RunOverIndex(string text, params uint[][] arrays)
    {
        // An index is followed by its padding; a view is an address, an index and a length.
        int length = arrays[0].Length;
        byte[] index = [.. BitConverter.GetBytes(length), 0, 0, 0, 0];
        Run(
            PtxReader.Read(text),
            1,
            length,
            arrays,
            addresses => [.. index, .. addresses.SelectMany((address, i) => (byte[])[.. BitConverter.GetBytes(address), .. BitConverter.GetBytes((long)arrays[i].Length)])]);
    }

    private static void Run(PtxKernel kernel, int blocks, int threads, uint[][] arrays, Func<ulong[], byte[]> arguments)
    {
        DeviceMemory memory = new();
        ulong[] addresses = new ulong[arrays.Length];
        for (int i = 0; i < arrays.Length; i++)
        {
            byte* address = memory.Allocate((nuint)(4 * arrays[i].Length));
            MemoryMarshal.AsBytes(arrays[i].AsSpan()).CopyTo(new Span<byte>(address, 4 * arrays[i].Length));
            addresses[i] = (ulong)address;
        }

        try
        {
            new Machine(memory).Run(new Launch(kernel, [blocks, 1, 1], [threads, 1, 1], arguments(addresses)));
        }
        finally
        {
            for (int i = 0; i < arrays.Length; i++)
            {
                new Span<uint>((void*)addresses[i], arrays[i].Length).CopyTo(arrays[i]);
                memory.Free((byte*)addresses[i]);
            }
        }
    }
}
