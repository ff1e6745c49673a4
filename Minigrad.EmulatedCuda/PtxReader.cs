using System.Globalization;

namespace Minigrad.EmulatedCuda;

/// <summary>
/// Reads the PTX text that ILGPU makes: one kernel, whose functions are all inlined, with its declarations before its
/// instructions, an instruction or a label a line.
/// </summary>
internal sealed unsafe class PtxReader
{
    private readonly PtxKernel kernel;
    private readonly string[] lines;
    private readonly Dictionary<string, int> registers = [];
    private readonly Dictionary<string, int> arguments = [];
    private readonly Dictionary<string, (MemorySpace Space, int Offset)> variables = [];
    private readonly Dictionary<string, int> labels = [];
    private readonly Dictionary<string, string[]> tables = [];
    private readonly List<(int Instruction, string Label)> branches = [];
    private readonly List<(int Instruction, string Label)> tableBranches = [];
    private int line;

    private PtxReader(string[] lines, int entry)
    {
        this.lines = lines;
        line = entry;
        string header = lines[entry];
        int begin = header.IndexOf(".entry ", StringComparison.Ordinal) + ".entry ".Length;
        kernel = new PtxKernel(header[begin..].Split('(')[0].Trim()) { Lines = lines };
        string[] kinds = ["tid", "ntid", "ctaid", "nctaid"];
        for (int kind = 0; kind < kinds.Length; kind++)
        {
            for (int axis = 0; axis < 3; axis++)
            {
                kernel.Places[kind, axis] = Register($"%{kinds[kind]}.{"xyz"[axis]}");
            }
        }
    }

    /// <summary>Reads a text.</summary>
    /// <param name="text">The text.</param>
    /// <returns>Its kernel.</returns>
    /// <exception cref="PtxException">It has no kernel, or something that is not known here. The message says the line.</exception>
    public static PtxKernel Read(string text)
    {
        string[] lines = text.ReplaceLineEndings("\n").Split('\n');
        for (int i = 0; i < lines.Length; i++)
        {
            lines[i] = lines[i].Split("//")[0].Trim();
        }

        int entry = Array.FindIndex(lines, line => line.StartsWith(".visible .entry ", StringComparison.Ordinal));
        return entry < 0 ? throw new PtxException("The text has no kernel.") : new PtxReader(lines, entry).Read();
    }

    private PtxKernel Read()
    {
        for (line++; !At(lines, line).StartsWith('{'); line++)
        {
            if (lines[line].StartsWith(".param ", StringComparison.Ordinal))
            {
                ReadArgument(lines[line].TrimEnd(',', ')'));
            }
        }

        for (line++; line < lines.Length && lines[line] != "}"; line++)
        {
            string text = lines[line];
            if (text.Length == 0 || text.StartsWith(".reg ", StringComparison.Ordinal) || text.StartsWith(".reg\t", StringComparison.Ordinal))
            {
                continue;
            }

            if (text.EndsWith(':'))
            {
                labels[text[..^1]] = kernel.Instructions.Count;
            }
            else if (text.StartsWith(".branchtargets", StringComparison.Ordinal))
            {
                // The table bears the label before it.
                tables[lines[line - 1].TrimEnd(':')] = text[".branchtargets".Length..].TrimEnd(';').Split(',', StringSplitOptions.TrimEntries);
            }
            else if (text.StartsWith(".local ", StringComparison.Ordinal) || text.StartsWith(".shared ", StringComparison.Ordinal))
            {
                ReadVariable(text);
            }
            else
            {
                ReadInstruction(text);
            }
        }

        kernel.Instructions.Add(New(InstructionKind.Return));
        foreach ((int instruction, string label) in branches)
        {
            line = kernel.Instructions[instruction].Line;
            SetTarget(instruction, Found(labels, label, "label"));
        }

        foreach ((int instruction, string label) in tableBranches)
        {
            line = kernel.Instructions[instruction].Line;
            SetTarget(instruction, kernel.BranchTables.Count);
            kernel.BranchTables.Add([.. Found(tables, label, "table").Select(target => Found(labels, target, "label"))]);
        }

        return kernel;
    }

    private void ReadArgument(string text)
    {
        // ".param .align 8 .b8 name[24]" or ".param .b32 name".
        string name = text[(text.LastIndexOfAny([' ', '\t']) + 1)..];
        int size;
        int alignment;
        if (name.EndsWith(']'))
        {
            (name, size) = Sized(name);
            alignment = Alignment(text);
        }
        else
        {
            size = alignment = Size(text.Split('.')[^1].Split(' ', '\t')[0]);
        }

        kernel.ArgumentSize = RoundUp(kernel.ArgumentSize, alignment);
        arguments[name] = kernel.ArgumentSize;
        kernel.ArgumentSize += size;
    }

