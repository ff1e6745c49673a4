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

    private static readonly Dictionary<int, OpCode> OpCodesByValue = typeof(OpCodes).GetFields(BindingFlags.Public | BindingFlags.Static)
        .Select(field => (OpCode)field.GetValue(null)!)
        .ToDictionary(code => (int)(ushort)code.Value);

    /// <summary>Whether a method divides an integer by a constant power of two above 1.</summary>
    public static bool IsIn(MethodBase method)
    {
        byte[] body = method.GetMethodBody()?.GetILAsByteArray() ?? [];
        long? constant = null;
        for (int place = 0; place < body.Length;)
        {
            OpCode code = Read(body, ref place);
            int operand = place;
            place += OperandLength(code, body, operand);
            if ((code == OpCodes.Div || code == OpCodes.Div_Un) && constant > 1 && long.IsPow2(constant.Value))
            {
                return true;
            }

            // A constant may be widened to the type that it divides.
            constant = code == OpCodes.Conv_I8 || code == OpCodes.Conv_U8 ? constant : ConstantOf(code, body, operand);
        }

        return false;
    }

    private static OpCode Read(byte[] body, ref int place)
    {
        int value = body[place++];
        return OpCodesByValue[value == 0xFE ? (value << 8) | body[place++] : value];
    }

    private static long? ConstantOf(OpCode code, byte[] body, int operand) => code.OperandType switch
    {
        OperandType.InlineNone when code.Value >= OpCodes.Ldc_I4_M1.Value && code.Value <= OpCodes.Ldc_I4_8.Value =>
            FirstConstant + code.Value - OpCodes.Ldc_I4_M1.Value,
        OperandType.ShortInlineI when code == OpCodes.Ldc_I4_S => (sbyte)body[operand],
        OperandType.InlineI => BitConverter.ToInt32(body, operand),
        OperandType.InlineI8 => BitConverter.ToInt64(body, operand),
        _ => null,
    };

    private static int OperandLength(OpCode code, byte[] body, int operand) => code.OperandType switch
    {
        OperandType.InlineNone => 0,
        OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
        OperandType.InlineVar => 2,
        OperandType.InlineI8 or OperandType.InlineR => 8,
        OperandType.InlineSwitch => 4 + (4 * BitConverter.ToInt32(body, operand)),
        _ => 4,
    };
}
