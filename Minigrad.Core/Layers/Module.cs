using System.Collections;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Minigrad.Autodiff;
using Minigrad.Backends;

namespace Minigrad.Layers;

/// <summary>
/// Something with parameters: a layer, or a model made of layers. Parameters, buffers and children are registered under
/// names, and a name is the path to it: <c>encoder.0.weight</c>.
/// </summary>
/// <example>
/// <code>
/// sealed class Autoencoder : Layer
/// {
///     private readonly Linear encoder, decoder;
///     public Autoencoder()
///     {
///         encoder = Child("encoder", new Linear(64, 8));
///         decoder = Child("decoder", new Linear(8, 64));
///     }
///     protected override Tensor Compute(Tensor input) => decoder.Forward(encoder.Forward(input).Tanh());
/// }
/// </code>
/// </example>
public abstract class Module
{
    // What some module has registered. One that reads the weights of another need not register them again.
    private static readonly ConditionalWeakTable<Tensor, string> Registered = [];

    private readonly List<(string Name, Tensor Tensor)> parameters = [];
    private readonly List<(string Name, Tensor Tensor)> buffers = [];
    private readonly List<(string Name, Module Module)> children = [];
    private bool isAudited;

    /// <summary>The path from the outermost module to this one, empty for the outermost.</summary>
    public string Path { get; private set; } = string.Empty;

    /// <summary>Whether the module behaves as in training (dropout drops) or as in use. Set by <see cref="Train"/> and <see cref="Evaluate"/>.</summary>
    public bool IsTraining { get; private set; } = true;

    /// <summary>The modules registered directly in this one, with their names.</summary>
    public IReadOnlyList<(string Name, Module Module)> Children => children;

    /// <summary>
    /// The parameters of this module and all inside it, each once, in the order of registration; each tensor's
    /// <see cref="Tensor.Name"/> is set to its path from the outermost module, so it is the same whichever module is asked; a
    /// tied one's to the first of its paths inside the module that is asked.
    /// </summary>
    /// <exception cref="InvalidOperationException">
    /// A field, or a list, an array, a dictionary or a tuple in one, or in one of these, holds a module that was not registered, or a
    /// tensor that asks for a gradient and that no module has registered.
    /// </exception>
    public IReadOnlyList<Tensor> Parameters
    {
        get
        {
            List<Tensor> result = [];
            foreach ((string name, Tensor tensor) in NamedParameters())
            {
                if (!result.Contains(tensor))
                {
                    tensor.Name = Join(Path, name);
                    result.Add(tensor);
                }
            }

            return result;
        }
    }

    /// <summary>The number of elements of all parameters.</summary>
    public long ParameterCount => Parameters.Sum(parameter => (long)parameter.Length);

    /// <summary>Parameters with their paths from this module; a tied one appears under each of its paths.</summary>
    public IEnumerable<(string Name, Tensor Tensor)> NamedParameters() => Named(module => module.parameters);

    /// <summary>Buffers (numbers that are kept but not learned) with their paths from this module.</summary>
    public IEnumerable<(string Name, Tensor Tensor)> NamedBuffers() => Named(module => module.buffers);

    /// <summary>Behave as in training, here and in all children.</summary>
    /// <exception cref="InvalidOperationException">A part is not registered, as for <see cref="Parameters"/>; no mode has changed.</exception>
    public void Train() => SetTraining(true);

    /// <summary>Behave as in use, here and in all children: dropout passes everything, normalisation uses its running statistics.</summary>
    /// <exception cref="InvalidOperationException">A part is not registered, as for <see cref="Parameters"/>; no mode has changed.</exception>
    public void Evaluate() => SetTraining(false);

    /// <summary>
    /// Stops all parameters from learning: they ask for no gradient, gather none of what was computed before, and forget the one that
    /// they have, by which the next step would still move them.
    /// </summary>
    public void Freeze()
    {
        SetRequiresGradient(false);
        ZeroGradients();
    }

    /// <summary>Lets all parameters learn again.</summary>
    public void Unfreeze() => SetRequiresGradient(true);

