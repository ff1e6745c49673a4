#!/usr/bin/env python3
"""Writes the project's own conformance cases: what PyTorch computes, in float64, for the operations Minigrad has.

Needs Debian 13's python3-torch (PyTorch 2.6). The output is the same on every run: every case has a generator of its own,
seeded by its place. Inputs are rounded to float32 first, so that reading them as float32 loses nothing.
"""
import gzip
import itertools
import json
import math
import pathlib

import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
SEED = 7
TARGET = pathlib.Path(__file__).parent / "cases"
INF = float("inf")
NAN = float("nan")


# Tensors and files.

def number(value):
    if isinstance(value, float) and not math.isfinite(value):
        return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"
    # Nine digits hold any float32 exactly, and a reference far beyond every tolerance.
    return float(f"{value:.9g}") if isinstance(value, float) else value


def tensor(value):
    if value is None:
        return None
    result = {"shape": list(value.shape), "data": [number(x) for x in value.detach().reshape(-1).tolist()]}
    if value.dtype in (torch.int64, torch.bool):
        result["dtype"] = str(value.dtype).removeprefix("torch.")
    return result


class Cases:
    """The cases of one file; each draws from a generator seeded by its number."""

    def __init__(self, name):
        self.name = name
        self.cases = []
        self.generator = torch.Generator()

    def next(self):
        self.generator.manual_seed(SEED * 100_003 + len(self.cases))

    def normal(self, *shape, scale=1.0):
        return (scale * torch.randn(shape, generator=self.generator)).float().double()

    def uniform(self, *shape, low=0.0, high=1.0):
        return (low + (high - low) * torch.rand(shape, generator=self.generator)).float().double()

    def integers(self, *shape, high):
        return torch.randint(0, high, shape, generator=self.generator)

    def distinct(self, *shape):
        """Numbers without ties, for maxima."""
        count = math.prod(shape)
        order = torch.randperm(max(count, 1), generator=self.generator)[:count].double()
        return ((order - count / 2) / 8).reshape(shape)

    def add(self, label, kind, **fields):
        self.cases.append({"id": f"{label}-{len(self.cases)}", "kind": kind, **fields})

    def write(self):
        TARGET.mkdir(exist_ok=True)
        document = {"source": f"PyTorch {torch.__version__}", "seed": SEED, "cases": self.cases}
        text = json.dumps(document, separators=(",", ":"), allow_nan=False)
        path = TARGET / f"{self.name}.json.gz"
        path.write_bytes(gzip.compress(text.encode(), compresslevel=9, mtime=0))
        print(f"{self.name}: {len(self.cases)} cases, {path.stat().st_size} bytes")


# Operations.

UNARY = {
    "neg": lambda x: -x, "abs": torch.abs, "exp": torch.exp, "log": torch.log, "log1p": torch.log1p,
    "sqrt": torch.sqrt, "rsqrt": torch.rsqrt, "reciprocal": torch.reciprocal, "square": torch.square,
    "sin": torch.sin, "cos": torch.cos, "tanh": torch.tanh, "sigmoid": torch.sigmoid, "relu": torch.relu, "silu": F.silu,
}
POSITIVE = {"log", "sqrt", "rsqrt", "log1p"}
BINARY = {
    "add": torch.add, "sub": torch.sub, "mul": torch.mul, "div": torch.div, "pow": torch.pow,
    "maximum": torch.maximum, "minimum": torch.minimum,
}
WITH_ATTRIBUTES = {
    "leaky_relu": (lambda x, negative_slope=0.01: F.leaky_relu(x, negative_slope), [{}, {"negative_slope": 0.2}]),
    "elu": (lambda x, alpha=1.0: F.elu(x, alpha), [{}, {"alpha": 0.5}]),
    "gelu": (lambda x, approximate="none": F.gelu(x, approximate=approximate), [{}, {"approximate": "none"}, {"approximate": "tanh"}]),
    "softplus": (lambda x, beta=1.0, threshold=20.0: F.softplus(x, beta, threshold), [{}, {"beta": 2.0}, {"beta": 3.0, "threshold": 2.0}]),
    "clamp": (lambda x, min=None, max=None: torch.clamp(x, min, max), [{"min": -0.5}, {"max": 0.5}, {"min": -0.5, "max": 0.75}]),
    "pow_scalar": (lambda x, exponent: torch.pow(x, exponent), [{"exponent": e} for e in (2.0, 3.0, -1.0, 0.0, 1.0, -2.0)]),
}
SHAPES = [(), (1,), (5,), (0,), (0, 3), (3, 4), (17,), (2, 3, 4), (2, 3, 4, 5), (33, 18), (130,)]
BROADCASTS = [((), ()), ((3, 4), ()), ((), (3, 4)), ((3, 4), (4,)), ((3, 4), (3, 1)), ((3, 1), (1, 4)), ((2, 3, 4), (3, 1)),
              ((2, 1, 4), (3, 1)), ((2, 3, 4, 5), (1, 3, 1, 5)), ((0, 4), (4,)), ((17, 33), (33,)), ((1,), (6,)),
              ((5, 1, 7), (1, 6, 1)), ((2, 3, 4), (2, 1, 4))]


