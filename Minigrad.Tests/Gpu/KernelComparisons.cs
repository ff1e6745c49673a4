using System.Reflection;
using System.Reflection.Emit;

namespace Minigrad.Tests.Gpu;

/// <summary>
/// Comparisons that are true for NaN, which is how C# compiles <c>if (x &lt; y)</c>, to jump over what follows: on OpenCL ILGPU 1.5.3
/// writes them as false for NaN, so that what follows runs. Nothing depends on it where each side is known not to be NaN: a constant,
/// an integer, or a number that <see cref="double.IsNaN"/> or IsFinite was asked of before, in the same method. In a kernel of many
/// methods the compiled text does not show what was asked first, so this reads the methods themselves.
/// </summary>
public static class KernelComparisons
{
    /// <summary>The comparisons in a method of which a side may be NaN: <c>threshold &gt; 1.7E+308</c>.</summary>
    public static IReadOnlyList<string> In(MethodBase method)
    {
        KernelInstruction[] instructions = [.. KernelInstruction.Of(method)];
        Reader reader = new(method, instructions);
        foreach (KernelInstruction instruction in instructions)
        {
            reader.Read(instruction);
        }

        return reader.Found;
    }

    /// <summary>A number on the stack.</summary>
    /// <param name="Text">How it was made; the same text is the same number, until something in it is assigned.</param>
    /// <param name="IsFloat">Whether it is a floating-point number.</param>
    /// <param name="IsSure">Whether it can't be NaN.</param>
    private readonly record struct Number(string Text, bool IsFloat, bool IsSure);

    /// <summary>
    /// Follows what is on the stack from one instruction to the next, and over jumps ahead. Where a loop begins, nothing is known of what
    /// it assigns.
    /// </summary>
    private sealed class Reader(MethodBase method, KernelInstruction[] instructions)
    {
        private readonly Type[] typeArguments = method.DeclaringType?.GetGenericArguments() ?? [];
        private readonly Type[] methodArguments = method.IsGenericMethod ? method.GetGenericArguments() : [];
        private readonly HashSet<string> asked = [];
        private readonly Dictionary<long, Number[]> atTarget = [];
        private Stack<Number> stack = new();
        private bool isReached = true;

        public List<string> Found { get; } = [];

        public void Read(KernelInstruction instruction)
        {
            Enter(instruction.Place);
            ForgetWhatLoopsAssign(instruction.Place);
            OpCode code = instruction.Code;
            string name = code.Name!;
            if (name.StartsWith("ldarg", StringComparison.Ordinal))
            {
                Push(Argument(VariableOf(instruction)));
            }
            else if (name.StartsWith("ldloc", StringComparison.Ordinal))
            {
                Push(Local(VariableOf(instruction)));
            }
            else if (IsStore(code))
            {
                Number value = stack.Pop();
                Assign(Target(instruction), value);
            }
            else if (code.FlowControl == FlowControl.Call)
            {
                Call(Module.ResolveMethod((int)instruction.Operand, typeArguments, methodArguments)!, code == OpCodes.Newobj);
            }
            else if (code == OpCodes.Ldfld || code == OpCodes.Ldflda)
            {
                FieldInfo field = FieldOf(instruction);
                Push(new Number($"{stack.Pop().Text}.{field.Name}", IsFloating(field.FieldType), false));
            }
            else if (code == OpCodes.Stfld)
            {
                Number value = stack.Pop();
                Assign($"{stack.Pop().Text}.{FieldOf(instruction).Name}", value);
            }
            else if (code == OpCodes.Dup)
            {
                Push(stack.Peek());
            }
            else
            {
                Compute(instruction, name);
            }

            Leave(instruction);
        }

        private static bool IsFloating(Type type)
        {
            Type plain = type.IsByRef ? type.GetElementType()! : type;
            return plain == typeof(float) || plain == typeof(double);
        }

        private static bool IsUnorderedComparison(string name) => name.Split('.') is ["bge" or "bgt" or "ble" or "blt" or "cgt" or "clt", "un", ..];

        private static int VariableOf(KernelInstruction instruction)
        {
            string[] parts = instruction.Code.Name!.Split('.');
            return parts.Length > 1 && int.TryParse(parts[1], out int number) ? number : (int)instruction.Operand;
        }

        private Module Module => method.Module;

        private FieldInfo FieldOf(KernelInstruction instruction) =>
            Module.ResolveField((int)instruction.Operand, typeArguments, methodArguments)!;

        private void Push(Number number) => stack.Push(number);

        private Number Argument(int number)
        {
            int place = method.IsStatic ? number : number - 1;
            ParameterInfo? parameter = place < 0 ? null : method.GetParameters()[place];
            return new Number(parameter?.Name ?? "this", parameter is not null && IsFloating(parameter.ParameterType), false);
        }

        private Number Local(int number) =>
            new($"local{number}_", IsFloating(method.GetMethodBody()!.LocalVariables[number].LocalType), false);

        private static bool IsStore(OpCode code) =>
            code.Name!.StartsWith("stloc", StringComparison.Ordinal) || code.Name.StartsWith("starg", StringComparison.Ordinal);

