using Minigrad.Optimizers.Clipping;

namespace Minigrad.Optimizers;

/// <summary>
/// Clipping and optimizers with the conventions and defaults of PyTorch 2, by its order of arguments. Minigrad's own optimizers
/// have the same conventions and defaults, so what these add is the promise that it stays so; clipping differs by PyTorch's 10⁻⁶.
/// </summary>
/// <remarks>
/// What is not imitated: PyTorch takes a threshold of 0 (all gradients become 0) and a negative one (their signs turn), here
/// they are errors; and it passes NaN and infinities on, here <see cref="Optimizer.NonFinite"/> decides.
/// </remarks>
/// <example><code>var optimizer = LikePyTorch.Adam(model.Parameters); optimizer.Clip = [LikePyTorch.ClipGradNorm(1)];</code></example>
public static class LikePyTorch
{
    /// <summary>
    /// PyTorch's <c>clip_grad_norm_</c>: all gradients are multiplied by min(1, c / (n + 10⁻⁶)), with n the norm of all together.
    /// </summary>
    /// <param name="maxNorm">c.</param>
    /// <param name="normType">The order of the norm.</param>
    /// <exception cref="ArgumentOutOfRangeException">The threshold is 0, negative or NaN, or the order below 0.1 or NaN.</exception>
    public static ClipStage ClipGradNorm(double maxNorm, double normType = 2) => Clip.GlobalNorm(maxNorm, normType, pyTorchEpsilon: 1e-6);

    /// <summary>PyTorch's <c>clip_grad_value_</c>: every element is clamped to ±c.</summary>
    /// <param name="clipValue">c.</param>
    /// <exception cref="ArgumentOutOfRangeException">The bound is 0, negative or NaN.</exception>
    public static ClipStage ClipGradValue(double clipValue) => Clip.Value(clipValue);

    /// <summary><c>torch.optim.SGD</c>: b ← μ · b + (1 − dampening) · g, p ← p − η · b; the first b is g.</summary>
    /// <param name="parameters">The parameters, as model.Parameters.</param>
    /// <param name="learningRate">The learning rate η.</param>
    /// <param name="momentum">μ; 0 for none.</param>
    /// <param name="dampening">How much less of a gradient enters the momentum, from the second step on.</param>
    /// <param name="weightDecay">The weight decay λ, added to the gradient as λ · p.</param>
    /// <param name="nesterov">Whether to look ahead along the momentum; needs momentum and no dampening.</param>
    /// <exception cref="ArgumentException">There is no parameter, or one is null, is given twice, asks for no gradient or is the result of an operation; or Nesterov momentum is asked for without momentum or with dampening.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A constant is out of its range.</exception>
    public static Optimizer Sgd(
        IEnumerable<Tensor> parameters, double learningRate = 1e-3, double momentum = 0, double dampening = 0, double weightDecay = 0, bool nesterov = false) =>
        Sgd([new ParameterGroup(parameters)], learningRate, momentum, dampening, weightDecay, nesterov);

    /// <summary><c>torch.optim.SGD</c>: b ← μ · b + (1 − dampening) · g, p ← p − η · b; the first b is g.</summary>
    /// <param name="groups">Groups of parameters; what a group does not set itself, it has from the arguments that follow.</param>
    /// <param name="learningRate">The learning rate η.</param>
    /// <param name="momentum">μ; 0 for none.</param>
    /// <param name="dampening">How much less of a gradient enters the momentum, from the second step on.</param>
    /// <param name="weightDecay">The weight decay λ, added to the gradient as λ · p.</param>
    /// <param name="nesterov">Whether to look ahead along the momentum; needs momentum and no dampening.</param>
    /// <exception cref="ArgumentException">There is no parameter, a group or a parameter is null, or a parameter is given twice, asks for no gradient or is the result of an operation; or Nesterov momentum is asked for without momentum or with dampening.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A constant is out of its range.</exception>
    public static Optimizer Sgd(
        IEnumerable<ParameterGroup> groups, double learningRate = 1e-3, double momentum = 0, double dampening = 0, double weightDecay = 0, bool nesterov = false) =>
        new Sgd(groups, learningRate, momentum, dampening, weightDecay, nesterov);

