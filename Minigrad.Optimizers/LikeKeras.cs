using Minigrad.Optimizers.Clipping;
using Minigrad.Optimizers.Presets;

namespace Minigrad.Optimizers;

/// <summary>
/// Clipping and optimizers with the conventions and defaults of Keras 3, for whoever brings its hyper-parameters along: where ε
/// stands, what momentum contains, what sums start at. Weight decay acts apart from the gradient for all of them:
/// p ← p − η · λ · p.
/// </summary>
/// <remarks>
/// What differs in Minigrad's own and in PyTorch's: Adam adds ε = 10⁻⁸ after the correction of bias, RMSProp and Adagrad outside
/// the root, Adamax inside the maximum; momentum does not contain the learning rate; Adagrad's sum starts at 0. And what is not
/// imitated: Keras takes a threshold of 0 or below as none, here it is an error; and where a norm is not finite it makes all
/// gradients NaN, here <see cref="Optimizer.NonFinite"/> decides.
/// </remarks>
/// <example><code>var optimizer = LikeKeras.Adam(model.Parameters); optimizer.Clip = [LikeKeras.GlobalClipNorm(1)];</code></example>
public static class LikeKeras
{
    /// <summary>Keras's <c>clipnorm</c>: the norm of each parameter's gradient is at most c (<see cref="Clip.ParameterNorm"/>).</summary>
    /// <param name="clipNorm">c.</param>
    /// <exception cref="ArgumentOutOfRangeException">The threshold is 0, negative or NaN.</exception>
    public static ClipStage ClipNorm(double clipNorm) => Clip.ParameterNorm(clipNorm);

    /// <summary>Keras's <c>global_clipnorm</c>: the norm of all gradients together is at most c (<see cref="Clip.GlobalNorm"/>).</summary>
    /// <param name="globalClipNorm">c.</param>
    /// <exception cref="ArgumentOutOfRangeException">The threshold is 0, negative or NaN.</exception>
    public static ClipStage GlobalClipNorm(double globalClipNorm) => Clip.GlobalNorm(globalClipNorm);

    /// <summary>Keras's <c>clipvalue</c>: every element is clamped to ±c (<see cref="Clip.Value(Threshold)"/>).</summary>
    /// <param name="clipValue">c.</param>
    /// <exception cref="ArgumentOutOfRangeException">The bound is 0, negative or NaN.</exception>
    public static ClipStage ClipValue(double clipValue) => Clip.Value(clipValue);

    /// <summary>Gradient descent: v ← μ · v − η · g, p ← p + v.</summary>
    /// <param name="parameters">The parameters, as model.Parameters.</param>
    /// <param name="learningRate">The learning rate η.</param>
    /// <param name="momentum">μ; 0 for none.</param>
    /// <param name="nesterov">Whether to look ahead along the momentum; without momentum it changes nothing.</param>
    /// <param name="weightDecay">The weight decay λ, apart from the gradient.</param>
    /// <exception cref="ArgumentException">There is no parameter, or one is null, is given twice, asks for no gradient or is the result of an operation.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A constant is out of its range.</exception>
    public static Optimizer Sgd(
        IEnumerable<Tensor> parameters, double learningRate = 0.01, double momentum = 0, bool nesterov = false, double weightDecay = 0) =>
        Sgd([new ParameterGroup(parameters)], learningRate, momentum, nesterov, weightDecay);

    /// <summary>Gradient descent: v ← μ · v − η · g, p ← p + v.</summary>
    /// <param name="groups">Groups of parameters; what a group does not set itself, it has from the arguments that follow.</param>
    /// <param name="learningRate">The learning rate η.</param>
    /// <param name="momentum">μ; 0 for none.</param>
    /// <param name="nesterov">Whether to look ahead along the momentum; without momentum it changes nothing.</param>
    /// <param name="weightDecay">The weight decay λ, apart from the gradient.</param>
    /// <exception cref="ArgumentException">There is no parameter, a group or a parameter is null, or a parameter is given twice, asks for no gradient or is the result of an operation.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A constant is out of its range.</exception>
    public static Optimizer Sgd(
        IEnumerable<ParameterGroup> groups, double learningRate = 0.01, double momentum = 0, bool nesterov = false, double weightDecay = 0) =>
        new KerasSgd(groups, learningRate, momentum, nesterov, weightDecay);