    /// <summary>Forgets the gradients of all parameters.</summary>
    public void ZeroGradients()
    {
        foreach ((_, Tensor tensor) in NamedParameters())
        {
            tensor.Gradient = null;
        }
    }

    /// <summary>Moves all parameters and buffers to a backend, in place.</summary>
    /// <param name="backend">The backend.</param>
    public void To(Backend backend)
    {
        foreach ((_, Tensor tensor) in NamedParameters().Concat(NamedBuffers()))
        {
            tensor.MoveTo(backend);
        }
    }

    /// <summary>A copy of all parameters and buffers by path, from which <see cref="LoadState"/> restores them to the bit.</summary>
    public IReadOnlyDictionary<string, float[]> State()
    {
        Dictionary<string, float[]> state = [];
        foreach ((string name, Tensor tensor) in NamedParameters().Concat(NamedBuffers()))
        {
            state[name] = tensor.ToArray();
        }

        return state;
    }

    /// <summary>Restores all parameters and buffers, or none if anything does not fit.</summary>
    /// <param name="state">What <see cref="State"/> gave, of a module of the same structure.</param>
    /// <exception cref="ArgumentException">A name is missing, unknown, or has another number of elements; or a tied tensor has different numbers under its names.</exception>
    public void LoadState(IReadOnlyDictionary<string, float[]> state)
    {
        ArgumentNullException.ThrowIfNull(state);
        Dictionary<string, Tensor> own = [];
        Dictionary<Tensor, string> first = [];
        foreach ((string name, Tensor tensor) in NamedParameters().Concat(NamedBuffers()))
        {
            own[name] = tensor;
            if (!state.TryGetValue(name, out float[]? values))
            {
                throw new ArgumentException(
                    $"LoadState: the state has no '{name}', which this {GetType().Name} needs. It holds: {string.Join(", ", state.Keys)}.", nameof(state));
            }

            if (values?.Length != tensor.Length)
            {
                throw new ArgumentException(
                    $"LoadState: '{name}' has {values?.Length ?? 0} numbers in the state, but shape {tensor.Shape}, {tensor.Length} elements, here. Was the state saved from a model of other sizes?", nameof(state));
            }

            if (!first.TryAdd(tensor, name) && !MemoryMarshal.AsBytes(values.AsSpan()).SequenceEqual(MemoryMarshal.AsBytes(state[first[tensor]].AsSpan())))
            {
                throw new ArgumentException(
                    $"LoadState: '{first[tensor]}' and '{name}' are one tied tensor in this {GetType().Name}, but the state has different numbers for the two. Was it saved from a model where they are not tied?", nameof(state));
            }
        }

        if (state.Keys.FirstOrDefault(name => !own.ContainsKey(name)) is { } unknown)
        {
            throw new ArgumentException(
                $"LoadState: the state holds '{unknown}', which this {GetType().Name} does not have.", nameof(state));
        }

        using NoGrad scope = new();
        foreach ((string name, Tensor tensor) in own)
        {
            tensor.Assign(state[name]);
        }
    }

    /// <summary>Registers a tensor to be learned.</summary>
    /// <param name="name">Its name in this module: <c>weight</c>.</param>
    /// <param name="tensor">The tensor; it is made to ask for a gradient.</param>
    /// <returns>The tensor.</returns>
    /// <exception cref="ArgumentException">The name is empty, has a dot, or is that of another part of this module.</exception>
    /// <exception cref="GradientException">The tensor was computed from others, so it is no leaf.</exception>
    protected Tensor Parameter(string name, Tensor tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        CheckName(name);
        tensor.RequiresGradient = true;
        parameters.Add((name, tensor));
        Registered.AddOrUpdate(tensor, name);
        tensor.Name ??= name;
        return tensor;
    }