def run(cases, label, op, function, attrs, inputs, differentiable=None):
    """Adds a case: the output, and the gradients of the inputs for a random gradient of the output."""
    differentiable = differentiable or [x.is_floating_point() for x in inputs]
    inputs = [x.clone().requires_grad_(d) if d else x for x, d in zip(inputs, differentiable)]
    output = function(*inputs)
    gradient = cases.normal(*output.shape)
    wanted = [x for x, d in zip(inputs, differentiable) if d]
    found = iter(torch.autograd.grad(output, wanted, gradient, allow_unused=True))
    grads = [next(found) if d else None for d in differentiable]
    grads = [torch.zeros_like(x) if g is None and d else g for x, g, d in zip(inputs, grads, differentiable)]
    cases.add(label, "op", op=op, attrs=attrs, inputs=[tensor(x) for x in inputs], output=tensor(output),
              grad_output=tensor(gradient), grads=[tensor(g) for g in grads])


def elementwise(cases):
    for (op, function), shape in itertools.product(UNARY.items(), SHAPES):
        cases.next()
        x = cases.uniform(*shape, low=0.3, high=3.0) if op in POSITIVE else cases.normal(*shape)
        if op == "reciprocal":
            x = torch.sign(x) * (x.abs() + 0.25)
        run(cases, op, op, function, {}, [x])
    for op, (function, choices) in WITH_ATTRIBUTES.items():
        for attrs, shape in itertools.product(choices, [(), (7,), (3, 5), (0, 2), (40, 9)]):
            cases.next()
            x = cases.normal(*shape, scale=2.0)
            if op == "pow_scalar" and attrs["exponent"] < 0:
                x = torch.sign(x) * (x.abs() + 0.25)
            run(cases, op, op, lambda t: function(t, **attrs), attrs, [x])
    for exponent in (0.5, 2.5, -1.5):
        cases.next()
        attrs = {"exponent": exponent}
        run(cases, "pow_scalar", "pow_scalar", lambda t: torch.pow(t, exponent), attrs, [cases.uniform(6, 5, low=0.2, high=4.0)])
    for (op, function), (a, b) in itertools.product(BINARY.items(), BROADCASTS):
        cases.next()
        first, second = cases.normal(*a), cases.normal(*b)
        if op == "pow":
            first = cases.uniform(*a, low=0.2, high=3.0)
        if op == "div":
            second = torch.sign(second) * (second.abs() + 0.25)
        run(cases, op, op, function, {}, [first, second])


def special_values(cases):
    """NaN, infinities, signed zeros, ties and kinks, with PyTorch's conventions."""
    edges = torch.tensor([0.0, -0.0, 1.0, -1.0, 100.0, -100.0, 1e4, -1e4, INF, -INF, NAN, 0.5, -0.5, 20.0, -20.0, 88.0])
    finite = edges[torch.isfinite(edges)]
    kinks = {"abs": finite, "relu": edges, "sigmoid": edges, "tanh": edges, "silu": finite, "exp": edges[edges != 100.0],
             "neg": edges, "square": edges, "reciprocal": finite[finite != 0], "sqrt": torch.tensor([0.0, 4.0, INF, 1e-30]),
             "log": torch.tensor([0.5, INF, 1e30, 1e-30, 1.0]), "log1p": torch.tensor([1e-7, -1e-7, INF, 1e30, 0.0])}
    for op, x in kinks.items():
        cases.next()
        run(cases, f"{op}-special", op, UNARY[op], {}, [x])
    for op in ("leaky_relu", "elu", "softplus"):
        cases.next()
        x = edges if op == "leaky_relu" else finite
        run(cases, f"{op}-special", op, WITH_ATTRIBUTES[op][0], {}, [x])
    for attrs in WITH_ATTRIBUTES["gelu"][1]:
        cases.next()
        run(cases, "gelu-special", "gelu", lambda t: WITH_ATTRIBUTES["gelu"][0](t, **attrs), attrs, [finite])
    for attrs in ({"min": -0.5, "max": 0.5}, {"min": 0.0}, {"max": 1.0}):
        cases.next()
        run(cases, "clamp-special", "clamp", lambda t: WITH_ATTRIBUTES["clamp"][0](t, **attrs), attrs, [edges])
    for exponent in (0.0, 1.0, 2.0, 3.0):
        cases.next()
        run(cases, "pow_scalar-special", "pow_scalar", lambda t: torch.pow(t, exponent), {"exponent": exponent},
            [torch.tensor([0.0, -1.0, -2.0, 3.0, -0.5])])
    for op in ("maximum", "minimum", "add", "mul"):
        cases.next()
        a = torch.tensor([1.0, 2.0, 3.0, NAN, 1.0, INF, -INF, 0.0])
        b = torch.tensor([1.0, 3.0, 2.0, 1.0, NAN, 1.0, 2.0, -0.0])
        run(cases, f"{op}-special", op, BINARY[op], {}, [a, b])
    for op in ("softmax", "log_softmax", "logsumexp"):
        for x in (torch.tensor([[1e4, 0.0, -1e4], [100.0, 100.0, 99.0], [-1e4, -1e4, -1e4 + 1]]),
                  torch.tensor([[-INF, 0.0, 1.0], [2.0, -INF, -INF], [0.0, 0.0, 0.0]])):
            cases.next()
            if op == "logsumexp":
                run(cases, f"{op}-special", op, lambda t: torch.logsumexp(t, [1]), {"dim": [1]}, [x])
            else:
                run(cases, f"{op}-special", op, lambda t: getattr(torch, op)(t, 1), {"dim": 1}, [x])


