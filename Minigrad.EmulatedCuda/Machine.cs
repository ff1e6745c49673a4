using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Minigrad.EmulatedCuda;

/// <summary>
/// Runs kernels as PTX's specification has it, thread after thread from barrier to barrier, and refuses what a device may answer
/// with anything: memory that is not its own, an order that nothing settles, a barrier that not all reach. Blocks and threads
/// run backwards, since no kernel may count on their order.
/// </summary>
/// <param name="memory">The device's memory.</param>
internal sealed unsafe class Machine(DeviceMemory memory)
{
    /// <summary>What a block of any device can share, in bytes.</summary>
    private const int MostShared = 49152;

    /// <summary>
    /// Kernels in which an order is not settled and it does not matter: they read the whole state of a parameter while another thread
    /// writes what an even or an odd update carries away, of which each takes only what is not being written (see
    /// <c>StepKernels.MakeRule</c>).
    /// </summary>
    private static readonly string[] ReadersOfWholeStates = ["Kernel_Update", "Kernel_UpdateMeasured"];

    /// <summary>Where in the state those two numbers are.</summary>
    private static readonly int[] CarriedOffsets = [80, 88];

    private byte[] shared = [];
    private byte[] local = [];
    private ulong[] registers = [];
    private AccessRecord[] sharedRecords = [];
    private int[] places = [];
    private byte* sharedBegin;
    private byte* localBegin;
    private bool readsWholeStates;
    private Allocation? recent;
    private long launches;
    private long blocks;

    /// <summary>Runs a kernel to its end.</summary>
    /// <param name="launch">The kernel.</param>
    /// <exception cref="DeviceFaultException">It does what it may not. The message says what and where.</exception>
    public void Run(Launch launch)
    {
        PtxKernel kernel = launch.Kernel;
        if (kernel.SharedSize > MostShared)
        {
            throw new DeviceFaultException($"{kernel.Name} shares {kernel.SharedSize} bytes; a block can share {MostShared}.");
        }

        launches++;
        recent = null;
        int threads = launch.BlockSize;
        Grow(ref shared, kernel.SharedSize + 16);
        Grow(ref local, (threads * RoundUp(kernel.LocalSize)) + 16);
        Grow(ref registers, threads * kernel.Registers.Count);
        Grow(ref sharedRecords, (kernel.SharedSize / 4) + 1);
        sharedBegin = Aligned(shared);
        localBegin = Aligned(local);
        readsWholeStates = ReadersOfWholeStates.Contains(kernel.Name);
        places = new int[threads];
        fixed (Instruction* code = CollectionsMarshal.AsSpan(kernel.Instructions))
        {
            for (int block = launch.BlockCount - 1; block >= 0; block--)
            {
                RunBlock(launch, code, block);
            }
        }
    }

    private static void Grow<T>(ref T[] array, int length)
    {
        if (array.Length < length)
        {
            array = GC.AllocateArray<T>(length, pinned: true);
        }
    }

    private static int RoundUp(int size) => (size + 15) / 16 * 16;

    private static byte* Aligned(byte[] memory) => (byte*)(((nuint)Unsafe.AsPointer(ref memory[0]) + 15) / 16 * 16);

    private void RunBlock(Launch launch, Instruction* code, int block)
    {
        blocks++;
        int threads = launch.BlockSize;
        shared.AsSpan(0, launch.Kernel.SharedSize + 16).Fill(Allocation.Unwritten);
        local.AsSpan(0, (threads * RoundUp(launch.Kernel.LocalSize)) + 16).Fill(Allocation.Unwritten);
        for (int thread = 0; thread < threads; thread++)
        {
            Begin(launch, block, thread);
        }

        for (int barriers = 0; ; barriers++)
        {
            int waiting = 0;
            for (int thread = threads - 1; thread >= 0; thread--)
            {
                waiting += RunThread(launch, code, block, thread, barriers) ? 1 : 0;
            }

            if (waiting == 0)
            {
                return;
            }

            Meet(launch, code, block, waiting);
        }
    }

