using CsCheck;
using Minigrad.Numerics;
using Minigrad.Operations;

namespace Minigrad.Tests.Operations;

/// <summary>
/// Every recurrent cell: its own backward against the derivatives that <see cref="Dual{T}"/> gives of its forward, one
/// input at a time.
/// </summary>
public sealed class RecurrentCellTests
{
    private const double Tolerance = 1e-12;

    private static readonly Type[] Structs = typeof(IRecurrentCell).Assembly.GetTypes();

    public static TheoryData<string> Cells => [.. All().Select(type => type.ToString())];

    [Theory]
    [MemberData(nameof(Cells))]
    public void Backward_equals_the_derived_one(string name)
    {
        Type cell = All().Single(type => type.ToString() == name);
        GetType().GetMethod(nameof(Check), System.Reflection.BindingFlags.NonPublic | System.Reflection.BindingFlags.Static)!
            .MakeGenericMethod(cell).CreateDelegate<Action>()();
    }

    [Fact]
    public void All_cells_are_found() => Assert.True(
        All().Contains(typeof(LstmCell)) && All().Contains(typeof(GruCell)) && All().Contains(typeof(ElmanCell<Rectifier>)));

    [Fact]
    public void A_wrong_backward_is_found() => Assert.ThrowsAny<Exception>(Check<WrongCell>);

    private static IEnumerable<Type> All()
    {
        IEnumerable<Type> activations = Structs.Where(type =>
            type is { IsValueType: true, IsGenericTypeDefinition: false } && typeof(IOutputSlope).IsAssignableFrom(type));
        return Structs
            .Where(type => type is { IsValueType: true, IsGenericTypeDefinition: false } && typeof(IRecurrentCell).IsAssignableFrom(type))
            .Concat(activations.Select(activation => typeof(ElmanCell<>).MakeGenericType(activation)));
    }

    private static void Check<TCell>()
        where TCell : unmanaged, IRecurrentCell =>
        Gen.Double[-2, 2].Array[12].Sample(numbers =>
        {
            TCell cell = default;
            double[] point = numbers[..10];
            (double hiddenGradient, double stateGradient) = (numbers[10], cell.HasState ? numbers[11] : 0);
            Exact h = point[8];
            Exact c = point[9];
            cell.Forward(GatesOf(point, 0), GatesOf(point, 4), ref h, ref c, out Gates<Exact> saved);

            Exact hiddenFlow = hiddenGradient;
            Exact stateFlow = stateGradient;
            cell.Backward(saved, point[8], point[9], ref hiddenFlow, ref stateFlow, out Gates<Exact> input, out Gates<Exact> recurrent);
            double[] found = [.. Values(input), .. Values(recurrent), hiddenFlow.Value, stateFlow.Value];
            if (!Array.TrueForAll(found, double.IsFinite))
            {
                // An activation outside its domain, such as the root of a negative number.
                return;
            }

            for (int variable = 0; variable < point.Length; variable++)
            {
                bool isGate = variable < 8;
                if ((isGate && variable % 4 >= cell.GateCount) || (variable == 9 && !cell.HasState))
                {
                    continue;
                }

                double expected = Derivative(cell, point, variable, hiddenGradient, stateGradient);
                Assert.True(
                    Math.Abs(expected - found[variable]) <= Tolerance * (1 + Math.Abs(expected)),
                    $"{typeof(TCell).Name}, variable {variable}: {found[variable]:g17}, but Dual gives {expected:g17}");
                if (isGate && !cell.SeparatesRecurrent)
                {
                    Assert.Equal(found[variable % 4], found[(variable % 4) + 4]);
                }
            }
        });

    /// <summary>d(hiddenGradient · h′ + stateGradient · c′) / d variable.</summary>
    private static double Derivative<TCell>(TCell cell, double[] point, int variable, double hiddenGradient, double stateGradient)
        where TCell : unmanaged, IRecurrentCell
    {
        Dual<Exact> At(int place) => new(point[place], place == variable ? 1.0 : 0.0);
        Gates<Dual<Exact>> Gates(int start) => new(At(start), At(start + 1), At(start + 2), At(start + 3));
        Dual<Exact> h = At(8);
        Dual<Exact> c = At(9);
        cell.Forward(Gates(0), Gates(4), ref h, ref c, out _);
        return (hiddenGradient * h.Derivative.Value) + (stateGradient * c.Derivative.Value);
    }

    private static Gates<Exact> GatesOf(double[] point, int start) =>
        new(point[start], point[start + 1], point[start + 2], point[start + 3]);

    private static double[] Values(Gates<Exact> gates) =>
        [gates.First.Value, gates.Second.Value, gates.Third.Value, gates.Fourth.Value];

    /// <summary>A plain cell whose backward forgets half a percent.</summary>
    private readonly struct WrongCell : IRecurrentCell
    {
        public int GateCount => 1;

        public int SavedCount => 1;

        public bool HasState => false;

        public bool SeparatesRecurrent => false;

        public void Forward<T>(Gates<T> input, Gates<T> recurrent, ref T hidden, ref T state, out Gates<T> saved)
            where T : struct, IReal<T> =>
            default(ElmanCell<HyperbolicTangent>).Forward(input, recurrent, ref hidden, ref state, out saved);

        public void Backward<T>(
            Gates<T> saved, T hidden, T state, ref T hiddenGradient, ref T stateGradient, out Gates<T> inputGradient, out Gates<T> recurrentGradient)
            where T : struct, IReal<T>
        {
            hiddenGradient = 0.995f * hiddenGradient;
            default(ElmanCell<HyperbolicTangent>).Backward(
                saved, hidden, state, ref hiddenGradient, ref stateGradient, out inputGradient, out recurrentGradient);
        }
    }
}