def reductions(cases):
    dims = [((5,), [0]), ((3, 4), [0]), ((3, 4), [-1]), ((3, 4), None), ((2, 3, 4), [0, 2]), ((2, 3, 4), [1]),
            ((2, 3, 4, 5), [1, -1]), ((2, 3, 4, 5), [0, 1]), ((33, 18), [0]), ((18, 33), [1]), ((1, 7), [0]), ((), None), ((130, 3), [0])]
    for op, (shape, dim), keepdim in itertools.product(("sum", "mean", "var", "norm", "logsumexp"), dims, (False, True)):
        variants = {"var": [{"unbiased": True}, {"unbiased": False}], "norm": [{"p": p} for p in (1.0, 2.0, 3.0, INF)]}.get(op, [{}])
        for extra in variants:
            if dim is None and keepdim or op == "logsumexp" and dim is None:
                continue
            if op == "var" and math.prod(shape[d] for d in (dim or range(len(shape)))) < 2:
                continue
            if op == "norm" and extra["p"] in (1.0, 3.0) and keepdim:
                continue
            cases.next()
            attrs = {"dim": dim, "keepdim": keepdim, **{k: number(v) for k, v in extra.items()}}
            function = {
                "sum": lambda t: torch.sum(t, dim, keepdim) if dim else torch.sum(t),
                "mean": lambda t: torch.mean(t, dim, keepdim) if dim else torch.mean(t),
                "var": lambda t: torch.var(t, dim, keepdim=keepdim, **extra),
                "norm": lambda t: torch.linalg.vector_norm(t, extra["p"], dim, keepdim),
                "logsumexp": lambda t: torch.logsumexp(t, dim, keepdim),
            }[op]
            x = cases.distinct(*shape) if op == "norm" else cases.normal(*shape)
            run(cases, op, op, function, attrs, [x + 0.05 if op == "norm" else x])
    for p in (1.0, 2.0, 3.0, INF):
        cases.next()
        x = torch.tensor([[0.0, 0.0, 0.0], [3.0, -4.0, 0.0]])
        run(cases, "norm-special", "norm", lambda t: torch.linalg.vector_norm(t, p, [1]), {"dim": [1], "keepdim": False, "p": number(p)}, [x])
    for op, shape, dim, keepdim in [("sum", (0, 3), [0], False), ("sum", (0,), None, False), ("mean", (0,), None, False),
                                    ("sum", (3, 0), [1], True), ("norm", (0, 3), [0], False)]:
        cases.next()
        function = {"sum": lambda t: torch.sum(t, dim, keepdim) if dim else torch.sum(t), "mean": torch.mean,
                    "norm": lambda t: torch.linalg.vector_norm(t, 2.0, dim, keepdim)}[op]
        attrs = {"dim": dim, "keepdim": keepdim} | ({"p": 2.0} if op == "norm" else {})
        run(cases, f"{op}-empty", op, function, attrs, [cases.normal(*shape)])
    for op, (shape, dim), keepdim in itertools.product(("max", "min"), [((5,), 0), ((3, 4), -1), ((2, 3, 4), 1), ((33, 18), 0)], (False, True)):
        cases.next()
        run(cases, op, op, lambda t: getattr(torch, op)(t, dim, keepdim).values, {"dim": [dim], "keepdim": keepdim}, [cases.distinct(*shape)])
    for op, (shape, dim) in itertools.product(("softmax", "log_softmax", "cumsum"),
                                              [((5,), 0), ((3, 4), 1), ((3, 4), 0), ((2, 3, 4), -2), ((17, 33), -1), ((0, 4), 1), ((2, 0), 0), ((1, 1), 1)]):
        cases.next()
        run(cases, op, op, lambda t: getattr(torch, op)(t, dim), {"dim": dim}, [cases.normal(*shape)])