    /// <summary><c>torch.optim.Adam</c>: ε is added outside the root, after the correction of bias.</summary>
    /// <param name="parameters">The parameters, as model.Parameters.</param>
    /// <param name="learningRate">The learning rate η.</param>
    /// <param name="beta1">β₁, the rate of the running mean of gradients.</param>
    /// <param name="beta2">β₂, the rate of the running mean of squares.</param>
    /// <param name="epsilon">ε.</param>
    /// <param name="weightDecay">The weight decay λ, added to the gradient as λ · p.</param>
    /// <param name="amsGrad">Whether to divide by the largest mean square so far.</param>
    /// <exception cref="ArgumentException">There is no parameter, or one is null, is given twice, asks for no gradient or is the result of an operation.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A constant is out of its range.</exception>
    public static Optimizer Adam(
        IEnumerable<Tensor> parameters, double learningRate = 1e-3, double beta1 = 0.9, double beta2 = 0.999, double epsilon = 1e-8, double weightDecay = 0, bool amsGrad = false) =>
        Adam([new ParameterGroup(parameters)], learningRate, beta1, beta2, epsilon, weightDecay, amsGrad);

    /// <summary><c>torch.optim.Adam</c>: ε is added outside the root, after the correction of bias.</summary>
    /// <param name="groups">Groups of parameters; what a group does not set itself, it has from the arguments that follow.</param>
    /// <param name="learningRate">The learning rate η.</param>
    /// <param name="beta1">β₁, the rate of the running mean of gradients.</param>
    /// <param name="beta2">β₂, the rate of the running mean of squares.</param>
    /// <param name="epsilon">ε.</param>
    /// <param name="weightDecay">The weight decay λ, added to the gradient as λ · p.</param>
    /// <param name="amsGrad">Whether to divide by the largest mean square so far.</param>
    /// <exception cref="ArgumentException">There is no parameter, a group or a parameter is null, or a parameter is given twice, asks for no gradient or is the result of an operation.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A constant is out of its range.</exception>
    public static Optimizer Adam(
        IEnumerable<ParameterGroup> groups, double learningRate = 1e-3, double beta1 = 0.9, double beta2 = 0.999, double epsilon = 1e-8, double weightDecay = 0, bool amsGrad = false) =>
        new Adam(groups, learningRate, beta1, beta2, epsilon, weightDecay, amsGrad);

    /// <summary><c>torch.optim.AdamW</c>: Adam with weight decay apart from the gradient.</summary>
    /// <param name="parameters">The parameters, as model.Parameters.</param>
    /// <param name="learningRate">The learning rate η.</param>
    /// <param name="beta1">β₁, the rate of the running mean of gradients.</param>
    /// <param name="beta2">β₂, the rate of the running mean of squares.</param>
    /// <param name="epsilon">ε.</param>
    /// <param name="weightDecay">The decoupled weight decay λ.</param>
    /// <param name="amsGrad">Whether to divide by the largest mean square so far.</param>
    /// <exception cref="ArgumentException">There is no parameter, or one is null, is given twice, asks for no gradient or is the result of an operation.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A constant is out of its range.</exception>
    public static Optimizer AdamW(
        IEnumerable<Tensor> parameters, double learningRate = 1e-3, double beta1 = 0.9, double beta2 = 0.999, double epsilon = 1e-8, double weightDecay = 1e-2, bool amsGrad = false) =>
        AdamW([new ParameterGroup(parameters)], learningRate, beta1, beta2, epsilon, weightDecay, amsGrad);

    /// <summary><c>torch.optim.AdamW</c>: Adam with weight decay apart from the gradient.</summary>
    /// <param name="groups">Groups of parameters; what a group does not set itself, it has from the arguments that follow.</param>
    /// <param name="learningRate">The learning rate η.</param>
    /// <param name="beta1">β₁, the rate of the running mean of gradients.</param>
    /// <param name="beta2">β₂, the rate of the running mean of squares.</param>
    /// <param name="epsilon">ε.</param>
    /// <param name="weightDecay">The decoupled weight decay λ.</param>
    /// <param name="amsGrad">Whether to divide by the largest mean square so far.</param>
    /// <exception cref="ArgumentException">There is no parameter, a group or a parameter is null, or a parameter is given twice, asks for no gradient or is the result of an operation.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A constant is out of its range.</exception>
    public static Optimizer AdamW(
        IEnumerable<ParameterGroup> groups, double learningRate = 1e-3, double beta1 = 0.9, double beta2 = 0.999, double epsilon = 1e-8, double weightDecay = 1e-2, bool amsGrad = false) =>
        new AdamW(groups, learningRate, beta1, beta2, epsilon, weightDecay, amsGrad);