        private string Target(KernelInstruction store) =>
            (store.Code.Name![2] == 'l' ? Local(VariableOf(store)) : Argument(VariableOf(store))).Text;

        private void Forget(string target) => asked.RemoveWhere(text => text.Contains(target, StringComparison.Ordinal));

        private void ForgetWhatLoopsAssign(int place)
        {
            foreach (KernelInstruction back in instructions.Where(jump =>
                jump.Place >= place && jump.Operand == place && jump.Code.FlowControl is FlowControl.Branch or FlowControl.Cond_Branch))
            {
                foreach (KernelInstruction store in instructions.Where(store => store.Place >= place && store.Place < back.Place && IsStore(store.Code)))
                {
                    Forget(Target(store));
                }
            }
        }

        private bool IsKnown(Number number) => !number.IsFloat || number.IsSure || asked.Contains(number.Text);

        private void Assign(string target, Number value)
        {
            bool isKnown = IsKnown(value);
            Forget(target);
            if (isKnown)
            {
                asked.Add(target);
            }
        }

        private void Call(MethodBase called, bool isNew)
        {
            Number[] arguments = [.. called.GetParameters().Select(_ => stack.Pop()).Reverse()];
            string owner = called.IsStatic || isNew ? called.DeclaringType!.Name : stack.Pop().Text;
            if (called.Name is nameof(double.IsNaN) or nameof(double.IsFinite))
            {
                asked.UnionWith(arguments.Select(argument => argument.Text));
            }

            Type type = called is MethodInfo { ReturnType: { } returned } && !isNew ? returned : typeof(object);
            if (type != typeof(void))
            {
                Push(new Number($"{owner}.{called.Name}({string.Join(", ", arguments.Select(argument => argument.Text))})", IsFloating(type), false));
            }
        }

        private void Compute(KernelInstruction instruction, string name)
        {
            Number[] operands = [.. Enumerable.Range(0, PoppedBy(instruction.Code)).Select(_ => stack.Pop()).Reverse()];
            if (IsUnorderedComparison(name) && operands.Any(operand => !IsKnown(operand)))
            {
                Found.Add($"{name} {operands[0].Text}, {operands[1].Text}");
            }

            string kind = name.Split('.')[0];
            string text = kind == "conv" || kind.StartsWith("ldind", StringComparison.Ordinal) || kind == "ldobj"
                ? operands[0].Text
                : $"{name}{(instruction.Operand == 0 ? string.Empty : instruction.Operand)}({string.Join(", ", operands.Select(operand => operand.Text))})";
            bool becomesFloat = name is "conv.r4" or "conv.r8" or "conv.r.un" or "ldc.r4" or "ldc.r8" or "ldelem.r4" or "ldelem.r8" or "ldind.r4" or "ldind.r8";
            bool isFloat = becomesFloat
                || (kind is "add" or "sub" or "mul" or "div" or "rem" or "neg" or "ldobj" && operands.Any(operand => operand.IsFloat));
            bool isSure = kind == "ldc" || (kind == "conv" && IsKnown(operands[0]));
            for (int i = 0; i < PushedBy(instruction.Code); i++)
            {
                Push(new Number(text, isFloat, isSure));
            }
        }

        /// <summary>Takes what was on the stack where a jump to here began, if nothing comes from above; what comes from both is not known.</summary>
        private void Enter(int place)
        {
            if (!atTarget.Remove(place, out Number[]? jumped))
            {
                if (!isReached)
                {
                    stack.Clear();
                }
            }
            else if (!isReached || stack.Count != jumped.Length)
            {
                stack = new Stack<Number>(jumped);
            }
            else
            {
                Number[] fallen = [.. stack.Reverse()];
                stack = new Stack<Number>(fallen.Zip(jumped, (a, b) => a.Text == b.Text
                    ? a
                    : new Number($"{a.Text} or {b.Text}", a.IsFloat || b.IsFloat, IsKnown(a) && IsKnown(b))));
            }

            isReached = true;
        }

        private void Leave(KernelInstruction instruction)
        {
            if (instruction.Code.FlowControl is FlowControl.Branch or FlowControl.Cond_Branch && instruction.Code != OpCodes.Switch)
            {
                atTarget[instruction.Operand] = [.. stack.Reverse()];
            }

            isReached = instruction.Code.FlowControl is not (FlowControl.Branch or FlowControl.Return or FlowControl.Throw);
        }

        private int PoppedBy(OpCode code) => code.StackBehaviourPop switch
        {
            StackBehaviour.Pop0 => 0,
            StackBehaviour.Varpop => stack.Count,
            StackBehaviour.Pop1 or StackBehaviour.Popi or StackBehaviour.Popref => 1,
            StackBehaviour.Popi_popi_popi or StackBehaviour.Popref_popi_popi or StackBehaviour.Popref_popi_popi8
                or StackBehaviour.Popref_popi_popr4 or StackBehaviour.Popref_popi_popr8 or StackBehaviour.Popref_popi_popref
                or StackBehaviour.Popref_popi_pop1 => 3,
            _ => 2,
        };

        private static int PushedBy(OpCode code) => code.StackBehaviourPush switch
        {
            StackBehaviour.Push0 => 0,
            StackBehaviour.Push1_push1 => 2,
            _ => 1,
        };
    }
}