def products(cases):
    shapes = [((5,), (5,)), ((3, 4), (4,)), ((4,), (4, 3)), ((3, 4), (4, 5)), ((1, 1), (1, 1)), ((2, 3, 4), (4, 5)), ((2, 3, 4), (2, 4, 5)),
              ((3, 4), (2, 4, 5)), ((2, 1, 3, 4), (5, 4, 2)), ((7, 1, 2, 3), (7, 5, 3, 2)), ((0, 4), (4, 3)), ((3, 0), (0, 2)), ((2, 0, 3), (3, 4)),
              ((33, 17), (17, 65)), ((64, 100), (100, 10)), ((1, 130), (130, 7)), ((65, 3), (3, 1)), ((4,), (2, 4, 3)), ((2, 3, 4), (4,))]
    for a, b in shapes:
        cases.next()
        run(cases, "matmul", "matmul", torch.matmul, {}, [cases.normal(*a), cases.normal(*b)])
    for shape, out in [((4, 3), 5), ((2, 3, 6), 4), ((7,), 3), ((0, 4), 2), ((33, 65), 17)]:
        cases.next()
        run(cases, "linear", "linear", F.linear, {}, [cases.normal(*shape), cases.normal(out, shape[-1]), cases.normal(out)])
    for shape in [(3, 4), (2, 3, 5), (7, 33), (1, 8)]:
        for attrs in ({}, {"eps": 1e-3}):
            cases.next()
            run(cases, "layer_norm", "layer_norm", lambda x, w, b: F.layer_norm(x, x.shape[-1:], w, b, **attrs), attrs,
                [cases.normal(*shape), cases.normal(shape[-1]), cases.normal(shape[-1])])
    for shape in [(5, 4), (6, 3, 7), (2, 3, 4, 5), (33, 9)]:
        for attrs in ({"training": True, "eps": 1e-5}, {"training": True, "eps": 1e-3}):
            cases.next()
            run(cases, "batch_norm", "batch_norm", lambda x, w, b: F.batch_norm(x, None, None, w, b, True, eps=attrs["eps"]), attrs,
                [cases.normal(*shape), cases.normal(shape[1]), cases.normal(shape[1])])


def movement(cases):
    def one(op, function, attrs, *shapes):
        cases.next()
        run(cases, op, op, function, attrs, [cases.normal(*s) for s in shapes])

    for source, target in [((2, 6), (3, 4)), ((2, 6), (-1,)), ((2, 3, 4), (4, -1)), ((1,), ()), ((), (1, 1)), ((0, 3), (3, 0)), ((12,), (2, -1, 3))]:
        one("reshape", lambda x: x.reshape(target), {"shape": list(target)}, source)
    for source, target in [((3, 1), (3, 4)), ((4,), (3, 4)), ((), (2, 2)), ((1, 3, 1), (2, 3, 5)), ((2, 1), (-1, 3)), ((1,), (0,))]:
        one("expand", lambda x: x.expand(target), {"shape": list(target)}, source)
    for shape, a, b in [((3, 4), 0, 1), ((2, 3, 4), -1, 0), ((2, 3, 4), 1, 2), ((2, 3, 4, 5), 0, 3), ((5,), 0, 0), ((33, 18), 0, 1)]:
        one("transpose", lambda x: x.transpose(a, b), {"dim0": a, "dim1": b}, shape)
    for shape, dims in [((2, 3, 4), (2, 0, 1)), ((2, 3, 4), (0, -1, 1)), ((2, 3, 4, 5), (3, 1, 0, 2)), ((3, 4), (0, 1))]:
        one("permute", lambda x: x.permute(dims), {"dims": list(dims)}, shape)
    for shape, dims in [((5,), (0,)), ((3, 4), (0, 1)), ((2, 3, 4), (-1,)), ((2, 3, 4), (0, 2)), ((0, 2), (0,))]:
        one("flip", lambda x: x.flip(dims), {"dims": list(dims)}, shape)
    for shape, dim in [((1, 3), 0), ((3, 1), -1), ((3, 4), 0), ((2, 1, 4), 1), ((1,), 0)]:
        one("squeeze", lambda x: x.squeeze(dim), {"dim": dim}, shape)
    for shape, dim in [((3,), 0), ((3,), -1), ((3, 4), 1), ((), 0), ((2, 3), -3)]:
        one("unsqueeze", lambda x: x.unsqueeze(dim), {"dim": dim}, shape)
    for dim, shapes in [(0, [(2, 3), (1, 3), (4, 3)]), (1, [(2, 3), (2, 1)]), (-1, [(2, 3, 2), (2, 3, 5)]), (0, [(5,)]), (0, [(0, 3), (2, 3)])]:
        one("concat", lambda *xs: torch.cat(xs, dim), {"dim": dim}, *shapes)
    for dim, shape, count in [(0, (3, 4), 3), (1, (3, 4), 2), (-1, (3, 4), 2), (0, (), 3), (0, (2,), 1)]:
        one("stack", lambda *xs: torch.stack(xs, dim), {"dim": dim}, *[shape] * count)
    for shape, dim, start, stop, step in [((7,), 0, 1, 6, 2), ((7,), 0, 0, 7, 3), ((4, 5), 1, 1, 3, 1), ((4, 5), -2, 2, 4, 1), ((4, 5), 0, 3, 3, 1), ((2, 9, 3), 1, 0, 9, 4)]:
        index = lambda x: x[tuple(slice(start, stop, step) if i == dim % x.dim() else slice(None) for i in range(x.dim()))]
        one("slice", index, {"dim": dim, "start": start, "stop": stop, "step": step}, shape)
    for shape, dim, index in [((5,), 0, 2), ((3, 4), 1, -1), ((3, 4), 0, 0), ((2, 3, 4), -2, 1)]:
        one("select", lambda x: x.select(dim, index), {"dim": dim, "index": index}, shape)
    for shape, dim, index in [((5,), 0, [4, 0, 0]), ((3, 4), 1, [3, 1, 1, 0, 2]), ((2, 3, 4), -2, [2, 2]), ((6, 5), 0, [])]:
        one("index_select", lambda x: x.index_select(dim, torch.tensor(index, dtype=torch.int64)), {"dim": dim, "index": index}, shape)
    for shape, dim, index_shape in [((5,), 0, (7,)), ((3, 4), 0, (5, 4)), ((3, 4), 1, (2, 6)), ((2, 3, 4), 1, (2, 5, 3)), ((2, 3, 4), -1, (1, 3, 2))]:
        cases.next()
        index = cases.integers(*index_shape, high=shape[dim])
        run(cases, "gather", "gather", lambda x: x.gather(dim, index), {"dim": dim, "index": tensor(index)}, [cases.normal(*shape)])
    for rows, width, index_shape in [(5, 3, (4,)), (7, 8, (2, 5)), (3, 1, ()), (4, 6, (0,)), (10, 33, (3, 2, 2))]:
        cases.next()
        index = cases.integers(*index_shape, high=rows)
        run(cases, "embedding", "embedding", lambda w: F.embedding(index, w), {"index": tensor(index)}, [cases.normal(rows, width)])
    for condition, a, b in [((5,), (5,), (5,)), ((3, 4), (3, 4), ()), ((3, 1), (4,), (3, 4)), ((4,), (2, 1, 4), (3, 4)), ((0,), (0,), (0,))]:
        cases.next()
        mask = cases.uniform(*condition) < 0.5
        run(cases, "where", "where", lambda x, y: torch.where(mask, x, y), {"condition": tensor(mask)}, [cases.normal(*a), cases.normal(*b)])
    for op, shape, diagonal in itertools.product(("tril", "triu"), [(4, 4), (3, 5), (2, 5, 3)], (0, 1, -1, 7)):
        one(op, lambda x: getattr(torch, op)(x, diagonal), {"diagonal": diagonal}, shape)