    /// <summary><c>torch.optim.RMSprop</c>: ε is added outside the root.</summary>
    /// <param name="parameters">The parameters, as model.Parameters.</param>
    /// <param name="learningRate">The learning rate η.</param>
    /// <param name="alpha">α, the rate of the running mean.</param>
    /// <param name="epsilon">ε.</param>
    /// <param name="weightDecay">The weight decay λ, added to the gradient as λ · p.</param>
    /// <param name="momentum">μ; 0 for none.</param>
    /// <param name="centered">Whether to divide by the standard deviation, the mean taken out.</param>
    /// <exception cref="ArgumentException">There is no parameter, or one is null, is given twice, asks for no gradient or is the result of an operation.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A constant is out of its range.</exception>
    public static Optimizer RmsProp(
        IEnumerable<Tensor> parameters, double learningRate = 1e-2, double alpha = 0.99, double epsilon = 1e-8, double weightDecay = 0, double momentum = 0, bool centered = false) =>
        RmsProp([new ParameterGroup(parameters)], learningRate, alpha, epsilon, weightDecay, momentum, centered);

    /// <summary><c>torch.optim.RMSprop</c>: ε is added outside the root.</summary>
    /// <param name="groups">Groups of parameters; what a group does not set itself, it has from the arguments that follow.</param>
    /// <param name="learningRate">The learning rate η.</param>
    /// <param name="alpha">α, the rate of the running mean.</param>
    /// <param name="epsilon">ε.</param>
    /// <param name="weightDecay">The weight decay λ, added to the gradient as λ · p.</param>
    /// <param name="momentum">μ; 0 for none.</param>
    /// <param name="centered">Whether to divide by the standard deviation, the mean taken out.</param>
    /// <exception cref="ArgumentException">There is no parameter, a group or a parameter is null, or a parameter is given twice, asks for no gradient or is the result of an operation.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A constant is out of its range.</exception>
    public static Optimizer RmsProp(
        IEnumerable<ParameterGroup> groups, double learningRate = 1e-2, double alpha = 0.99, double epsilon = 1e-8, double weightDecay = 0, double momentum = 0, bool centered = false) =>
        new RmsProp(groups, learningRate, alpha, epsilon, weightDecay, momentum, centered);

    /// <summary><c>torch.optim.Adagrad</c>: the sum starts at 0, ε is added outside the root.</summary>
    /// <param name="parameters">The parameters, as model.Parameters.</param>
    /// <param name="learningRate">The learning rate η.</param>
    /// <param name="learningRateDecay">δ: the learning rate of step t is η / (1 + (t − 1) · δ).</param>
    /// <param name="weightDecay">The weight decay λ, added to the gradient as λ · p.</param>
    /// <param name="initialAccumulator">What the sum starts at.</param>
    /// <param name="epsilon">ε.</param>
    /// <exception cref="ArgumentException">There is no parameter, or one is null, is given twice, asks for no gradient or is the result of an operation.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A constant is out of its range.</exception>
    public static Optimizer Adagrad(
        IEnumerable<Tensor> parameters, double learningRate = 1e-2, double learningRateDecay = 0, double weightDecay = 0, double initialAccumulator = 0, double epsilon = 1e-10) =>
        Adagrad([new ParameterGroup(parameters)], learningRate, learningRateDecay, weightDecay, initialAccumulator, epsilon);

    /// <summary><c>torch.optim.Adagrad</c>: the sum starts at 0, ε is added outside the root.</summary>
    /// <param name="groups">Groups of parameters; what a group does not set itself, it has from the arguments that follow.</param>
    /// <param name="learningRate">The learning rate η.</param>
    /// <param name="learningRateDecay">δ: the learning rate of step t is η / (1 + (t − 1) · δ).</param>
    /// <param name="weightDecay">The weight decay λ, added to the gradient as λ · p.</param>
    /// <param name="initialAccumulator">What the sum starts at.</param>
    /// <param name="epsilon">ε.</param>
    /// <exception cref="ArgumentException">There is no parameter, a group or a parameter is null, or a parameter is given twice, asks for no gradient or is the result of an operation.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A constant is out of its range.</exception>
    public static Optimizer Adagrad(
        IEnumerable<ParameterGroup> groups, double learningRate = 1e-2, double learningRateDecay = 0, double weightDecay = 0, double initialAccumulator = 0, double epsilon = 1e-10) =>
        new Adagrad(groups, learningRate, learningRateDecay, weightDecay, initialAccumulator, epsilon);

