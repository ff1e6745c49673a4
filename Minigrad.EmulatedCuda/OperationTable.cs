using System.Numerics;

namespace Minigrad.EmulatedCuda;

/// <summary>
/// The instructions that compute a register from registers, by their names: those that ILGPU makes of integers, float32 and
/// float64. Atomic operations, shuffles, halves and approximate functions are not among them: no kernel may have them.
/// </summary>
/// <remarks>What each does is said in NVIDIA's "PTX ISA", version 8.4, chapter 9.</remarks>
internal static unsafe class OperationTable
{
    private static readonly Dictionary<string, Operation> Operations = [];

    static OperationTable()
    {
        Integers<short>("s16");
        Integers<ushort>("u16");
        Integers<int>("s32");
        Integers<uint>("u32");
        Integers<long>("s64");
        Integers<ulong>("u64");
        Bits<ushort>("b16");
        Bits<uint>("b32");
        Bits<ulong>("b64");
        Numbers<float>("f32");
        Numbers<double>("f64");
        FromIntegers<sbyte>("s8");
        FromIntegers<byte>("u8");
        FromIntegers<short>("s16");
        FromIntegers<ushort>("u16");
        FromIntegers<int>("s32");
        FromIntegers<uint>("u32");
        FromIntegers<long>("s64");
        FromIntegers<ulong>("u64");

        Operations["mul.wide.s32"] = new(&MultiplyWide<int, long>, 2);
        Operations["mul.wide.u32"] = new(&MultiplyWide<uint, ulong>, 2);
        Operations["mul.hi.s32"] = new(&MultiplyHigh<int, long>, 2);
        Operations["mul.hi.u32"] = new(&MultiplyHigh<uint, ulong>, 2);
        Operations["mul.hi.s64"] = new(&MultiplyHigh<long, Int128>, 2);
        Operations["mul.hi.u64"] = new(&MultiplyHigh<ulong, UInt128>, 2);
        Operations["cvt.f64.f32"] = new(&Convert<float, double>, 1);
        Operations["cvt.rn.f32.f64"] = new(&Convert<double, float>, 1);
        Operations["and.pred"] = new(&And<byte>, 2);
        Operations["or.pred"] = new(&Or<byte>, 2);
        Operations["xor.pred"] = new(&Xor<byte>, 2);
        Operations["not.pred"] = new(&NotPredicate, 1);
        Operations["mov.pred"] = new(&Move<byte>, 1);
        Operations["setp.ge.or.s32"] = new(&GreaterOrEqualOr, 3);
        foreach (string space in (string[])["global", "shared", "local"])
        {
            // All spaces are parts of one here, so that a cast changes nothing.
            Operations[$"cvta.{space}.u64"] = new(&Move<ulong>, 1);
            Operations[$"cvta.to.{space}.u64"] = new(&Move<ulong>, 1);
        }

        foreach ((string name, string same) in ((string, string)[])[("u16", "b16"), ("s16", "b16"), ("u32", "b32"), ("s32", "b32"), ("f32", "b32"), ("u64", "b64"), ("s64", "b64"), ("f64", "b64")])
        {
            Operations[$"mov.{name}"] = Operations[$"mov.{same}"];
            Operations[$"selp.{name}"] = Operations[$"selp.{same}"];
        }
    }

    /// <summary>Looks an instruction up.</summary>
    /// <param name="name">Its whole name, such as <c>add.f32</c>.</param>
    /// <param name="operation">What it does.</param>
    /// <returns>Whether it is known.</returns>
    public static bool TryGet(string name, out Operation operation) => Operations.TryGetValue(name, out operation);

    private static void Integers<T>(string type)
        where T : unmanaged, IBinaryInteger<T>
    {
        Arithmetic<T>(type);
        Operations[$"mul.lo.{type}"] = new(&Multiply<T>, 2);
        Operations[$"mad.lo.{type}"] = new(&MultiplyAdd<T>, 3);
        Operations[$"div.{type}"] = new(&DivideIntegers<T>, 2);
        Operations[$"rem.{type}"] = new(&Remainder<T>, 2);
        Operations[$"shr.{type}"] = new(&ShiftRight<T>, 2);
        Operations[$"setp.ne.{type}"] = new(&NotEqual<T>, 2);
        Operations[$"setp.lo.{type}"] = new(&Less<T>, 2);
        Operations[$"setp.ls.{type}"] = new(&LessOrEqual<T>, 2);
        Operations[$"setp.hi.{type}"] = new(&Greater<T>, 2);
        Operations[$"setp.hs.{type}"] = new(&GreaterOrEqual<T>, 2);
    }