    /// <summary>Gives a thread its constants and its place.</summary>
    private void Begin(Launch launch, int block, int thread)
    {
        PtxKernel kernel = launch.Kernel;
        Span<ulong> file = registers.AsSpan(thread * kernel.Registers.Count, kernel.Registers.Count);
        CollectionsMarshal.AsSpan(kernel.Registers).CopyTo(file);
        (int threadPlace, int blockPlace) = (thread, block);
        for (int axis = 0; axis < 3; axis++)
        {
            file[kernel.Places[0, axis]] = (uint)(threadPlace % launch.Block[axis]);
            file[kernel.Places[1, axis]] = (uint)launch.Block[axis];
            file[kernel.Places[2, axis]] = (uint)(blockPlace % launch.Grid[axis]);
            file[kernel.Places[3, axis]] = (uint)launch.Grid[axis];
            threadPlace /= launch.Block[axis];
            blockPlace /= launch.Grid[axis];
        }

        foreach ((int register, int offset) in kernel.SharedAddresses)
        {
            file[register] = (ulong)(sharedBegin + offset);
        }

        foreach ((int register, int offset) in kernel.LocalAddresses)
        {
            file[register] = (ulong)(localBegin + (thread * RoundUp(kernel.LocalSize)) + offset);
        }

        places[thread] = 0;
    }

    /// <summary>Lets the threads of a block go on that have all come to the same barrier.</summary>
    private void Meet(Launch launch, Instruction* code, int block, int waiting)
    {
        Instruction* barrier = code + Math.Max(places[0], places[^1]);
        if (waiting < places.Length || places.AsSpan().ContainsAnyExcept(places[0]))
        {
            throw Fault(launch, block, barrier, $"{waiting} of {places.Length} threads wait, or not all at this barrier");
        }

        int width = launch.Kernel.Registers.Count;
        int count = 0;
        for (int thread = 0; barrier->Kind != InstructionKind.Barrier && thread < places.Length; thread++)
        {
            count += (int)(registers[(thread * width) + barrier->A] & 1);
        }

        for (int thread = 0; thread < places.Length; thread++)
        {
            places[thread]++;
            if (barrier->Kind != InstructionKind.Barrier)
            {
                registers[(thread * width) + barrier->Result] = barrier->Kind switch
                {
                    InstructionKind.CountingBarrier => (ulong)count,
                    InstructionKind.AllBarrier => count == places.Length ? 1UL : 0UL,
                    _ => count > 0 ? 1UL : 0UL,
                };
            }
        }
    }

    /// <summary>Runs a thread to the next barrier or to its end.</summary>
    /// <returns>Whether it waits at a barrier.</returns>
    private bool RunThread(Launch launch, Instruction* code, int block, int thread, int barriers)
    {
        int threads = launch.BlockSize;
        Accessor global = new(launches, (block * threads) + thread, block, threads, barriers);
        Accessor inShared = global with { Run = blocks };
        Instruction* instruction = code + places[thread];
        try
        {
            fixed (ulong* files = registers)
            {
                ulong* file = files + (thread * launch.Kernel.Registers.Count);
                while (true)
                {
                    if (instruction->Predicate >= 0 && ((file[instruction->Predicate] & 1) != 0) == instruction->IsNegated)
                    {
                        instruction++;
                        continue;
                    }

                    switch (instruction->Kind)
                    {
                        case InstructionKind.Compute:
                            instruction->Compute(file, instruction);
                            instruction++;
                            break;
                        case InstructionKind.Branch:
                            instruction = code + instruction->Target;
                            break;
                        case InstructionKind.BranchByTable:
                            instruction = code + Entry(launch.Kernel.BranchTables[instruction->Target], (int)file[instruction->A]);
                            break;
                        case InstructionKind.LoadArgument:
                            LoadArgument(launch, instruction, file);
                            instruction++;
                            break;
                        case InstructionKind.Load or InstructionKind.Store:
                            Access(launch, instruction, file, thread, global, inShared);
                            instruction++;
                            break;
                        case InstructionKind.Return:
                            places[thread] = (int)(instruction - code);
                            return false;
                        default:
                            places[thread] = (int)(instruction - code);
                            return true;
                    }
                }
            }
        }
        catch (DeviceFaultException fault)
        {
            throw Fault(launch, block, instruction, fault.Message);
        }
    }

    private static DeviceFaultException Fault(Launch launch, int block, Instruction* instruction, string what) => new(
        $"{what}: {launch.Kernel.Name}, line {instruction->Line + 1}, block {block} of {launch.BlockCount}: "
        + launch.Kernel.Lines[instruction->Line]);

