using System.Reflection;
using System.Reflection.Emit;

namespace Minigrad.Tests.Gpu;

/// <summary>One instruction of a method that a kernel runs, as the C# compiler wrote it and ILGPU reads it.</summary>
/// <param name="Place">Where it begins.</param>
/// <param name="Code">What it does.</param>
/// <param name="Operand">Its integer operand: a number, a token, the number of a variable, or the place that it jumps to; 0 if it has none.</param>
/// <param name="Next">Where the next one begins.</param>
public readonly record struct KernelInstruction(int Place, OpCode Code, long Operand, int Next)
{
    private static readonly Dictionary<int, OpCode> OpCodesByValue = typeof(OpCodes).GetFields(BindingFlags.Public | BindingFlags.Static)
        .Select(field => (OpCode)field.GetValue(null)!)
        .ToDictionary(code => (int)(ushort)code.Value);

    /// <summary>The instructions of a method, in the order in which they are written.</summary>
    public static IEnumerable<KernelInstruction> Of(MethodBase method)
    {
        byte[] body = method.GetMethodBody()?.GetILAsByteArray() ?? [];
        for (int place = 0; place < body.Length;)
        {
            int begin = place;
            int value = body[place++];
            OpCode code = OpCodesByValue[value == 0xFE ? (value << 8) | body[place++] : value];
            int next = place + LengthOf(code, body, place);
            yield return new KernelInstruction(begin, code, OperandOf(code, body, place, next), next);
            place = next;
        }
    }

    private static long OperandOf(OpCode code, byte[] body, int place, int next) => code.OperandType switch
    {
        OperandType.InlineNone or OperandType.InlineR or OperandType.ShortInlineR or OperandType.InlineSwitch => 0,
        OperandType.ShortInlineBrTarget => next + (sbyte)body[place],
        OperandType.InlineBrTarget => next + BitConverter.ToInt32(body, place),
        OperandType.ShortInlineI => (sbyte)body[place],
        OperandType.ShortInlineVar => body[place],
        OperandType.InlineVar => BitConverter.ToUInt16(body, place),
        OperandType.InlineI8 => BitConverter.ToInt64(body, place),
        _ => BitConverter.ToInt32(body, place),
    };

    private static int LengthOf(OpCode code, byte[] body, int place) => code.OperandType switch
    {
        OperandType.InlineNone => 0,
        OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
        OperandType.InlineVar => 2,
        OperandType.InlineI8 or OperandType.InlineR => 8,
        OperandType.InlineSwitch => 4 + (4 * BitConverter.ToInt32(body, place)),
        _ => 4,
    };
}