def second_order():
    cases = Cases("second_order")

    def one(op, function, attrs, inputs):
        inputs = [x.clone().requires_grad_() for x in inputs]
        value = function(*inputs)
        value = value.square() if attrs.get("squared") else value
        grads = torch.autograd.grad(value.sum(), inputs, create_graph=True)
        penalty = sum(g.square().sum() for g in grads)
        if penalty.requires_grad:
            second = torch.autograd.grad(penalty, inputs, allow_unused=True)
        else:
            second = [None] * len(inputs)
        second = [torch.zeros_like(x) if s is None else s for x, s in zip(inputs, second)]
        cases.add(f"{op}-second", "second_order", op=op, attrs=attrs, inputs=[tensor(x) for x in inputs],
                  grads=[tensor(g) for g in grads], second_grads=[tensor(s) for s in second])

    for op, shape in itertools.product(("exp", "sin", "tanh", "sigmoid", "square", "log", "sqrt", "rsqrt", "reciprocal", "log1p"), [(), (5,), (3, 4), (17,)]):
        cases.next()
        x = cases.uniform(*shape, low=0.5, high=2.5) if op in POSITIVE | {"reciprocal"} else cases.normal(*shape)
        one(op, UNARY[op], {}, [x])
    for op, (a, b) in itertools.product(("mul", "div"), [((5,), (5,)), ((3, 4), (4,)), ((3, 1), (1, 4)), ((2, 3), ())]):
        cases.next()
        one(op, BINARY[op], {}, [cases.normal(*a), cases.uniform(*b, low=0.5, high=2.0)])
    for exponent, shape in itertools.product((2.0, 3.0, 0.5, -1.0), [(5,), (3, 4)]):
        cases.next()
        one("pow_scalar", lambda t: torch.pow(t, exponent), {"exponent": exponent}, [cases.uniform(*shape, low=0.5, high=2.0)])
    for a, b in [((3, 4), (4, 2)), ((2, 3, 4), (4, 5)), ((2, 3, 4), (2, 4, 5)), ((4,), (4,)), ((5, 4), (4,))]:
        for attrs in ({}, {"squared": True}):
            cases.next()
            one("matmul", torch.matmul, attrs, [cases.normal(*a), cases.normal(*b)])
    for op, (shape, dim) in itertools.product(("softmax", "log_softmax"), [((5,), 0), ((3, 4), 1), ((3, 4), 0), ((2, 3, 4), -2)]):
        cases.next()
        one(op, lambda t: getattr(torch, op)(t, dim), {"dim": dim, "squared": True}, [cases.normal(*shape)])
    cases.write()


# Losses.