    private static int Entry(int[] table, int number) => (uint)number < (uint)table.Length
        ? table[number]
        : throw new DeviceFaultException($"a table of {table.Length} targets is asked for number {number}");

    private static void LoadArgument(Launch launch, Instruction* instruction, ulong* file)
    {
        for (int i = 0; i < instruction->Count; i++)
        {
            int offset = instruction->Offset + (i * instruction->Size);
            if (offset + instruction->Size > launch.Arguments.Length)
            {
                throw new DeviceFaultException("the launch has fewer arguments");
            }

            fixed (byte* arguments = launch.Arguments)
            {
                file[instruction->Elements[i]] = Read(arguments + offset, instruction);
            }
        }
    }

    /// <summary>Loads or stores, where the thread may and nothing is amiss.</summary>
    private void Access(Launch launch, Instruction* instruction, ulong* file, int thread, in Accessor global, in Accessor inShared)
    {
        byte* address = (byte*)file[instruction->A] + instruction->Offset;
        int size = instruction->Size * instruction->Count;
        if ((nuint)address % (nuint)size != 0)
        {
            throw new DeviceFaultException($"an address is no multiple of {size}");
        }

        AccessRecord* records = null;
        byte* own = localBegin + (thread * RoundUp(launch.Kernel.LocalSize));
        bool isShared = address >= sharedBegin && address + size <= sharedBegin + launch.Kernel.SharedSize;
        bool isLocal = address >= own && address + size <= own + launch.Kernel.LocalSize;
        MemorySpace space = isShared ? MemorySpace.Shared : isLocal ? MemorySpace.Local : MemorySpace.Global;
        if (instruction->Space != MemorySpace.Generic && instruction->Space != space)
        {
            throw new DeviceFaultException($"an address is outside of the kernel's {instruction->Space} memory");
        }

        if (isShared)
        {
            records = (AccessRecord*)Unsafe.AsPointer(ref sharedRecords[(address - sharedBegin) / 4]);
        }
        else if (!isLocal)
        {
            if (recent is null || !recent.Has(address, (nuint)size))
            {
                recent = memory.Find(address, (nuint)size)
                    ?? throw new DeviceFaultException("an address is outside of all memory of the device");
            }

            records = recent.Records + ((address - recent.Begin) / 4);
        }

        if (instruction->Kind == InstructionKind.Load)
        {
            if (!readsWholeStates || !CarriedOffsets.Contains(instruction->Offset))
            {
                Note(instruction, records, size, isShared ? inShared : global);
            }

            for (int i = 0; i < instruction->Count; i++)
            {
                file[instruction->Elements[i]] = Read(address + (i * instruction->Size), instruction);
            }

            return;
        }

        // The same bits again harm nobody: each thread that has seen something notes it so.
        bool isChange = false;
        for (int i = 0; i < instruction->Count; i++)
        {
            Span<byte> target = new(address + (i * instruction->Size), instruction->Size);
            ReadOnlySpan<byte> value = new(file + instruction->Elements[i], instruction->Size);
            isChange |= !value.SequenceEqual(target);
        }

        if (isChange)
        {
            Note(instruction, records, size, isShared ? inShared : global);
            for (int i = 0; i < instruction->Count; i++)
            {
                new ReadOnlySpan<byte>(file + instruction->Elements[i], instruction->Size).CopyTo(
                    new Span<byte>(address + (i * instruction->Size), instruction->Size));
            }
        }
    }

    private static void Note(Instruction* instruction, AccessRecord* records, int size, in Accessor accessor)
    {
        for (int i = 0; records is not null && i < (size + 3) / 4; i++)
        {
            string? race = instruction->Kind == InstructionKind.Load ? records[i].Read(accessor) : records[i].Write(accessor);
            if (race is not null)
            {
                throw new DeviceFaultException(race);
            }
        }
    }

    private static ulong Read(byte* address, Instruction* instruction) => (instruction->Size, instruction->IsSigned) switch
    {
        (1, true) => (ulong)*(sbyte*)address,
        (1, false) => *address,
        (2, true) => (ulong)*(short*)address,
        (2, false) => *(ushort*)address,
        (4, true) => (ulong)*(int*)address,
        (4, false) => *(uint*)address,
        _ => *(ulong*)address,
    };
}