    /// <summary>Adam: p ← p − η · √(1 − β₂ᵗ) / (1 − β₁ᵗ) · m / (√v + ε).</summary>
    /// <param name="parameters">The parameters, as model.Parameters.</param>
    /// <param name="learningRate">The learning rate η.</param>
    /// <param name="beta1">β₁, the rate of the running mean of gradients.</param>
    /// <param name="beta2">β₂, the rate of the running mean of squares.</param>
    /// <param name="epsilon">ε.</param>
    /// <param name="amsGrad">Whether to divide by the largest mean square so far.</param>
    /// <param name="weightDecay">The weight decay λ, apart from the gradient.</param>
    /// <exception cref="ArgumentException">There is no parameter, or one is null, is given twice, asks for no gradient or is the result of an operation.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A constant is out of its range.</exception>
    public static Optimizer Adam(
        IEnumerable<Tensor> parameters, double learningRate = 1e-3, double beta1 = 0.9, double beta2 = 0.999, double epsilon = 1e-7, bool amsGrad = false, double weightDecay = 0) =>
        Adam([new ParameterGroup(parameters)], learningRate, beta1, beta2, epsilon, amsGrad, weightDecay);

    /// <summary>Adam: p ← p − η · √(1 − β₂ᵗ) / (1 − β₁ᵗ) · m / (√v + ε).</summary>
    /// <param name="groups">Groups of parameters; what a group does not set itself, it has from the arguments that follow.</param>
    /// <param name="learningRate">The learning rate η.</param>
    /// <param name="beta1">β₁, the rate of the running mean of gradients.</param>
    /// <param name="beta2">β₂, the rate of the running mean of squares.</param>
    /// <param name="epsilon">ε.</param>
    /// <param name="amsGrad">Whether to divide by the largest mean square so far.</param>
    /// <param name="weightDecay">The weight decay λ, apart from the gradient.</param>
    /// <exception cref="ArgumentException">There is no parameter, a group or a parameter is null, or a parameter is given twice, asks for no gradient or is the result of an operation.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A constant is out of its range.</exception>
    public static Optimizer Adam(
        IEnumerable<ParameterGroup> groups, double learningRate = 1e-3, double beta1 = 0.9, double beta2 = 0.999, double epsilon = 1e-7, bool amsGrad = false, double weightDecay = 0) =>
        new KerasAdam(groups, learningRate, beta1, beta2, epsilon, amsGrad, weightDecay);

    /// <summary>Adam whose weights decay by default.</summary>
    /// <param name="parameters">The parameters, as model.Parameters.</param>
    /// <param name="learningRate">The learning rate η.</param>
    /// <param name="weightDecay">The weight decay λ, apart from the gradient.</param>
    /// <param name="beta1">β₁, the rate of the running mean of gradients.</param>
    /// <param name="beta2">β₂, the rate of the running mean of squares.</param>
    /// <param name="epsilon">ε.</param>
    /// <param name="amsGrad">Whether to divide by the largest mean square so far.</param>
    /// <exception cref="ArgumentException">There is no parameter, or one is null, is given twice, asks for no gradient or is the result of an operation.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A constant is out of its range.</exception>
    public static Optimizer AdamW(
        IEnumerable<Tensor> parameters, double learningRate = 1e-3, double weightDecay = 0.004, double beta1 = 0.9, double beta2 = 0.999, double epsilon = 1e-7, bool amsGrad = false) =>
        AdamW([new ParameterGroup(parameters)], learningRate, weightDecay, beta1, beta2, epsilon, amsGrad);