def losses():
    cases = Cases("losses")

    def one(loss, function, attrs, x, target):
        x = x.clone().requires_grad_()
        output = function(x, target)
        gradient = cases.normal(*output.shape)
        (grad,) = torch.autograd.grad(output, x, gradient)
        cases.add(loss, "loss", loss=loss, attrs={k: number(v) for k, v in attrs.items()}, input=tensor(x), target=tensor(target),
                  output=tensor(output), grad_output=tensor(gradient), grad_input=tensor(grad))

    plain = {"mse": (F.mse_loss, [{}]), "l1": (F.l1_loss, [{}]), "huber": (F.huber_loss, [{}, {"delta": 0.5}, {"delta": 2.0}]),
             "smooth_l1": (F.smooth_l1_loss, [{}, {"beta": 0.5}, {"beta": 2.0}])}
    for loss, (function, choices) in plain.items():
        for extra, reduction, shape in itertools.product(choices, ("mean", "sum", "none"), [(5,), (4, 3), (), (2, 3, 4), (130,)]):
            cases.next()
            attrs = {"reduction": reduction, **extra}
            one(loss, lambda x, t: function(x, t, **attrs), attrs, cases.normal(*shape, scale=2.0), cases.normal(*shape))
    for reduction, shape in itertools.product(("mean", "sum", "none"), [(5,), (4, 3), (), (33,)]):
        attrs = {"reduction": reduction}
        cases.next()
        one("bce", lambda x, t: F.binary_cross_entropy(x, t, **attrs), attrs, cases.uniform(*shape, low=0.05, high=0.95), cases.uniform(*shape))
        cases.next()
        one("bce_with_logits", lambda x, t: F.binary_cross_entropy_with_logits(x, t, **attrs), attrs, cases.normal(*shape, scale=3.0), cases.uniform(*shape))
    attrs = {"reduction": "none"}
    for scale in (100.0, 1e4):
        cases.next()
        one("bce_with_logits", lambda x, t: F.binary_cross_entropy_with_logits(x, t, **attrs), attrs,
            torch.tensor([scale, -scale, 0.0, 1.0]), torch.tensor([1.0, 0.0, 0.5, 1.0]))
        one("bce_with_logits", lambda x, t: F.binary_cross_entropy_with_logits(x, t, **attrs), attrs,
            torch.tensor([scale, -scale, 0.0, 1.0]), torch.tensor([0.0, 1.0, 1.0, 0.0]))
    cases.next()
    one("bce", lambda x, t: F.binary_cross_entropy(x, t, **attrs), attrs, torch.tensor([0.25, 0.75, 0.5]), torch.tensor([0.0, 1.0, 1.0]))
    for reduction, shape in itertools.product(("mean", "sum", "none", "batchmean"), [(5,), (4, 3), (2, 3, 4)]):
        cases.next()
        attrs = {"reduction": reduction}
        one("kl_div", lambda x, t: F.kl_div(x, t, **attrs), attrs, F.log_softmax(cases.normal(*shape), -1), F.softmax(cases.normal(*shape), -1))
    cases.next()
    attrs = {"reduction": "sum"}
    one("kl_div", lambda x, t: F.kl_div(x, t, **attrs), attrs, F.log_softmax(cases.normal(2, 3), -1), torch.tensor([[0.0, 0.5, 0.5], [1.0, 0.0, 0.0]]))

    weights = [0.5, 2.0, 1.0, 0.25]
    for loss, reduction, shape in itertools.product(("cross_entropy", "nll"), ("mean", "sum", "none"), [(6, 4), (1, 4), (3, 4, 5), (4,)]):
        smoothing = [{}, {"label_smoothing": 0.1}] if loss == "cross_entropy" else [{}]
        for extra, weighted, ignoring in itertools.product(smoothing, (False, True), (False, True)):
            if ignoring and len(shape) == 1:
                continue
            cases.next()
            attrs = {"reduction": reduction, **extra} | ({"weight": weights} if weighted else {}) | ({"ignore_index": 1} if ignoring else {})
            options = attrs | ({"weight": torch.tensor(weights)} if weighted else {})
            function = F.cross_entropy if loss == "cross_entropy" else F.nll_loss
            x = cases.normal(*shape, scale=2.0)
            x = x if loss == "cross_entropy" else F.log_softmax(x, 0 if len(shape) == 1 else 1)
            target = cases.integers(*(shape[:1] + shape[2:] if len(shape) > 1 else ()), high=4)
            if ignoring and target.numel() == 1:
                target = target * 0 + 2
            one(loss, lambda a, t: function(a, t, **options), attrs, x, target)
    cases.next()
    attrs = {"reduction": "none"}
    one("cross_entropy", lambda a, t: F.cross_entropy(a, t, **attrs), attrs, torch.tensor([[1e4, 0.0, -1e4], [100.0, -100.0, 0.0]]), torch.tensor([1, 0]))
    cases.write()


# Clipping, optimizers, trainings.

def clip_adaptive(params, grads, clipping=0.01, eps=1e-3):
    """Unit-wise adaptive clipping (Brock et al. 2021): a unit is a row of a matrix, or the whole of a vector."""
    result = []
    for w, g in zip(params, grads):
        rows = (w.reshape(w.shape[0], -1), g.reshape(g.shape[0], -1)) if w.dim() > 1 else (w.reshape(1, -1), g.reshape(1, -1))
        bound = clipping * rows[0].norm(dim=1, keepdim=True).clamp(min=eps)
        norm = rows[1].norm(dim=1, keepdim=True)
        clipped = rows[1] * bound / norm.clamp(min=1e-6)
        result.append(torch.where(norm < bound, rows[1], clipped).reshape(g.shape))
    return result