    /// <summary><c>torch.optim.Adadelta</c>.</summary>
    /// <param name="parameters">The parameters, as model.Parameters.</param>
    /// <param name="learningRate">The learning rate η.</param>
    /// <param name="rho">ρ, the rate of the running mean.</param>
    /// <param name="epsilon">ε.</param>
    /// <param name="weightDecay">The weight decay λ, added to the gradient as λ · p.</param>
    /// <exception cref="ArgumentException">There is no parameter, or one is null, is given twice, asks for no gradient or is the result of an operation.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A constant is out of its range.</exception>
    public static Optimizer Adadelta(
        IEnumerable<Tensor> parameters, double learningRate = 1, double rho = 0.9, double epsilon = 1e-6, double weightDecay = 0) =>
        Adadelta([new ParameterGroup(parameters)], learningRate, rho, epsilon, weightDecay);

    /// <summary><c>torch.optim.Adadelta</c>.</summary>
    /// <param name="groups">Groups of parameters; what a group does not set itself, it has from the arguments that follow.</param>
    /// <param name="learningRate">The learning rate η.</param>
    /// <param name="rho">ρ, the rate of the running mean.</param>
    /// <param name="epsilon">ε.</param>
    /// <param name="weightDecay">The weight decay λ, added to the gradient as λ · p.</param>
    /// <exception cref="ArgumentException">There is no parameter, a group or a parameter is null, or a parameter is given twice, asks for no gradient or is the result of an operation.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A constant is out of its range.</exception>
    public static Optimizer Adadelta(
        IEnumerable<ParameterGroup> groups, double learningRate = 1, double rho = 0.9, double epsilon = 1e-6, double weightDecay = 0) =>
        new Adadelta(groups, learningRate, rho, epsilon, weightDecay);

    /// <summary><c>torch.optim.Adamax</c>: ε is added to the gradient's magnitude.</summary>
    /// <param name="parameters">The parameters, as model.Parameters.</param>
    /// <param name="learningRate">The learning rate η.</param>
    /// <param name="beta1">β₁, the rate of the running mean of gradients.</param>
    /// <param name="beta2">β₂, the rate of the running mean of squares.</param>
    /// <param name="epsilon">ε.</param>
    /// <param name="weightDecay">The weight decay λ, added to the gradient as λ · p.</param>
    /// <exception cref="ArgumentException">There is no parameter, or one is null, is given twice, asks for no gradient or is the result of an operation.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A constant is out of its range.</exception>
    public static Optimizer Adamax(
        IEnumerable<Tensor> parameters, double learningRate = 2e-3, double beta1 = 0.9, double beta2 = 0.999, double epsilon = 1e-8, double weightDecay = 0) =>
        Adamax([new ParameterGroup(parameters)], learningRate, beta1, beta2, epsilon, weightDecay);

    /// <summary><c>torch.optim.Adamax</c>: ε is added to the gradient's magnitude.</summary>
    /// <param name="groups">Groups of parameters; what a group does not set itself, it has from the arguments that follow.</param>
    /// <param name="learningRate">The learning rate η.</param>
    /// <param name="beta1">β₁, the rate of the running mean of gradients.</param>
    /// <param name="beta2">β₂, the rate of the running mean of squares.</param>
    /// <param name="epsilon">ε.</param>
    /// <param name="weightDecay">The weight decay λ, added to the gradient as λ · p.</param>
    /// <exception cref="ArgumentException">There is no parameter, a group or a parameter is null, or a parameter is given twice, asks for no gradient or is the result of an operation.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A constant is out of its range.</exception>
    public static Optimizer Adamax(
        IEnumerable<ParameterGroup> groups, double learningRate = 2e-3, double beta1 = 0.9, double beta2 = 0.999, double epsilon = 1e-8, double weightDecay = 0) =>
        new Adamax(groups, learningRate, beta1, beta2, epsilon, weightDecay);