    /// <summary>Adam whose weights decay by default.</summary>
    /// <param name="groups">Groups of parameters; what a group does not set itself, it has from the arguments that follow.</param>
    /// <param name="learningRate">The learning rate η.</param>
    /// <param name="weightDecay">The weight decay λ, apart from the gradient.</param>
    /// <param name="beta1">β₁, the rate of the running mean of gradients.</param>
    /// <param name="beta2">β₂, the rate of the running mean of squares.</param>
    /// <param name="epsilon">ε.</param>
    /// <param name="amsGrad">Whether to divide by the largest mean square so far.</param>
    /// <exception cref="ArgumentException">There is no parameter, a group or a parameter is null, or a parameter is given twice, asks for no gradient or is the result of an operation.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A constant is out of its range.</exception>
    public static Optimizer AdamW(
        IEnumerable<ParameterGroup> groups, double learningRate = 1e-3, double weightDecay = 0.004, double beta1 = 0.9, double beta2 = 0.999, double epsilon = 1e-7, bool amsGrad = false) =>
        new KerasAdam(groups, learningRate, beta1, beta2, epsilon, amsGrad, weightDecay);

    /// <summary>RMSProp: v ← ρ · v + (1 − ρ) · g², m ← μ · m + η · g / √(v + ε), p ← p − m.</summary>
    /// <param name="parameters">The parameters, as model.Parameters.</param>
    /// <param name="learningRate">The learning rate η.</param>
    /// <param name="rho">ρ, the rate of the running mean.</param>
    /// <param name="momentum">μ; 0 for none.</param>
    /// <param name="epsilon">ε.</param>
    /// <param name="centered">Whether to divide by the standard deviation, the mean taken out.</param>
    /// <param name="weightDecay">The weight decay λ, apart from the gradient.</param>
    /// <exception cref="ArgumentException">There is no parameter, or one is null, is given twice, asks for no gradient or is the result of an operation.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A constant is out of its range.</exception>
    public static Optimizer RmsProp(
        IEnumerable<Tensor> parameters, double learningRate = 1e-3, double rho = 0.9, double momentum = 0, double epsilon = 1e-7, bool centered = false, double weightDecay = 0) =>
        RmsProp([new ParameterGroup(parameters)], learningRate, rho, momentum, epsilon, centered, weightDecay);

    /// <summary>RMSProp: v ← ρ · v + (1 − ρ) · g², m ← μ · m + η · g / √(v + ε), p ← p − m.</summary>
    /// <param name="groups">Groups of parameters; what a group does not set itself, it has from the arguments that follow.</param>
    /// <param name="learningRate">The learning rate η.</param>
    /// <param name="rho">ρ, the rate of the running mean.</param>
    /// <param name="momentum">μ; 0 for none.</param>
    /// <param name="epsilon">ε.</param>
    /// <param name="centered">Whether to divide by the standard deviation, the mean taken out.</param>
    /// <param name="weightDecay">The weight decay λ, apart from the gradient.</param>
    /// <exception cref="ArgumentException">There is no parameter, a group or a parameter is null, or a parameter is given twice, asks for no gradient or is the result of an operation.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A constant is out of its range.</exception>
    public static Optimizer RmsProp(
        IEnumerable<ParameterGroup> groups, double learningRate = 1e-3, double rho = 0.9, double momentum = 0, double epsilon = 1e-7, bool centered = false, double weightDecay = 0) =>
        new KerasRmsProp(groups, learningRate, rho, momentum, epsilon, centered, weightDecay);