def clips():
    cases = Cases("clips")
    shapes = [(3, 4), (4,), (2, 3, 2), (1,)]

    def draw(scale, big=True):
        extra = (40, 8) if big else ()
        return [cases.normal(*s, scale=scale).float().double() for s in shapes + [extra]]

    def add(clip, attrs, params, grads, expected, norm):
        cases.add(clip, "clip", clip=clip, attrs={k: number(v) for k, v in attrs.items()}, params=[tensor(p) for p in params],
                  grads=[tensor(g) for g in grads], expected_grads=[tensor(e) for e in expected], expected_norm=norm)

    def clipped(clip, attrs, params, grads):
        leaves = [p.clone().requires_grad_() for p in params]
        for leaf, g in zip(leaves, grads):
            leaf.grad = g.clone()
        norm = None
        if clip == "global_norm":
            norm = torch.nn.utils.clip_grad_norm_(leaves, attrs["max_norm"], attrs["norm_type"]).item()
        elif clip == "per_parameter_norm":
            for leaf in leaves:
                torch.nn.utils.clip_grad_norm_([leaf], attrs["max_norm"], attrs["norm_type"])
        elif clip == "value":
            torch.nn.utils.clip_grad_value_(leaves, attrs["clip_value"])
        return [leaf.grad for leaf in leaves], norm

    for clip, p, threshold, scale in itertools.product(("global_norm", "per_parameter_norm"), (1.0, 2.0, 3.0, INF), (0.25, 100.0), (1e-3, 1.0, 1e4)):
        cases.next()
        grads = draw(scale)
        params = [torch.zeros_like(g) for g in grads]
        attrs = {"max_norm": threshold, "norm_type": p}
        add(clip, attrs, params, grads, *clipped(clip, attrs, params, grads))
    for p, threshold, scale in [(2.0, 1.0, 1e30), (1.0, 1.0, 1e30), (INF, 1.0, 1e30), (8.0, 1.0, 1e30), (2.0, 1e-3, 1e-30), (2.0, 1e20, 1e30), (0.5, 1.0, 1.0), (2.0, 1e-20, 1.0)]:
        cases.next()
        grads = draw(scale)
        params = [torch.zeros_like(g) for g in grads]
        attrs = {"max_norm": threshold, "norm_type": p}
        add("global_norm", attrs, params, grads, *clipped("global_norm", attrs, params, grads))
    cases.next()
    grads = [torch.zeros(3, 4), torch.zeros(5), torch.zeros(0)]
    attrs = {"max_norm": 1.0, "norm_type": 2.0}
    add("global_norm", attrs, grads, grads, *clipped("global_norm", attrs, grads, grads))
    for value, scale in itertools.product((0.1, 1.0, 50.0), (1e-3, 1.0, 1e4)):
        cases.next()
        grads = draw(scale)
        params = [torch.zeros_like(g) for g in grads]
        attrs = {"clip_value": value}
        add("value", attrs, params, grads, *clipped("value", attrs, params, grads))
    for clipping, eps, scale, weight in itertools.product((0.01, 0.1), (1e-3, 0.1), (1e-4, 1.0), (0.0, 1.0)):
        cases.next()
        grads = draw(scale, big=False)
        params = [weight * cases.normal(*g.shape) for g in grads]
        attrs = {"clipping": clipping, "eps": eps}
        add("adaptive", attrs, params, grads, clip_adaptive(params, grads, **attrs), None)
    cases.write()


OPTIMIZERS = {
    "sgd": (torch.optim.SGD, [{"lr": 0.1}, {"lr": 0.1, "momentum": 0.9}, {"lr": 0.05, "momentum": 0.9, "nesterov": True}, {"lr": 0.1, "momentum": 0.8, "dampening": 0.3},
                              {"lr": 0.1, "weight_decay": 0.01}, {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.1, "maximize": True}]),
    "adam": (torch.optim.Adam, [{"lr": 0.01}, {"lr": 0.01, "betas": [0.8, 0.95]}, {"lr": 0.01, "eps": 1e-3}, {"lr": 0.01, "weight_decay": 0.1}, {"lr": 0.01, "amsgrad": True},
                                {"lr": 0.01, "maximize": True}, {"lr": 0.02, "amsgrad": True, "weight_decay": 0.05, "maximize": True}]),
    "adamw": (torch.optim.AdamW, [{"lr": 0.01}, {"lr": 0.01, "weight_decay": 0.3}, {"lr": 0.01, "amsgrad": True}, {"lr": 0.01, "maximize": True, "betas": [0.7, 0.9]}]),
    "rmsprop": (torch.optim.RMSprop, [{"lr": 0.01}, {"lr": 0.01, "alpha": 0.9}, {"lr": 0.01, "momentum": 0.9}, {"lr": 0.01, "centered": True}, {"lr": 0.01, "eps": 1e-3, "weight_decay": 0.1},
                                      {"lr": 0.01, "centered": True, "momentum": 0.5, "weight_decay": 0.1, "eps": 1e-4}]),
    "adagrad": (torch.optim.Adagrad, [{"lr": 0.1}, {"lr": 0.1, "lr_decay": 0.1}, {"lr": 0.1, "initial_accumulator_value": 0.5}, {"lr": 0.1, "weight_decay": 0.1, "eps": 1e-3}]),
    "adadelta": (torch.optim.Adadelta, [{"lr": 1.0}, {"lr": 0.5, "rho": 0.8}, {"lr": 1.0, "eps": 1e-3, "weight_decay": 0.1}]),
    "adamax": (torch.optim.Adamax, [{"lr": 0.01}, {"lr": 0.01, "betas": [0.8, 0.95], "weight_decay": 0.1}, {"lr": 0.01, "eps": 1e-2}]),
    "nadam": (torch.optim.NAdam, [{"lr": 0.01}, {"lr": 0.01, "momentum_decay": 0.1}, {"lr": 0.01, "betas": [0.8, 0.95], "weight_decay": 0.1, "eps": 1e-4}]),
    "radam": (torch.optim.RAdam, [{"lr": 0.01}, {"lr": 0.01, "betas": [0.8, 0.95]}, {"lr": 0.01, "weight_decay": 0.1, "eps": 1e-4}]),
}