    /// <summary><c>torch.optim.NAdam</c>.</summary>
    /// <param name="parameters">The parameters, as model.Parameters.</param>
    /// <param name="learningRate">The learning rate η.</param>
    /// <param name="beta1">β₁, the rate of the running mean of gradients.</param>
    /// <param name="beta2">β₂, the rate of the running mean of squares.</param>
    /// <param name="epsilon">ε.</param>
    /// <param name="weightDecay">The weight decay λ, added to the gradient as λ · p.</param>
    /// <param name="momentumDecay">ψ, how fast the momentum grows.</param>
    /// <exception cref="ArgumentException">There is no parameter, or one is null, is given twice, asks for no gradient or is the result of an operation.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A constant is out of its range.</exception>
    public static Optimizer NAdam(
        IEnumerable<Tensor> parameters, double learningRate = 2e-3, double beta1 = 0.9, double beta2 = 0.999, double epsilon = 1e-8, double weightDecay = 0, double momentumDecay = 4e-3) =>
        NAdam([new ParameterGroup(parameters)], learningRate, beta1, beta2, epsilon, weightDecay, momentumDecay);

    /// <summary><c>torch.optim.NAdam</c>.</summary>
    /// <param name="groups">Groups of parameters; what a group does not set itself, it has from the arguments that follow.</param>
    /// <param name="learningRate">The learning rate η.</param>
    /// <param name="beta1">β₁, the rate of the running mean of gradients.</param>
    /// <param name="beta2">β₂, the rate of the running mean of squares.</param>
    /// <param name="epsilon">ε.</param>
    /// <param name="weightDecay">The weight decay λ, added to the gradient as λ · p.</param>
    /// <param name="momentumDecay">ψ, how fast the momentum grows.</param>
    /// <exception cref="ArgumentException">There is no parameter, a group or a parameter is null, or a parameter is given twice, asks for no gradient or is the result of an operation.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A constant is out of its range.</exception>
    public static Optimizer NAdam(
        IEnumerable<ParameterGroup> groups, double learningRate = 2e-3, double beta1 = 0.9, double beta2 = 0.999, double epsilon = 1e-8, double weightDecay = 0, double momentumDecay = 4e-3) =>
        new NAdam(groups, learningRate, beta1, beta2, epsilon, weightDecay, momentumDecay);

    /// <summary><c>torch.optim.RAdam</c>.</summary>
    /// <param name="parameters">The parameters, as model.Parameters.</param>
    /// <param name="learningRate">The learning rate η.</param>
    /// <param name="beta1">β₁, the rate of the running mean of gradients.</param>
    /// <param name="beta2">β₂, the rate of the running mean of squares.</param>
    /// <param name="epsilon">ε.</param>
    /// <param name="weightDecay">The weight decay λ, added to the gradient as λ · p.</param>
    /// <exception cref="ArgumentException">There is no parameter, or one is null, is given twice, asks for no gradient or is the result of an operation.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A constant is out of its range.</exception>
    public static Optimizer RAdam(
        IEnumerable<Tensor> parameters, double learningRate = 1e-3, double beta1 = 0.9, double beta2 = 0.999, double epsilon = 1e-8, double weightDecay = 0) =>
        RAdam([new ParameterGroup(parameters)], learningRate, beta1, beta2, epsilon, weightDecay);

    /// <summary><c>torch.optim.RAdam</c>.</summary>
    /// <param name="groups">Groups of parameters; what a group does not set itself, it has from the arguments that follow.</param>
    /// <param name="learningRate">The learning rate η.</param>
    /// <param name="beta1">β₁, the rate of the running mean of gradients.</param>
    /// <param name="beta2">β₂, the rate of the running mean of squares.</param>
    /// <param name="epsilon">ε.</param>
    /// <param name="weightDecay">The weight decay λ, added to the gradient as λ · p.</param>
    /// <exception cref="ArgumentException">There is no parameter, a group or a parameter is null, or a parameter is given twice, asks for no gradient or is the result of an operation.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A constant is out of its range.</exception>
    public static Optimizer RAdam(
        IEnumerable<ParameterGroup> groups, double learningRate = 1e-3, double beta1 = 0.9, double beta2 = 0.999, double epsilon = 1e-8, double weightDecay = 0) =>
        new RAdam(groups, learningRate, beta1, beta2, epsilon, weightDecay);
}