    /// <summary>Adagrad: s ← s + g², p ← p − η · g / √(s + ε).</summary>
    /// <param name="parameters">The parameters, as model.Parameters.</param>
    /// <param name="learningRate">The learning rate η.</param>
    /// <param name="initialAccumulator">What the sum starts at.</param>
    /// <param name="epsilon">ε.</param>
    /// <param name="weightDecay">The weight decay λ, apart from the gradient.</param>
    /// <exception cref="ArgumentException">There is no parameter, or one is null, is given twice, asks for no gradient or is the result of an operation.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A constant is out of its range.</exception>
    public static Optimizer Adagrad(
        IEnumerable<Tensor> parameters, double learningRate = 1e-3, double initialAccumulator = 0.1, double epsilon = 1e-7, double weightDecay = 0) =>
        Adagrad([new ParameterGroup(parameters)], learningRate, initialAccumulator, epsilon, weightDecay);

    /// <summary>Adagrad: s ← s + g², p ← p − η · g / √(s + ε).</summary>
    /// <param name="groups">Groups of parameters; what a group does not set itself, it has from the arguments that follow.</param>
    /// <param name="learningRate">The learning rate η.</param>
    /// <param name="initialAccumulator">What the sum starts at.</param>
    /// <param name="epsilon">ε.</param>
    /// <param name="weightDecay">The weight decay λ, apart from the gradient.</param>
    /// <exception cref="ArgumentException">There is no parameter, a group or a parameter is null, or a parameter is given twice, asks for no gradient or is the result of an operation.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A constant is out of its range.</exception>
    public static Optimizer Adagrad(
        IEnumerable<ParameterGroup> groups, double learningRate = 1e-3, double initialAccumulator = 0.1, double epsilon = 1e-7, double weightDecay = 0) =>
        new KerasAdagrad(groups, learningRate, initialAccumulator, epsilon, weightDecay);

    /// <summary>Adadelta: the formula of Minigrad's own, with Keras's defaults.</summary>
    /// <param name="parameters">The parameters, as model.Parameters.</param>
    /// <param name="learningRate">The learning rate η.</param>
    /// <param name="rho">ρ, the rate of the running mean.</param>
    /// <param name="epsilon">ε.</param>
    /// <param name="weightDecay">The weight decay λ, apart from the gradient.</param>
    /// <exception cref="ArgumentException">There is no parameter, or one is null, is given twice, asks for no gradient or is the result of an operation.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A constant is out of its range.</exception>
    public static Optimizer Adadelta(
        IEnumerable<Tensor> parameters, double learningRate = 1e-3, double rho = 0.95, double epsilon = 1e-7, double weightDecay = 0) =>
        Adadelta([new ParameterGroup(parameters)], learningRate, rho, epsilon, weightDecay);

    /// <summary>Adadelta: the formula of Minigrad's own, with Keras's defaults.</summary>
    /// <param name="groups">Groups of parameters; what a group does not set itself, it has from the arguments that follow.</param>
    /// <param name="learningRate">The learning rate η.</param>
    /// <param name="rho">ρ, the rate of the running mean.</param>
    /// <param name="epsilon">ε.</param>
    /// <param name="weightDecay">The weight decay λ, apart from the gradient.</param>
    /// <exception cref="ArgumentException">There is no parameter, a group or a parameter is null, or a parameter is given twice, asks for no gradient or is the result of an operation.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A constant is out of its range.</exception>
    public static Optimizer Adadelta(
        IEnumerable<ParameterGroup> groups, double learningRate = 1e-3, double rho = 0.95, double epsilon = 1e-7, double weightDecay = 0) =>
        new KerasAdadelta(groups, learningRate, rho, epsilon, weightDecay);