    private static void Bits<T>(string type)
        where T : unmanaged, IBinaryInteger<T>
    {
        Operations[$"and.{type}"] = new(&And<T>, 2);
        Operations[$"or.{type}"] = new(&Or<T>, 2);
        Operations[$"xor.{type}"] = new(&Xor<T>, 2);
        Operations[$"not.{type}"] = new(&Not<T>, 1);
        Operations[$"shl.{type}"] = new(&ShiftLeft<T>, 2);
        Operations[$"shr.{type}"] = new(&ShiftRight<T>, 2);
        Operations[$"popc.{type}"] = new(&CountOnes<T>, 1);
        Operations[$"clz.{type}"] = new(&CountLeadingZeros<T>, 1);
        Operations[$"setp.eq.{type}"] = new(&Equal<T>, 2);
        Operations[$"setp.ne.{type}"] = new(&NotEqual<T>, 2);
        Operations[$"mov.{type}"] = new(&Move<T>, 1);
        Operations[$"selp.{type}"] = new(&Select<T>, 3);
    }

    private static void Numbers<T>(string type)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Arithmetic<T>(type);
        Operations[$"mul.{type}"] = new(&Multiply<T>, 2);
        Operations[$"div.rn.{type}"] = new(&DivideNumbers<T>, 2);
        Operations[$"fma.rn.{type}"] = new(&FusedMultiplyAdd<T>, 3);
        Operations[$"sqrt.rn.{type}"] = new(&SquareRoot<T>, 1);
        Operations[$"rcp.rn.{type}"] = new(&Reciprocal<T>, 1);
        Operations[$"copysign.{type}"] = new(&CopySign<T>, 2);
        Operations[$"setp.ne.{type}"] = new(&LessOrGreater<T>, 2);
        Operations[$"setp.equ.{type}"] = new(&NotLessOrGreater<T>, 2);
        Operations[$"setp.neu.{type}"] = new(&NotEqual<T>, 2);
        Operations[$"setp.ltu.{type}"] = new(&NotGreaterOrEqual<T>, 2);
        Operations[$"setp.leu.{type}"] = new(&NotGreater<T>, 2);
        Operations[$"setp.gtu.{type}"] = new(&NotLessOrEqual<T>, 2);
        Operations[$"setp.geu.{type}"] = new(&NotLess<T>, 2);
        Operations[$"testp.notanumber.{type}"] = new(&IsNaN<T>, 1);
        Operations[$"testp.finite.{type}"] = new(&IsFinite<T>, 1);
        Operations[$"testp.infinite.{type}"] = new(&IsInfinity<T>, 1);
        Operations[$"cvt.rmi.{type}.{type}"] = new(&Floor<T>, 1);
        Operations[$"cvt.rpi.{type}.{type}"] = new(&Ceiling<T>, 1);
        Operations[$"cvt.rzi.s16.{type}"] = new(&ToInteger<T, short>, 1);
        Operations[$"cvt.rzi.u16.{type}"] = new(&ToInteger<T, ushort>, 1);
        Operations[$"cvt.rzi.s32.{type}"] = new(&ToInteger<T, int>, 1);
        Operations[$"cvt.rzi.u32.{type}"] = new(&ToInteger<T, uint>, 1);
        Operations[$"cvt.rzi.s64.{type}"] = new(&ToInteger<T, long>, 1);
        Operations[$"cvt.rzi.u64.{type}"] = new(&ToInteger<T, ulong>, 1);
    }

    private static void FromIntegers<T>(string type)
        where T : unmanaged, IBinaryInteger<T>
    {
        Operations[$"cvt.s8.{type}"] = new(&Extend<T, sbyte>, 1);
        Operations[$"cvt.u8.{type}"] = new(&Extend<T, byte>, 1);
        Operations[$"cvt.s16.{type}"] = new(&Extend<T, short>, 1);
        Operations[$"cvt.u16.{type}"] = new(&Extend<T, ushort>, 1);
        Operations[$"cvt.s32.{type}"] = new(&Extend<T, int>, 1);
        Operations[$"cvt.u32.{type}"] = new(&Extend<T, uint>, 1);
        Operations[$"cvt.s64.{type}"] = new(&Extend<T, long>, 1);
        Operations[$"cvt.u64.{type}"] = new(&Extend<T, ulong>, 1);
        Operations[$"cvt.rn.f32.{type}"] = new(&Convert<T, float>, 1);
        Operations[$"cvt.rn.f64.{type}"] = new(&Convert<T, double>, 1);
    }

    private static void Arithmetic<T>(string type)
        where T : unmanaged, INumber<T>
    {
        Operations[$"add.{type}"] = new(&Add<T>, 2);
        Operations[$"sub.{type}"] = new(&Subtract<T>, 2);
        Operations[$"neg.{type}"] = new(&Negate<T>, 1);
        Operations[$"abs.{type}"] = new(&Absolute<T>, 1);
        Operations[$"min.{type}"] = new(&Minimum<T>, 2);
        Operations[$"max.{type}"] = new(&Maximum<T>, 2);
        Operations[$"setp.eq.{type}"] = new(&Equal<T>, 2);
        Operations[$"setp.lt.{type}"] = new(&Less<T>, 2);
        Operations[$"setp.le.{type}"] = new(&LessOrEqual<T>, 2);
        Operations[$"setp.gt.{type}"] = new(&Greater<T>, 2);
        Operations[$"setp.ge.{type}"] = new(&GreaterOrEqual<T>, 2);
    }

    private static T A<T>(ulong* registers, Instruction* instruction)
        where T : unmanaged => *(T*)(registers + instruction->A);

    private static T B<T>(ulong* registers, Instruction* instruction)
        where T : unmanaged => *(T*)(registers + instruction->B);

    private static T C<T>(ulong* registers, Instruction* instruction)
        where T : unmanaged => *(T*)(registers + instruction->C);

    private static void Put<T>(ulong* registers, Instruction* instruction, T value)
        where T : unmanaged => *(T*)(registers + instruction->Result) = value;

    private static void Put(ulong* registers, Instruction* instruction, bool value) =>
        registers[instruction->Result] = value ? 1UL : 0UL;

    private static void Add<T>(ulong* r, Instruction* i)
        where T : unmanaged, INumber<T> => Put(r, i, A<T>(r, i) + B<T>(r, i));

    private static void Subtract<T>(ulong* r, Instruction* i)
        where T : unmanaged, INumber<T> => Put(r, i, A<T>(r, i) - B<T>(r, i));

    private static void Multiply<T>(ulong* r, Instruction* i)
        where T : unmanaged, INumber<T> => Put(r, i, A<T>(r, i) * B<T>(r, i));

    private static void MultiplyAdd<T>(ulong* r, Instruction* i)
        where T : unmanaged, INumber<T> => Put(r, i, (A<T>(r, i) * B<T>(r, i)) + C<T>(r, i));

    private static void MultiplyWide<T, TWide>(ulong* r, Instruction* i)
        where T : unmanaged, INumber<T>
        where TWide : unmanaged, INumber<TWide> =>
        Put(r, i, TWide.CreateTruncating(A<T>(r, i)) * TWide.CreateTruncating(B<T>(r, i)));

    private static void MultiplyHigh<T, TWide>(ulong* r, Instruction* i)
        where T : unmanaged, INumber<T>
        where TWide : unmanaged, IBinaryInteger<TWide> =>
        Put(r, i, T.CreateTruncating((TWide.CreateTruncating(A<T>(r, i)) * TWide.CreateTruncating(B<T>(r, i))) >> (8 * sizeof(T))));

    private static void DivideNumbers<T>(ulong* r, Instruction* i)
        where T : unmanaged, INumber<T> => Put(r, i, A<T>(r, i) / B<T>(r, i));

    private static void DivideIntegers<T>(ulong* r, Instruction* i)
        where T : unmanaged, INumber<T>
    {
        T divisor = Divisor<T>(r, i);
        Put(r, i, IsMinusOne(divisor) ? -A<T>(r, i) : A<T>(r, i) / divisor);
    }

    private static void Remainder<T>(ulong* r, Instruction* i)
        where T : unmanaged, INumber<T>
    {
        T divisor = Divisor<T>(r, i);
        Put(r, i, IsMinusOne(divisor) ? T.Zero : A<T>(r, i) % divisor);
    }

    private static T Divisor<T>(ulong* r, Instruction* i)
        where T : unmanaged, INumber<T>
    {
        T divisor = B<T>(r, i);
        return T.IsZero(divisor) ? throw new DeviceFaultException("an integer is divided by zero") : divisor;
    }

    // .NET throws at the smallest number divided by −1.
    private static bool IsMinusOne<T>(T x)
        where T : INumber<T> => T.IsNegative(x) && x + T.One == T.Zero;

    private static void Negate<T>(ulong* r, Instruction* i)
        where T : unmanaged, INumber<T> => Put(r, i, -A<T>(r, i));

    private static void Absolute<T>(ulong* r, Instruction* i)
        where T : unmanaged, INumber<T>
    {
        T x = A<T>(r, i);
        Put(r, i, T.IsNegative(x) ? -x : x);
    }

    // Of a number and NaN the number.
    private static void Minimum<T>(ulong* r, Instruction* i)
        where T : unmanaged, INumber<T> => Put(r, i, T.MinNumber(A<T>(r, i), B<T>(r, i)));

    private static void Maximum<T>(ulong* r, Instruction* i)
        where T : unmanaged, INumber<T> => Put(r, i, T.MaxNumber(A<T>(r, i), B<T>(r, i)));

    private static void FusedMultiplyAdd<T>(ulong* r, Instruction* i)
        where T : unmanaged, IFloatingPointIeee754<T> => Put(r, i, T.FusedMultiplyAdd(A<T>(r, i), B<T>(r, i), C<T>(r, i)));

    private static void SquareRoot<T>(ulong* r, Instruction* i)
        where T : unmanaged, IRootFunctions<T> => Put(r, i, T.Sqrt(A<T>(r, i)));

    private static void Reciprocal<T>(ulong* r, Instruction* i)
        where T : unmanaged, INumber<T> => Put(r, i, T.One / A<T>(r, i));

    // The sign of the first, the magnitude of the second.
    private static void CopySign<T>(ulong* r, Instruction* i)
        where T : unmanaged, INumber<T> => Put(r, i, T.CopySign(B<T>(r, i), A<T>(r, i)));

    private static void And<T>(ulong* r, Instruction* i)
        where T : unmanaged, IBinaryInteger<T> => Put(r, i, A<T>(r, i) & B<T>(r, i));

    private static void Or<T>(ulong* r, Instruction* i)
        where T : unmanaged, IBinaryInteger<T> => Put(r, i, A<T>(r, i) | B<T>(r, i));

    private static void Xor<T>(ulong* r, Instruction* i)
        where T : unmanaged, IBinaryInteger<T> => Put(r, i, A<T>(r, i) ^ B<T>(r, i));

    private static void Not<T>(ulong* r, Instruction* i)
        where T : unmanaged, IBinaryInteger<T> => Put(r, i, ~A<T>(r, i));

    private static void NotPredicate(ulong* r, Instruction* i) => Put(r, i, (A<byte>(r, i) & 1) == 0);

    // C# takes the number of places modulo the width, PTX does not.
    private static void ShiftLeft<T>(ulong* r, Instruction* i)
        where T : unmanaged, IBinaryInteger<T>
    {
        uint places = B<uint>(r, i);
        Put(r, i, places >= 8 * sizeof(T) ? T.Zero : A<T>(r, i) << (int)places);
    }

    private static void ShiftRight<T>(ulong* r, Instruction* i)
        where T : unmanaged, IBinaryInteger<T>
    {
        uint places = B<uint>(r, i);
        T x = A<T>(r, i);
        T beyond = T.IsNegative(x) ? ~T.Zero : T.Zero;
        Put(r, i, places >= 8 * sizeof(T) ? beyond : x >> (int)places);
    }

    private static void CountOnes<T>(ulong* r, Instruction* i)
        where T : unmanaged, IBinaryInteger<T> => Put(r, i, uint.CreateTruncating(T.PopCount(A<T>(r, i))));

    private static void CountLeadingZeros<T>(ulong* r, Instruction* i)
        where T : unmanaged, IBinaryInteger<T> => Put(r, i, uint.CreateTruncating(T.LeadingZeroCount(A<T>(r, i))));

    private static void Equal<T>(ulong* r, Instruction* i)
        where T : unmanaged, INumber<T> => Put(r, i, A<T>(r, i) == B<T>(r, i));

    private static void NotEqual<T>(ulong* r, Instruction* i)
        where T : unmanaged, INumber<T> => Put(r, i, A<T>(r, i) != B<T>(r, i));

    private static void Less<T>(ulong* r, Instruction* i)
        where T : unmanaged, INumber<T> => Put(r, i, A<T>(r, i) < B<T>(r, i));

    private static void LessOrEqual<T>(ulong* r, Instruction* i)
        where T : unmanaged, INumber<T> => Put(r, i, A<T>(r, i) <= B<T>(r, i));

    private static void Greater<T>(ulong* r, Instruction* i)
        where T : unmanaged, INumber<T> => Put(r, i, A<T>(r, i) > B<T>(r, i));

    private static void GreaterOrEqual<T>(ulong* r, Instruction* i)
        where T : unmanaged, INumber<T> => Put(r, i, A<T>(r, i) >= B<T>(r, i));

    private static void LessOrGreater<T>(ulong* r, Instruction* i)
        where T : unmanaged, INumber<T> => Put(r, i, A<T>(r, i) < B<T>(r, i) || A<T>(r, i) > B<T>(r, i));

    private static void NotLessOrGreater<T>(ulong* r, Instruction* i)
        where T : unmanaged, INumber<T> => Put(r, i, !(A<T>(r, i) < B<T>(r, i) || A<T>(r, i) > B<T>(r, i)));

    private static void NotLess<T>(ulong* r, Instruction* i)
        where T : unmanaged, INumber<T> => Put(r, i, !(A<T>(r, i) < B<T>(r, i)));

    private static void NotLessOrEqual<T>(ulong* r, Instruction* i)
        where T : unmanaged, INumber<T> => Put(r, i, !(A<T>(r, i) <= B<T>(r, i)));

    private static void NotGreater<T>(ulong* r, Instruction* i)
        where T : unmanaged, INumber<T> => Put(r, i, !(A<T>(r, i) > B<T>(r, i)));

    private static void NotGreaterOrEqual<T>(ulong* r, Instruction* i)
        where T : unmanaged, INumber<T> => Put(r, i, !(A<T>(r, i) >= B<T>(r, i)));

    private static void GreaterOrEqualOr(ulong* r, Instruction* i) =>
        Put(r, i, A<int>(r, i) >= B<int>(r, i) || (C<byte>(r, i) & 1) != 0);

    private static void IsNaN<T>(ulong* r, Instruction* i)
        where T : unmanaged, INumber<T> => Put(r, i, T.IsNaN(A<T>(r, i)));

    private static void IsFinite<T>(ulong* r, Instruction* i)
        where T : unmanaged, INumber<T> => Put(r, i, T.IsFinite(A<T>(r, i)));

    private static void IsInfinity<T>(ulong* r, Instruction* i)
        where T : unmanaged, INumber<T> => Put(r, i, T.IsInfinity(A<T>(r, i)));

    private static void Floor<T>(ulong* r, Instruction* i)
        where T : unmanaged, IFloatingPoint<T> => Put(r, i, T.Floor(A<T>(r, i)));

    private static void Ceiling<T>(ulong* r, Instruction* i)
        where T : unmanaged, IFloatingPoint<T> => Put(r, i, T.Ceiling(A<T>(r, i)));

    private static void Move<T>(ulong* r, Instruction* i)
        where T : unmanaged => Put(r, i, A<T>(r, i));

    private static void Select<T>(ulong* r, Instruction* i)
        where T : unmanaged => Put(r, i, (C<byte>(r, i) & 1) != 0 ? A<T>(r, i) : B<T>(r, i));

    private static void Convert<TFrom, TTo>(ulong* r, Instruction* i)
        where TFrom : unmanaged, INumberBase<TFrom>
        where TTo : unmanaged, INumberBase<TTo> => Put(r, i, TTo.CreateTruncating(A<TFrom>(r, i)));

    // NaN becomes 0, what is too large the largest.
    private static void ToInteger<TFrom, TTo>(ulong* r, Instruction* i)
        where TFrom : unmanaged, INumberBase<TFrom>
        where TTo : unmanaged, INumberBase<TTo> => Put(r, i, TTo.CreateSaturating(A<TFrom>(r, i)));

    // A register is wider than a byte, and is filled by the sign of what is put into it.
    private static void Extend<TFrom, TTo>(ulong* r, Instruction* i)
        where TFrom : unmanaged, INumberBase<TFrom>
        where TTo : unmanaged, INumberBase<TTo> => Put(r, i, ulong.CreateTruncating(TTo.CreateTruncating(A<TFrom>(r, i))));
}