def optimizers():
    cases = Cases("optimizers")
    for (name, (kind, choices)), steps in itertools.product(OPTIMIZERS.items(), (3, 12)):
        for attrs in choices:
            cases.next()
            shapes = [(3, 4), (5,), (), (19,)]
            params = [cases.normal(*s) for s in shapes]
            grads = [[cases.normal(*s) for s in shapes] for _ in range(steps)]
            leaves = [p.clone().requires_grad_() for p in params]
            optimizer = kind(leaves, foreach=False, **{k: tuple(v) if k == "betas" else v for k, v in attrs.items()})
            expected = []
            for step in grads:
                for leaf, g in zip(leaves, step):
                    leaf.grad = g.clone()
                optimizer.step()
                expected.append([tensor(leaf) for leaf in leaves])
            cases.add(name, "optimizer", optimizer=name, attrs=attrs, params=[tensor(p) for p in params],
                      grads=[[tensor(g) for g in step] for step in grads], expected=expected)
    cases.write()


def trainings():
    cases = Cases("trainings")
    activations = {"tanh": torch.nn.Tanh, "relu": torch.nn.ReLU, "sigmoid": torch.nn.Sigmoid, "gelu": torch.nn.GELU, "silu": torch.nn.SiLU, "elu": torch.nn.ELU}
    chosen = [("tanh", [6, 9, 4], "cross_entropy", "sgd", {"lr": 0.5}, 0.5), ("relu", [6, 9, 4], "cross_entropy", "adam", {"lr": 0.02}, 0.5),
              ("sigmoid", [5, 8, 8, 3], "mse", "adamw", {"lr": 0.02, "weight_decay": 0.1}, 0.1), ("gelu", [4, 17, 2], "mse", "rmsprop", {"lr": 0.01, "momentum": 0.5}, None),
              ("silu", [7, 12, 5], "cross_entropy", "nadam", {"lr": 0.02}, 0.3), ("elu", [3, 10, 1], "mse", "sgd", {"lr": 0.05, "momentum": 0.9}, 0.2),
              ("tanh", [6, 9, 4], "cross_entropy", "adagrad", {"lr": 0.1}, None), ("tanh", [2, 16, 16, 1], "mse", "adam", {"lr": 0.02}, 1.0)]
    for activation, sizes, loss, name, attrs, max_norm in chosen:
        cases.next()
        torch.manual_seed(SEED + len(cases.cases))
        layers = []
        for a, b in zip(sizes, sizes[1:]):
            layers += [torch.nn.Linear(a, b), activations[activation]()]
        model = torch.nn.Sequential(*layers[:-1])
        for p in model.parameters():
            p.data = p.data.float().double()
        start = {n: tensor(p) for n, p in model.named_parameters()}
        x = cases.normal(20, sizes[0])
        target = cases.integers(20, high=sizes[-1]) if loss == "cross_entropy" else cases.normal(20, sizes[-1])
        optimizer = OPTIMIZERS[name][0](model.parameters(), **attrs)
        losses, norms = [], []
        for _ in range(20):
            optimizer.zero_grad()
            value = F.cross_entropy(model(x), target) if loss == "cross_entropy" else F.mse_loss(model(x), target)
            value.backward()
            norms.append(torch.nn.utils.clip_grad_norm_(model.parameters(), INF if max_norm is None else max_norm).item())
            optimizer.step()
            losses.append(value.item())
        cases.add("mlp", "training", model={"type": "mlp", "sizes": sizes, "activation": activation}, parameters=start, input=tensor(x), target=tensor(target),
                  loss=loss, optimizer=name, optimizer_attrs=attrs, max_norm=max_norm, losses=losses, norms=norms,
                  final_parameters={n: tensor(p) for n, p in model.named_parameters()})
    cases.write()


def ops():
    cases = Cases("ops")
    for family in (elementwise, special_values, reductions, products, movement):
        family(cases)
    cases.write()


if __name__ == "__main__":
    for group in (ops, second_order, losses, clips, optimizers, trainings):
        group()
