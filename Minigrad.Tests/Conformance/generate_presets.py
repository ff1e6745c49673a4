#!/usr/bin/env python3
"""Writes the cases of the presets LikePyTorch and LikeKeras (kind `preset`): parameters after every step.

PyTorch's are what PyTorch computes. Keras's are computed here, in float64, from the formulas that Keras 3 documents for its
optimizers and its three ways of clipping. Most gradients are small, so that it shows where an epsilon stands, and the
learning rate changes on the way, so that it shows what momentum contains.

Needs what generate.py needs.
"""
import math

import torch

from generate import Cases, exact, number, tensor, values

SHAPES = [(3, 4), (5,), ()]
STEPS = 6
TORCH_CLIPS = {None: None, "clip_grad_norm": torch.nn.utils.clip_grad_norm_, "clip_grad_value": torch.nn.utils.clip_grad_value_}


def rates(first):
    """The rate halves after half of the steps."""
    return [first if step < STEPS // 2 else first / 2 for step in range(STEPS)]


def add(cases, library, name, attrs, first, clip, params, grads, expected):
    cases.add(f"{library}-{name}", "preset", library=library, optimizer=name, attrs=attrs, rates=rates(first),
              clip=clip and {k: number(v) for k, v in clip.items()}, params=[tensor(p) for p in params], grads=[[tensor(g) for g in step] for step in grads], expected=expected)


def draw(cases, scale):
    """Small parameters, so that it is their changes that are compared."""
    params = [cases.normal(*s, scale=2.0 ** -10) for s in SHAPES]
    return params, [[cases.normal(*s, scale=scale) for s in SHAPES] for _ in range(STEPS)]


# PyTorch itself.

TORCH = {
    "sgd": (torch.optim.SGD, 1e-3, [{}, {"momentum": 0.9}, {"momentum": 0.5, "dampening": 0.25, "weight_decay": 0.1}, {"momentum": 0.9, "nesterov": True}]),
    "adam": (torch.optim.Adam, 1e-3, [{}, {"betas": [0.8, 0.9], "eps": 1e-6}, {"amsgrad": True, "weight_decay": 0.1}]),
    "adamw": (torch.optim.AdamW, 1e-3, [{}, {"weight_decay": 0.5, "amsgrad": True}]),
    "rmsprop": (torch.optim.RMSprop, 1e-2, [{}, {"alpha": 0.9, "momentum": 0.5}, {"centered": True, "eps": 1e-6}]),
    "adagrad": (torch.optim.Adagrad, 1e-2, [{}, {"lr_decay": 0.1, "initial_accumulator_value": 0.1}]),
    "adadelta": (torch.optim.Adadelta, 1.0, [{}, {"rho": 0.8, "weight_decay": 0.1}]),
    "adamax": (torch.optim.Adamax, 2e-3, [{}, {"eps": 1e-6}]),
    "nadam": (torch.optim.NAdam, 2e-3, [{}, {"momentum_decay": 0.02}]),
    "radam": (torch.optim.RAdam, 1e-3, [{}, {"weight_decay": 0.1}]),
}


def torch_case(cases, name, attrs, clip, params, grads):
    kind, first, _ = TORCH[name]
    leaves = [p.clone().requires_grad_() for p in params]
    optimizer = kind(leaves, **{k: tuple(v) if k == "betas" else v for k, v in attrs.items()})
    expected = []
    for step, rate in zip(grads, rates(first)):
        for leaf, g in zip(leaves, step):
            leaf.grad = g.clone()
        for group in optimizer.param_groups:
            group["lr"] = rate
        if clip is not None:
            TORCH_CLIPS[clip["name"]](leaves, clip["value"], *([clip["order"]] if "order" in clip else []))
        optimizer.step()
        expected.append([tensor(leaf) for leaf in leaves])
    add(cases, "pytorch", name, attrs, first, clip, params, grads, expected)


def pytorch(cases):
    for name, (_, _, choices) in TORCH.items():
        for attrs in choices:
            for scale in (1.0, 2.0 ** -20):
                cases.next()
                torch_case(cases, name, attrs, None, *draw(cases, scale))
    # A threshold so small that PyTorch's 1e-6 shows: at 3e-6 it is a quarter of the coefficient.
    for clip in ({"name": "clip_grad_norm", "value": 1.0}, {"name": "clip_grad_norm", "value": 3e-6},
                 {"name": "clip_grad_norm", "value": 3e-6, "order": 1.0}, {"name": "clip_grad_norm", "value": 1.0, "order": math.inf},
                 {"name": "clip_grad_value", "value": 0.25}):
        cases.next()
        scale = 1.0 if clip["value"] > 1e-3 else 2.0 ** -19
        params, grads = draw(cases, scale)
        torch_case(cases, "sgd", {"momentum": 0.9}, clip, [exact(p * 2.0 ** -20) if scale < 1 else p for p in params], grads)


# Keras 3 from its formulas. A step takes parameter p, gradient g, the rate, the step's number t from 1, and a dictionary of state.

def keras_sgd(p, g, rate, t, state, momentum=0.0, nesterov=False):
    if momentum == 0:
        return p - rate * g
    state["v"] = momentum * state.get("v", 0.0) - rate * g
    return p + momentum * state["v"] - rate * g if nesterov else p + state["v"]


def keras_adam(p, g, rate, t, state, beta_1=0.9, beta_2=0.999, epsilon=1e-7, amsgrad=False):
    state["m"] = beta_1 * state.get("m", 0.0) + (1 - beta_1) * g
    state["v"] = beta_2 * state.get("v", 0.0) + (1 - beta_2) * g * g
    second = state["v"]
    if amsgrad:
        second = state["largest"] = torch.maximum(state.get("largest", torch.zeros_like(g)), second)
    alpha = rate * math.sqrt(1 - beta_2 ** t) / (1 - beta_1 ** t)
    return p - alpha * state["m"] / (torch.sqrt(second) + epsilon)


def keras_rmsprop(p, g, rate, t, state, rho=0.9, momentum=0.0, epsilon=1e-7, centered=False):
    state["v"] = rho * state.get("v", 0.0) + (1 - rho) * g * g
    variance = state["v"]
    if centered:
        state["mean"] = rho * state.get("mean", 0.0) + (1 - rho) * g
        variance = variance - state["mean"] ** 2
    state["m"] = momentum * state.get("m", 0.0) + rate * g / torch.sqrt(variance + epsilon)
    return p - state["m"]


def keras_adagrad(p, g, rate, t, state, initial_accumulator_value=0.1, epsilon=1e-7):
    state["sum"] = state.get("sum", initial_accumulator_value) + g * g
    return p - rate * g / torch.sqrt(state["sum"] + epsilon)


def keras_adadelta(p, g, rate, t, state, rho=0.95, epsilon=1e-7):
    state["v"] = rho * state.get("v", 0.0) + (1 - rho) * g * g
    delta = torch.sqrt(torch.as_tensor(state.get("moved", 0.0)) + epsilon) / torch.sqrt(state["v"] + epsilon) * g
    state["moved"] = rho * state.get("moved", 0.0) + (1 - rho) * delta * delta
    return p - rate * delta


def keras_adamax(p, g, rate, t, state, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    state["m"] = beta_1 * state.get("m", 0.0) + (1 - beta_1) * g
    state["u"] = torch.maximum(beta_2 * state.get("u", torch.zeros_like(g)), torch.abs(g))
    return p - rate / (1 - beta_1 ** t) * state["m"] / (state["u"] + epsilon)


def keras_nadam(p, g, rate, t, state, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    def momentum(step):
        return beta_1 * (1 - 0.5 * 0.96 ** step)

    product = math.prod(momentum(step) for step in range(1, t + 1))
    state["m"] = beta_1 * state.get("m", 0.0) + (1 - beta_1) * g
    state["v"] = beta_2 * state.get("v", 0.0) + (1 - beta_2) * g * g
    mean = momentum(t + 1) * state["m"] / (1 - product * momentum(t + 1)) + (1 - momentum(t)) * g / (1 - product)
    return p - rate * mean / (torch.sqrt(state["v"] / (1 - beta_2 ** t)) + epsilon)


KERAS = {
    "sgd": (keras_sgd, 0.01, None, [{}, {"momentum": 0.9}, {"momentum": 0.9, "nesterov": True}, {"momentum": 0.5, "weight_decay": 0.5}]),
    "adam": (keras_adam, 1e-3, None, [{}, {"beta_1": 0.8, "beta_2": 0.9, "epsilon": 1e-5}, {"amsgrad": True, "weight_decay": 0.5}]),
    "adamw": (keras_adam, 1e-3, 0.004, [{}, {"weight_decay": 0.5}]),
    "rmsprop": (keras_rmsprop, 1e-3, None, [{}, {"momentum": 0.9}, {"centered": True}, {"centered": True, "momentum": 0.5, "epsilon": 1e-3, "rho": 0.8, "weight_decay": 0.1}]),
    "adagrad": (keras_adagrad, 1e-3, None, [{}, {"initial_accumulator_value": 0.0, "epsilon": 1e-3, "weight_decay": 0.1}]),
    "adadelta": (keras_adadelta, 1e-3, None, [{}, {"rho": 0.8, "epsilon": 1e-4, "weight_decay": 0.1}]),
    "adamax": (keras_adamax, 1e-3, None, [{}, {"epsilon": 1e-5, "weight_decay": 0.1}]),
    "nadam": (keras_nadam, 1e-3, None, [{}, {"beta_1": 0.8, "weight_decay": 0.1}]),
}


def keras_clip(clip, grads):
    if clip is None:
        return grads
    c = clip["value"]
    if clip["name"] == "clipvalue":
        return [torch.clamp(g, -c, c) for g in grads]
    if clip["name"] == "clipnorm":
        return [g * c / max(torch.linalg.vector_norm(g).item(), c) for g in grads]
    norm = math.sqrt(sum((g * g).sum().item() for g in grads))
    return [g * c * min(1 / norm, 1 / c) for g in grads]


def keras_case(cases, name, attrs, clip, params, grads):
    step_of, first, decay, _ = KERAS[name]
    constants = {k: v for k, v in attrs.items() if k != "weight_decay"}
    decay = attrs.get("weight_decay", decay)
    current, states, expected = list(params), [{} for _ in params], []
    for t, (step, rate) in enumerate(zip(grads, rates(first)), 1):
        step = keras_clip(clip, step)
        if decay is not None:
            current = [p - p * decay * rate for p in current]
        current = [step_of(p, g, rate, t, state, **constants) for p, g, state in zip(current, step, states)]
        expected.append([tensor(p) for p in current])
    add(cases, "keras", name, attrs, first, clip, params, grads, expected)


def keras(cases):
    for name, (_, _, _, choices) in KERAS.items():
        for attrs in choices:
            for scale in (1.0, 2.0 ** -12, 2.0 ** -20):
                cases.next()
                keras_case(cases, name, attrs, None, *draw(cases, scale))
    for clip in ("clipnorm", "global_clipnorm", "clipvalue"):
        for value in (0.25, 100.0):
            cases.next()
            keras_case(cases, "sgd", {"momentum": 0.5}, {"name": clip, "value": value}, *draw(cases, 1.0))
    cases.next()
    keras_case(cases, "sgd", {}, {"name": "clipnorm", "value": 5.0}, [values(1.0, 2.0)], [[values(3.0, 4.0)]] * STEPS)


def main():
    cases = Cases("presets")
    pytorch(cases)
    keras(cases)
    cases.write()


if __name__ == "__main__":
    main()
