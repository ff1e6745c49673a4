using System.Reflection;
using System.Reflection.Emit;

namespace Minigrad.Tests.Gpu;

/// <summary>
/// Integer divisions by a constant power of two, which ILGPU 1.5.3 compiles to a signed shift: wrong for negative numbers,
/// which C# rounds toward zero, and for unsigned ones with the top bit set. In the compiled text such a shift looks like one
/// that was meant, so this reads the methods themselves.
/// </summary>
public static class KernelDivisions
{
    private const int FirstConstant = -1; // What ldc.i4.m1 loads; ldc.i4.0 to ldc.i4.8 follow it.

    /// <summary>Whether a method divides an integer by a constant power of two above 1.</summary>
    public static bool IsIn(MethodBase method)
    {
        long? constant = null;
        foreach (KernelInstruction instruction in KernelInstruction.Of(method))
        {
            OpCode code = instruction.Code;
            if ((code == OpCodes.Div || code == OpCodes.Div_Un) && constant > 1 && long.IsPow2(constant.Value))
            {
                return true;
            }

            // A constant may be widened to the type that it divides.
            constant = code == OpCodes.Conv_I8 || code == OpCodes.Conv_U8 ? constant : ConstantOf(instruction);
        }

        return false;
    }

    private static long? ConstantOf(KernelInstruction instruction) => instruction.Code.OperandType switch
    {
        OperandType.InlineNone when instruction.Code.Value >= OpCodes.Ldc_I4_M1.Value && instruction.Code.Value <= OpCodes.Ldc_I4_8.Value =>
            FirstConstant + instruction.Code.Value - OpCodes.Ldc_I4_M1.Value,
        OperandType.ShortInlineI when instruction.Code == OpCodes.Ldc_I4_S => instruction.Operand,
        OperandType.InlineI or OperandType.InlineI8 => instruction.Operand,
        _ => null,
    };
}
