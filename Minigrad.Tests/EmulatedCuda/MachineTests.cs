using Minigrad.EmulatedCuda;
using Minigrad.Tests.Gpu;

namespace Minigrad.Tests.EmulatedCuda;

/// <summary>Threads, blocks, barriers and memory of the emulated device, whose last thread runs first, and what it refuses.</summary>
public sealed class MachineTests
{
    /// <summary>The thread's number among those of its block in %r1 and among all in %r2, and the address of array 0's element of that number in %rd9.</summary>
    private const string Numbers = """
        mov.u32	%r1, %tid.x;
        mov.u32	%r3, %ctaid.x;
        mov.u32	%r4, %ntid.x;
        mad.lo.s32	%r2, %r3, %r4, %r1;
        mul.wide.u32	%rd8, %r2, 4;
        add.u64	%rd9, %rd0, %rd8;

        """;

    /// <summary>Reverses array 0 within each block, through shared memory.</summary>
    private const string Reverse = $$"""
        .shared .align 4 .b8 held[256];
        {{Numbers}}
        mov.b64	%rd1, held;
        mul.wide.u32	%rd2, %r1, 4;
        add.u64	%rd3, %rd1, %rd2;
        ld.global.b32	%r5, [%rd9];
        st.shared.b32	[%rd3], %r5;
        BARRIER
        sub.s32	%r6, %r4, %r1;
        sub.s32	%r6, %r6, 1;
        mul.wide.u32	%rd4, %r6, 4;
        add.u64	%rd5, %rd1, %rd4;
        ld.shared.b32	%r7, [%rd5];
        st.global.b32	[%rd9], %r7;
        """;

    [Fact]
    public void Threads_of_a_block_meet_in_shared_memory()
    {
        uint[] x = [1, 2, 3, 4, 5, 6];
        EmulatedKernel.Run(Reverse.Replace("BARRIER", "bar.sync\t0;", StringComparison.Ordinal), 2, 3, x);
        Assert.Equal([3u, 2u, 1u, 6u, 5u, 4u], x);
    }

    [Theory]
    [InlineData("popc.u32\t%r5, 0, %p1;", 2u)]
    [InlineData("and.pred\t%p2, 0, %p1;\nselp.b32\t%r5, 1, 0, %p2;", 0u)]
    [InlineData("or.pred\t%p2, 0, %p1;\nselp.b32\t%r5, 1, 0, %p2;", 1u)]
    public void A_barrier_counts_and_asks(string barrier, uint expected)
    {
        uint[] x = new uint[5];
        EmulatedKernel.Run($"{Numbers}setp.lt.s32\t%p1, %r1, 2;\nbar.red.{barrier}\nst.global.b32\t[%rd9], %r5;", 1, 5, x);
        Assert.Equal(Enumerable.Repeat(expected, 5), x);
    }

    [Fact]
    public void Local_memory_is_a_threads_own_and_shared_memory_begins_unwritten()
    {
        uint[] x = new uint[4];
        uint[] y = new uint[4];
        EmulatedKernel.Run(
            $"""
            .local .align 4 .b8 own[8];
            .shared .align 4 .b8 held[4];
            {Numbers}
            mov.b64	%rd2, own;
            st.local.b32	[%rd2+4], %r2;
            bar.sync	0;
            ld.local.b32	%r5, [%rd2+4];
            st.global.b32	[%rd9], %r5;
            mov.b64	%rd3, held;
            ld.shared.b32	%r6, [%rd3];
            add.u64	%rd10, %rd1, %rd8;
            st.global.b32	[%rd10], %r6;
            """,
            2,
            2,
            x,
            y);
        Assert.Equal([0u, 1u, 2u, 3u], x);
        Assert.All(y, value => Assert.Equal(uint.MaxValue, value));
    }

    [Fact]
    public void Vectors_are_loaded_and_stored_whole()
    {
        uint[] x = [1, 2, 3, 4, 0, 0, 0, 0];
        EmulatedKernel.Run("ld.global.v4.b32\t{%r1, %r2, %r3, %r4}, [%rd0];\nst.global.v2.b32\t[%rd0+16], {%r4, %r3};", 1, 1, x);
        Assert.Equal([1u, 2u, 3u, 4u, 4u, 3u, 0u, 0u], x);
    }

    [Fact]
    public void A_kernel_of_ILGPU_runs()
    {
        uint[] y = new uint[5];
        EmulatedKernel.RunOverIndex(KernelText.Ptx(typeof(GuideKernels).GetMethod(nameof(GuideKernels.Reverse))!), [1, 2, 3, 4, 5], y);
        Assert.Equal([5u, 4u, 3u, 2u, 1u], y);
    }