    private void ReadVariable(string text)
    {
        (string name, int size) = Sized(text[(text.LastIndexOf(' ') + 1)..].TrimEnd(';'));
        bool isShared = text.StartsWith(".shared", StringComparison.Ordinal);
        int offset = RoundUp(isShared ? kernel.SharedSize : kernel.LocalSize, Alignment(text));
        variables[name] = (isShared ? MemorySpace.Shared : MemorySpace.Local, offset);
        if (isShared)
        {
            kernel.SharedSize = offset + size;
        }
        else
        {
            kernel.LocalSize = offset + size;
        }
    }

    private void ReadInstruction(string text)
    {
        if (!text.EndsWith(';'))
        {
            throw Unknown("an instruction without its end");
        }

        Instruction instruction = New(InstructionKind.Compute);
        text = text[..^1];
        if (text.StartsWith('@'))
        {
            string predicate = text.Split(' ', '\t')[0];
            instruction.IsNegated = predicate.StartsWith("@!", StringComparison.Ordinal);
            instruction.Predicate = Register(predicate[(instruction.IsNegated ? 2 : 1)..]);
            text = text[predicate.Length..].Trim();
        }

        int nameEnd = text.IndexOfAny([' ', '\t']);
        string name = nameEnd < 0 ? text : text[..nameEnd];
        string[] operands = nameEnd < 0 ? [] : Operands(text[nameEnd..]);
        string[] parts = name.Split('.');
        switch (parts[0])
        {
            case "ld" or "st":
                ReadAccess(ref instruction, parts, operands);
                break;
            case "bra":
                instruction.Kind = InstructionKind.Branch;
                branches.Add((kernel.Instructions.Count, At(operands, 0)));
                break;
            case "brx":
                instruction.Kind = InstructionKind.BranchByTable;
                instruction.A = Operand(At(operands, 0));
                tableBranches.Add((kernel.Instructions.Count, At(operands, 1)));
                break;
            case "bar":
                ReadBarrier(ref instruction, name, operands);
                break;
            case "ret":
                instruction.Kind = InstructionKind.Return;
                break;
            case "membar":
                return; // What a thread writes is seen at once here.
            default:
                if (!OperationTable.TryGet(name, out Operation operation) || operands.Length != operation.Operands + 1)
                {
                    throw Unknown("an instruction that is not known");
                }

                instruction.Compute = operation.Compute;
                instruction.Result = Register(operands[0]);
                instruction.A = Operand(operands[1]);
                instruction.B = operation.Operands > 1 ? Operand(operands[2]) : -1;
                instruction.C = operation.Operands > 2 ? Operand(operands[3]) : -1;
                break;
        }

        kernel.Instructions.Add(instruction);
    }

    private void ReadBarrier(ref Instruction instruction, string name, string[] operands)
    {
        instruction.Kind = name switch
        {
            "bar.sync" => InstructionKind.Barrier,
            "bar.red.popc.u32" => InstructionKind.CountingBarrier,
            "bar.red.and.pred" => InstructionKind.AllBarrier,
            "bar.red.or.pred" => InstructionKind.AnyBarrier,
            _ => throw Unknown("a barrier that is not known"),
        };
        if (instruction.Kind != InstructionKind.Barrier)
        {
            instruction.Result = Register(At(operands, 0));
            instruction.A = Operand(At(operands, 2));
        }
    }

    private void ReadAccess(ref Instruction instruction, string[] parts, string[] operands)
    {
        bool isLoad = parts[0] == "ld";
        instruction.Kind = isLoad ? InstructionKind.Load : InstructionKind.Store;
        instruction.Count = 1;
        foreach (string part in parts.Skip(1).SkipLast(1))
        {
            switch (part)
            {
                case "param" when isLoad:
                    instruction.Kind = InstructionKind.LoadArgument;
                    break;
                case "global":
                    instruction.Space = MemorySpace.Global;
                    break;
                case "shared":
                    instruction.Space = MemorySpace.Shared;
                    break;
                case "local":
                    instruction.Space = MemorySpace.Local;
                    break;
                case "v2" or "v4":
                    instruction.Count = (byte)(part[1] - '0');
                    break;
                default:
                    throw Unknown("an access that is not known");
            }
        }

        instruction.IsSigned = parts[^1].StartsWith('s');
        instruction.Size = (byte)Size(parts[^1]);
        string[] elements = At(operands, isLoad ? 0 : 1).Trim('{', '}').Split(',', StringSplitOptions.TrimEntries);
        if (elements.Length != instruction.Count)
        {
            throw Unknown("an access with another number of registers");
        }

        for (int i = 0; i < elements.Length; i++)
        {
            instruction.Elements[i] = isLoad ? Register(elements[i]) : Operand(elements[i]);
        }

        string[] address = At(operands, isLoad ? 1 : 0).Trim('[', ']').Split('+');
        instruction.Offset = address.Length > 1 ? Number(address[1]) : 0;
        if (instruction.Kind == InstructionKind.LoadArgument)
        {
            instruction.Offset += Found(arguments, address[0], "argument");
        }
        else
        {
            instruction.A = Operand(address[0]);
        }
    }