    /// <summary>Adamax: u ← max(β₂ · u, |g|), p ← p − η / (1 − β₁ᵗ) · m / (u + ε).</summary>
    /// <param name="parameters">The parameters, as model.Parameters.</param>
    /// <param name="learningRate">The learning rate η.</param>
    /// <param name="beta1">β₁, the rate of the running mean of gradients.</param>
    /// <param name="beta2">β₂, the rate of the running mean of squares.</param>
    /// <param name="epsilon">ε.</param>
    /// <param name="weightDecay">The weight decay λ, apart from the gradient.</param>
    /// <exception cref="ArgumentException">There is no parameter, or one is null, is given twice, asks for no gradient or is the result of an operation.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A constant is out of its range.</exception>
    public static Optimizer Adamax(
        IEnumerable<Tensor> parameters, double learningRate = 1e-3, double beta1 = 0.9, double beta2 = 0.999, double epsilon = 1e-7, double weightDecay = 0) =>
        Adamax([new ParameterGroup(parameters)], learningRate, beta1, beta2, epsilon, weightDecay);

    /// <summary>Adamax: u ← max(β₂ · u, |g|), p ← p − η / (1 − β₁ᵗ) · m / (u + ε).</summary>
    /// <param name="groups">Groups of parameters; what a group does not set itself, it has from the arguments that follow.</param>
    /// <param name="learningRate">The learning rate η.</param>
    /// <param name="beta1">β₁, the rate of the running mean of gradients.</param>
    /// <param name="beta2">β₂, the rate of the running mean of squares.</param>
    /// <param name="epsilon">ε.</param>
    /// <param name="weightDecay">The weight decay λ, apart from the gradient.</param>
    /// <exception cref="ArgumentException">There is no parameter, a group or a parameter is null, or a parameter is given twice, asks for no gradient or is the result of an operation.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A constant is out of its range.</exception>
    public static Optimizer Adamax(
        IEnumerable<ParameterGroup> groups, double learningRate = 1e-3, double beta1 = 0.9, double beta2 = 0.999, double epsilon = 1e-7, double weightDecay = 0) =>
        new KerasAdamax(groups, learningRate, beta1, beta2, epsilon, weightDecay);

    /// <summary>Nadam: Adam with Nesterov momentum whose rates approach β₁ with 0.96ᵗ.</summary>
    /// <param name="parameters">The parameters, as model.Parameters.</param>
    /// <param name="learningRate">The learning rate η.</param>
    /// <param name="beta1">β₁, the rate of the running mean of gradients.</param>
    /// <param name="beta2">β₂, the rate of the running mean of squares.</param>
    /// <param name="epsilon">ε.</param>
    /// <param name="weightDecay">The weight decay λ, apart from the gradient.</param>
    /// <exception cref="ArgumentException">There is no parameter, or one is null, is given twice, asks for no gradient or is the result of an operation.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A constant is out of its range.</exception>
    public static Optimizer Nadam(
        IEnumerable<Tensor> parameters, double learningRate = 1e-3, double beta1 = 0.9, double beta2 = 0.999, double epsilon = 1e-7, double weightDecay = 0) =>
        Nadam([new ParameterGroup(parameters)], learningRate, beta1, beta2, epsilon, weightDecay);

    /// <summary>Nadam: Adam with Nesterov momentum whose rates approach β₁ with 0.96ᵗ.</summary>
    /// <param name="groups">Groups of parameters; what a group does not set itself, it has from the arguments that follow.</param>
    /// <param name="learningRate">The learning rate η.</param>
    /// <param name="beta1">β₁, the rate of the running mean of gradients.</param>
    /// <param name="beta2">β₂, the rate of the running mean of squares.</param>
    /// <param name="epsilon">ε.</param>
    /// <param name="weightDecay">The weight decay λ, apart from the gradient.</param>
    /// <exception cref="ArgumentException">There is no parameter, a group or a parameter is null, or a parameter is given twice, asks for no gradient or is the result of an operation.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A constant is out of its range.</exception>
    public static Optimizer Nadam(
        IEnumerable<ParameterGroup> groups, double learningRate = 1e-3, double beta1 = 0.9, double beta2 = 0.999, double epsilon = 1e-7, double weightDecay = 0) =>
        new KerasNadam(groups, learningRate, beta1, beta2, epsilon, weightDecay);
}