    /// <summary>Registers a tensor that is kept and saved, but not learned.</summary>
    /// <param name="name">Its name in this module: <c>running_mean</c>.</param>
    /// <param name="tensor">The tensor.</param>
    /// <returns>The tensor.</returns>
    /// <exception cref="ArgumentException">The name is empty, has a dot, or is that of another part of this module.</exception>
    /// <exception cref="GradientException">The tensor is the recorded result of an operation, which cannot be loaded or moved.</exception>
    protected Tensor Buffer(string name, Tensor tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        CheckName(name);
        if (tensor.Producer is { } producer)
        {
            throw new GradientException(
                $"{GetType().Name}: '{name}' cannot be a buffer, since it is the recorded result of {producer.Operation}, and LoadState would change it in place. Register its Detach(), or compute it inside `using (new NoGrad())`.");
        }

        buffers.Add((name, tensor));
        Registered.AddOrUpdate(tensor, name);
        tensor.Name ??= name;
        return tensor;
    }

    /// <summary>Registers a module inside this one.</summary>
    /// <typeparam name="TModule">Its type.</typeparam>
    /// <param name="name">Its name in this module: <c>encoder</c>.</param>
    /// <param name="module">The module.</param>
    /// <returns>The module.</returns>
    /// <exception cref="ArgumentException">
    /// The name is empty, has a dot, or is that of another part of this module; or the module is this one, or holds it.
    /// </exception>
    protected TModule Child<TModule>(string name, TModule module)
        where TModule : Module
    {
        ArgumentNullException.ThrowIfNull(module);
        CheckName(name);
        if (module.Holds(this))
        {
            throw new ArgumentException(
                $"{GetType().Name}: '{name}' cannot be a {module.GetType().Name} that holds this module, or is it: there would be no end. To reach an outer module from inside, keep it in a field and register nothing.", nameof(module));
        }

        children.Add((name, module));
        module.SetPath(Join(Path, name));
        return module;
    }

    /// <summary>The number of elements of the parameters registered directly in this module.</summary>
    private protected long OwnParameterCount => parameters.Select(entry => entry.Tensor).Distinct().Sum(parameter => (long)parameter.Length);

    /// <summary>The module's path and kind, as messages name it.</summary>
    internal string Title => Path.Length == 0 ? ToString()! : $"'{Path}', {this}";

    /// <summary>Until the scope is disposed, operations belong to this module, as far as a trace tells it.</summary>
    private protected LayerScope Enter() => AnomalyTrace.Current is { } trace ? new LayerScope(trace, Title) : default;

    private static string Join(string path, string name) => path.Length == 0 ? name : $"{path}.{name}";

    private void SetPath(string path)
    {
        Path = path;
        foreach ((string name, Module module) in children)
        {
            module.SetPath(Join(path, name));
        }
    }

    private IEnumerable<(string Name, Tensor Tensor)> Named(Func<Module, List<(string Name, Tensor Tensor)>> own)
    {
        foreach ((string path, Module module) in Modules())
        {
            foreach ((string name, Tensor tensor) in own(module))
            {
                yield return (Join(path, name), tensor);
            }
        }
    }

    /// <summary>Whether this module and each inside it behave as in training, for <see cref="RestoreModes"/>.</summary>
    internal (Module Module, bool IsTraining)[] Modes() =>
        [.. Modules().Select(entry => (entry.Module, entry.Module.IsTraining))];

    /// <summary>Puts modes back, each module's own.</summary>
    internal static void RestoreModes((Module Module, bool IsTraining)[] modes)
    {
        foreach ((Module module, bool isTraining) in modes)
        {
            module.IsTraining = isTraining;
        }
    }

    /// <summary>This module and all inside it, each before its children, with its path from here; every one has been checked.</summary>
    private List<(string Path, Module Module)> Modules()
    {
        List<(string Path, Module Module)> modules = [];
        AddTo(modules, string.Empty);
        return modules;
    }

    private void AddTo(List<(string Path, Module Module)> modules, string path)
    {
        Audit();
        modules.Add((path, this));
        foreach ((string name, Module child) in children)
        {
            child.AddTo(modules, Join(path, name));
        }
    }