    private Instruction New(InstructionKind kind) =>
        new() { Kind = kind, Line = line, Predicate = -1, Result = -1, A = -1, B = -1, C = -1 };

    private void SetTarget(int place, int target)
    {
        Instruction instruction = kernel.Instructions[place];
        instruction.Target = target;
        kernel.Instructions[place] = instruction;
    }

    private T Found<T>(Dictionary<string, T> named, string name, string kind) => named.TryGetValue(name, out T? found)
        ? found
        : throw Unknown($"a use of the {kind} {name}, which is not there");

    private string At(string[] parts, int place) => place < parts.Length ? parts[place] : throw Unknown("the end of less than must be there");

    /// <summary>The place of a register, made at its first use: what is never written holds 0.</summary>
    private int Register(string name)
    {
        if (!name.StartsWith('%'))
        {
            throw Unknown("no register where one must be");
        }

        return Place(name, 0);
    }

    /// <summary>The place of a register, of a constant, or of the address of a variable.</summary>
    private int Operand(string text)
    {
        if (text.StartsWith('%'))
        {
            return Register(text);
        }

        if (variables.TryGetValue(text, out (MemorySpace Space, int Offset) variable))
        {
            bool isNew = !registers.ContainsKey(text);
            int place = Place(text, 0);
            if (isNew)
            {
                (variable.Space == MemorySpace.Shared ? kernel.SharedAddresses : kernel.LocalAddresses).Add((place, variable.Offset));
            }

            return place;
        }

        // Floating point numbers are written by their bits: 0f and 8 digits, 0d and 16.
        if (text.StartsWith("0f", StringComparison.Ordinal) || text.StartsWith("0d", StringComparison.Ordinal))
        {
            return ulong.TryParse(text[2..], NumberStyles.HexNumber, CultureInfo.InvariantCulture, out ulong bits)
                ? Place(text, bits)
                : throw Unknown("a number that is not known");
        }

        return text.StartsWith('-') && long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long negative)
            ? Place(text, (ulong)negative)
            : ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out ulong number)
                ? Place(text, number)
                : throw Unknown("an operand that is not known");
    }

    private int Place(string name, ulong value)
    {
        if (!registers.TryGetValue(name, out int place))
        {
            registers[name] = place = kernel.Registers.Count;
            kernel.Registers.Add(value);
        }

        return place;
    }

    /// <summary>What commas part outside of braces.</summary>
    private static string[] Operands(string text)
    {
        List<string> operands = [];
        int begin = 0;
        int depth = 0;
        for (int i = 0; i < text.Length; i++)
        {
            depth += text[i] switch { '{' => 1, '}' => -1, _ => 0 };
            if (text[i] == ',' && depth == 0)
            {
                operands.Add(text[begin..i].Trim());
                begin = i + 1;
            }
        }

        operands.Add(text[begin..].Trim());
        return [.. operands];
    }

    private (string Name, int Size) Sized(string text)
    {
        string[] parts = text.Split('[', ']');
        return (parts[0], Number(At(parts, 1)));
    }

    private int Alignment(string text)
    {
        int alignment = Number(At(text.Split(".align "), 1).Split(' ')[0]);
        return int.IsPow2(alignment) ? alignment : throw Unknown("an alignment that is not known");
    }

    /// <summary>The bytes of a type such as b32.</summary>
    private int Size(string type) => type.Length == 0
        ? throw Unknown("a type that is not known")
        : Number(type[1..]) switch
        {
            8 => 1,
            16 => 2,
            32 => 4,
            64 => 8,
            _ => throw Unknown("a type that is not known"),
        };

    private int Number(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : throw Unknown("no number where one must be");

    private static int RoundUp(int size, int alignment) => (size + alignment - 1) / alignment * alignment;

    private PtxException Unknown(string what) =>
        new($"Line {line + 1} is {what}, for this reader: {(line < lines.Length ? lines[line] : "the text has ended")}");
}