    /// <summary>What docs/gpu.md says of ILGPU's compiler shows in what its text computes.</summary>
    [Theory]
    [InlineData(nameof(PlantedFaults.IntegerBitsAsFloat), 2f, 0f, float.Epsilon)]
    [InlineData(nameof(PlantedFaults.CopiedSign), 1f, -2f, 2f)]
    [InlineData(nameof(PlantedFaults.MaximumWithoutNaN), float.NaN, 3f, 3f)]
    public void A_trap_of_the_compiler_shows(string kernel, float x, float y, float wrong)
    {
        uint[] result = [BitConverter.SingleToUInt32Bits(y)];
        EmulatedKernel.RunOverIndex(KernelText.Ptx(typeof(PlantedFaults).GetMethod(kernel)!), [BitConverter.SingleToUInt32Bits(x)], result);
        Assert.Equal(wrong, BitConverter.UInt32BitsToSingle(result[0]));
    }

    [Theory]
    [InlineData("ld.global.b32\t%r5, [%rd9+4];", "outside of all memory")]
    [InlineData("st.global.b32\t[%rd9+4], %r1;", "outside of all memory")]
    [InlineData("ld.global.b32\t%r5, [%rd9+2];", "no multiple of 4")]
    [InlineData("ld.shared.b32\t%r5, [%rd9];", "outside of the kernel's Shared memory")]
    [InlineData("ld.local.b32\t%r5, [%rd9];", "outside of the kernel's Local memory")]
    [InlineData("div.s32\t%r5, %r1, 0;", "divided by zero")]
    [InlineData("rem.u32\t%r5, %r1, 0;", "divided by zero")]
    [InlineData("ld.param.b32\t%r5, [array0+8];", "fewer arguments")]
    [InlineData("Targets:\n.branchtargets Targets;\nbrx.idx\t%r2, Targets;", "a table of 1 targets is asked for number 2")]
    [InlineData("st.global.b32\t[%rd0], %r2;", "what another thread has written is written")]
    [InlineData("ld.global.b32\t%r5, [%rd0];\nst.global.b32\t[%rd9], 77;", "what another thread has read is written")]
    [InlineData("st.global.b32\t[%rd9], 77;\nld.global.b32\t%r5, [%rd0+8];", "what another thread has written is read")]
    [InlineData("setp.eq.s32\t%p1, %r1, 0;\n@%p1 bra End;\nbar.sync\t0;\nEnd:", "2 of 3 threads wait")]
    [InlineData("setp.eq.s32\t%p1, %r1, 0;\n@%p1 bra Other;\nbar.sync\t0;\nret;\nOther:\nbar.sync\t0;", "not all at this barrier")]
    public void What_a_device_may_answer_with_anything_is_refused(string instructions, string message)
    {
        DeviceFaultException fault = Assert.Throws<DeviceFaultException>(() => EmulatedKernel.Run(Numbers + instructions, 1, 3, [9, 9, 9]));
        Assert.Contains(message, fault.Message, StringComparison.Ordinal);
        Assert.Contains("Kernel_Test, line ", fault.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("st.global.b32\t[%rd0], %r2;", "what another block has written is written")]
    [InlineData("st.global.b32\t[%rd9], 77;\nld.global.b32\t%r5, [%rd0+8];", "what another block has written is read")]
    [InlineData("ld.global.b32\t%r5, [%rd0];\nst.global.b32\t[%rd9], 77;", "what another block has read is written")]
    public void Nothing_settles_the_order_of_blocks(string instructions, string message)
    {
        DeviceFaultException fault = Assert.Throws<DeviceFaultException>(
            () => EmulatedKernel.Run($"{Numbers}bar.sync\t0;\n{instructions}", 3, 1, [9, 9, 9]));
        Assert.Contains(message, fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Without_a_barrier_threads_do_not_meet()
    {
        DeviceFaultException fault = Assert.Throws<DeviceFaultException>(
            () => EmulatedKernel.Run(Reverse.Replace("BARRIER", string.Empty, StringComparison.Ordinal), 1, 3, [1, 2, 3]));
        Assert.Contains("what another thread has read is written, without a barrier between", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Threads_may_write_the_same()
    {
        uint[] x = [9];
        EmulatedKernel.Run("st.global.b32\t[%rd0], 77;", 4, 8, x);
        Assert.Equal(77u, x[0]);
    }

    [Fact]
    public void A_block_can_share_so_much_and_no_more()
    {
        DeviceFaultException fault = Assert.Throws<DeviceFaultException>(
            () => EmulatedKernel.Run(".shared .align 4 .b8 held[50000];", 1, 1, [1]));
        Assert.Contains("shares 50000 bytes; a block can share 49152", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_same_launch_gives_the_same_bits_and_later_launches_see_it()
    {
        uint[] x = [1, 2, 3];
        EmulatedKernel.Run($"{Numbers}ld.global.b32\t%r5, [%rd9];\nadd.s32\t%r5, %r5, %r5;\nst.global.b32\t[%rd9], %r5;", 3, 1, x);
        EmulatedKernel.Run($"{Numbers}ld.global.b32\t%r5, [%rd9];\nadd.s32\t%r5, %r5, %r5;\nst.global.b32\t[%rd9], %r5;", 1, 3, x);
        Assert.Equal([4u, 8u, 12u], x);
    }
}