    /// <summary>
    /// A module or a parameter kept in a field but not registered would silently never learn, so that is an error. (Where
    /// reflection finds nothing, as in trimmed programs, nothing is checked.)
    /// </summary>
    private void Audit()
    {
        if (isAudited)
        {
            return;
        }

        for (Type? type = GetType(); type is not null && type != typeof(Module); type = type.BaseType)
        {
            foreach (FieldInfo field in type.GetFields(
                BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly))
            {
                string name = field.Name.TrimStart('_', '<').Split('>')[0];
                object? value = field.GetValue(this);
                foreach (object part in Parts(value))
                {
                    if (!IsRegistered(part))
                    {
                        throw NotRegistered(name, part, isOneOfMany: !ReferenceEquals(part, value));
                    }
                }
            }
        }

        // Only now: what was not registered is an error each time that someone asks.
        isAudited = true;
    }

    /// <summary>The modules and tensors in a field: itself, or those in the lists, arrays, dictionaries and tuples that it holds.</summary>
    private static IEnumerable<object> Parts(object? value) => value switch
    {
        Module or Tensor => [value],
        IDictionary dictionary => Parts(dictionary.Values),
        ITuple tuple => Enumerable.Range(0, tuple.Length).SelectMany(place => Parts(tuple[place])),
        IReadOnlyCollection<Module> modules => modules.OfType<Module>(),
        IReadOnlyCollection<Tensor> tensors => tensors.OfType<Tensor>(),

        // Of any other its first item tells what it holds, so that numbers and texts, of which there may be many, are not gone through.
        ICollection items when items.Cast<object?>().FirstOrDefault(item => item is not null) is Module or Tensor or ITuple or ICollection =>
            items.Cast<object?>().SelectMany(Parts),
        _ => [],
    };

    /// <summary>
    /// Whether a part needs nothing more. Of the tensors only a leaf that asks for a gradient learns: what was computed, what is
    /// detached, and what is frozen may be kept as it is. A module may also be one inside a child, or one that this is inside of.
    /// </summary>
    private bool IsRegistered(object part) => part is Tensor tensor
        ? tensor is { RequiresGradient: false } or { Producer: not null } || Registered.TryGetValue(tensor, out _)
        : children.Exists(child => child.Module.Holds((Module)part)) || ((Module)part).Holds(this);

    /// <summary>Whether a module is this one, or inside it.</summary>
    private bool Holds(Module module) =>
        ReferenceEquals(this, module) || children.Exists(child => child.Module.Holds(module));

    private InvalidOperationException NotRegistered(string name, object part, bool isOneOfMany)
    {
        string kind = part.GetType().Name;
        if (part is Tensor tensor)
        {
            string register = isOneOfMany
                ? $"Register each in the constructor: Parameter($\"{name}{{number}}\", tensor);"
                : $"Write: {name} = Parameter(\"{name}\", …);";
            return new InvalidOperationException(
                $"{GetType().Name} keeps a tensor of shape {tensor.Shape} in '{name}' that asks for a gradient and is not registered, so no optimizer would be given it and it would never learn. {register} If it is not to learn, keep tensor.Detach().");
        }

        return new InvalidOperationException(
            $"{GetType().Name} keeps a {kind} in '{name}' that is not registered, so its parameters would never learn. "
            + (isOneOfMany
                ? $"Register each in the constructor: Child($\"{name}{{number}}\", layer); or keep them in a Sequential: {name} = Child(\"{name}\", new Sequential(…));"
                : $"Write: {name} = Child(\"{name}\", new {kind}(…));"));
    }

    private void CheckName(string name)
    {
        if (string.IsNullOrEmpty(name) || name.Contains('.', StringComparison.Ordinal))
        {
            throw new ArgumentException(
                $"'{name}' cannot be the name of a part of {GetType().Name}: a name is not empty and has no dot, which separates the parts of a path.", nameof(name));
        }

        if (parameters.Exists(entry => entry.Name == name)
            || buffers.Exists(entry => entry.Name == name)
            || children.Exists(entry => entry.Name == name))
        {
            throw new ArgumentException(
                $"{GetType().Name} has a part named '{name}' already; names in one module must differ.", nameof(name));
        }
    }

    private void SetTraining(bool isTraining)
    {
        foreach ((_, Module module) in Modules())
        {
            module.IsTraining = isTraining;
        }
    }

    private void SetRequiresGradient(bool requiresGradient)
    {
        foreach ((_, Tensor tensor) in NamedParameters())
        {
            tensor.RequiresGradient = requiresGradient;
        }
    }
}
