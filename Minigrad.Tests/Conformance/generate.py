#!/usr/bin/env python3
"""Writes the project's own conformance cases: what PyTorch computes, in float64, for the operations Minigrad has.

Needs Debian 13's python3-torch (PyTorch 2.6). The output is the same on every run: every case is seeded by its place.
All inputs are numbers that float32 holds exactly, so that reading them as float32 loses nothing.

A further kind of case is a further function at the end of its section, named in `main`.
"""
import gzip
import itertools
import json
import math
import pathlib

import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)  # One order of summation, so that the last digit does not depend on the machine's cores.
SEED = 7
TARGET = pathlib.Path(__file__).parent / "cases"
INF = float("inf")
NAN = float("nan")
COUNTS = {}


# Tensors and files.

def number(value):
    """A number as JSON: nine digits hold any float32 exactly, and a reference far beyond every tolerance."""
    if isinstance(value, list):
        return [number(x) for x in value]
    if not isinstance(value, float):
        return value
    if math.isnan(value):
        return "nan"
    return float(f"{value:.9g}") if math.isfinite(value) else "inf" if value > 0 else "-inf"


def tensor(value):
    if value is None:
        return None
    result = {"shape": list(value.shape), "data": number(value.detach().reshape(-1).tolist())}
    if value.dtype in (torch.int64, torch.bool):
        result["dtype"] = str(value.dtype).removeprefix("torch.")
    return result


def exact(value):
    """The nearest numbers that float32 holds."""
    return value.float().double()


def values(*numbers):
    return exact(torch.tensor(numbers))


class Cases:
    """The cases of one file; each draws its numbers after a seed of its own."""

    def __init__(self, name):
        self.name = name
        self.cases = []

    def next(self):
        torch.manual_seed(SEED * 100_003 + len(self.cases))

    def normal(self, *shape, scale=1.0):
        """Normally distributed, in steps of 1/1024: short to write, and as good as any."""
        return exact(scale * torch.round(torch.randn(shape) * 1024) / 1024)

    def uniform(self, *shape, low=0.0, high=1.0):
        return exact(torch.round((low + (high - low) * torch.rand(shape)) * 1024) / 1024)

    def away_from_zero(self, *shape):
        x = self.normal(*shape)
        return torch.where(x < 0, x - 0.25, x + 0.25)

    def integers(self, *shape, high):
        return torch.randint(0, high, shape)

    def distinct(self, *shape):
        """Numbers of distinct value and distinct magnitude, for maxima and norms."""
        count = math.prod(shape)
        return ((torch.randperm(count).double() - count / 2) / 8 + 3 / 64).reshape(shape)

    def add(self, label, kind, **fields):
        self.cases.append({"id": f"{label}-{len(self.cases)}", "kind": kind, **fields})
        COUNTS[kind] = COUNTS.get(kind, 0) + 1

    def write(self):
        TARGET.mkdir(exist_ok=True)
        document = {"source": f"PyTorch {torch.__version__}", "seed": SEED, "cases": self.cases}
        text = json.dumps(document, separators=(",", ":"), allow_nan=False)
        path = TARGET / f"{self.name}.json.gz"
        path.write_bytes(gzip.compress(text.encode(), compresslevel=9, mtime=0))
        print(f"{path.name}: {len(self.cases)} cases, {path.stat().st_size} bytes")


# Operations.

UNARY = {
    "neg": torch.neg, "abs": torch.abs, "exp": torch.exp, "log": torch.log, "log1p": torch.log1p, "sqrt": torch.sqrt,
    "rsqrt": torch.rsqrt, "reciprocal": torch.reciprocal, "square": torch.square, "sin": torch.sin, "cos": torch.cos,
    "tanh": torch.tanh, "sigmoid": torch.sigmoid, "relu": torch.relu, "silu": F.silu,
}
POSITIVE = {"log", "sqrt", "rsqrt", "log1p"}
BINARY = {
    "add": torch.add, "sub": torch.sub, "mul": torch.mul, "div": torch.div, "pow": torch.pow,
    "maximum": torch.maximum, "minimum": torch.minimum,
}
WITH_ATTRIBUTES = {
    "leaky_relu": (F.leaky_relu, [{}, {"negative_slope": 0.2}]),
    "elu": (F.elu, [{}, {"alpha": 0.5}]),
    "gelu": (F.gelu, [{}, {"approximate": "none"}, {"approximate": "tanh"}]),
    "softplus": (F.softplus, [{}, {"beta": 2.0}, {"beta": 3.0, "threshold": 2.0}]),
    "clamp": (torch.clamp, [{"min": -0.5}, {"max": 0.5}, {"min": -0.5, "max": 0.75}]),
    "pow_scalar": (torch.pow, [{"exponent": e} for e in (2.0, 3.0, -1.0, 0.0, 1.0, -2.0)]),
}
SHAPES = [(), (1,), (17,), (0, 3), (2, 3, 4), (2, 2, 3, 5)]
BROADCASTS = [((), ()), ((3, 4), ()), ((), (3, 4)), ((3, 4), (4,)), ((3, 1), (1, 4)), ((2, 1, 4), (3, 1)),
              ((2, 3, 4, 5), (1, 3, 1, 5)), ((0, 4), (4,)), ((1,), (33,)), ((100,), (100,))]


def run(cases, label, op, function, attrs, inputs, differentiable=None):
    """Adds a case: the output, and the inputs' gradients for a random gradient of the output."""
    differentiable = differentiable or [True] * len(inputs)
    leaves = [exact(x).requires_grad_(d) for x, d in zip(inputs, differentiable)]
    output = function(*leaves)
    gradient = cases.normal(*output.shape)
    grads = [None] * len(leaves)
    wanted = [i for i, d in enumerate(differentiable) if d]
    for i, grad in zip(wanted, torch.autograd.grad(output, [leaves[i] for i in wanted], gradient, allow_unused=True)):
        grads[i] = torch.zeros_like(leaves[i]) if grad is None else grad
    cases.add(label, "op", op=op, attrs=number_attrs(attrs), inputs=[tensor(x) for x in leaves], output=tensor(output),
              grad_output=tensor(gradient), grads=[tensor(g) for g in grads])


def number_attrs(attrs):
    return {name: number(value) for name, value in attrs.items()}


def elementwise(cases):
    for (op, function), shape in itertools.product(UNARY.items(), SHAPES):
        cases.next()
        x = (cases.uniform(*shape, low=0.3, high=3.0) if op in POSITIVE
             else cases.away_from_zero(*shape) if op == "reciprocal" else cases.normal(*shape))
        run(cases, op, op, function, {}, [x])
    for op, (function, choices) in WITH_ATTRIBUTES.items():
        for attrs, shape in itertools.product(choices, [(), (0, 2), (33,)]):
            cases.next()
            x = cases.away_from_zero(*shape) if attrs.get("exponent", 0) < 0 else cases.normal(*shape, scale=2.0)
            run(cases, op, op, lambda t: function(t, **attrs), attrs, [x])
        cases.next()
        run(cases, op, op, lambda t: function(t, **choices[-1]), choices[-1], [cases.away_from_zero(2, 3, 2, 3)])
    for exponent in (0.5, 2.5, -1.5):
        cases.next()
        x = cases.uniform(6, 5, low=0.2, high=4.0)
        run(cases, "pow_scalar", "pow_scalar", lambda t: torch.pow(t, exponent), {"exponent": exponent}, [x])
    for (op, function), (a, b) in itertools.product(BINARY.items(), BROADCASTS):
        cases.next()
        first = cases.uniform(*a, low=0.2, high=3.0) if op == "pow" else cases.normal(*a)
        second = cases.away_from_zero(*b) if op == "div" else cases.normal(*b)
        run(cases, op, op, function, {}, [first, second])
    for op, takes in [("mul", [True, False]), ("div", [False, True]), ("sub", [False, True])]:
        cases.next()
        run(cases, op, op, BINARY[op], {}, [cases.normal(3, 4), cases.away_from_zero(3, 1)], takes)


def special_values(cases):
    """NaN, infinities, signed zeros, ties, kinks and large magnitudes, with PyTorch's conventions."""
    edges = values(0.0, -0.0, 1.0, -1.0, 100.0, -100.0, 1e4, -1e4, INF, -INF, NAN, 0.5, -0.5, 20.0, -20.0, 88.0)
    # At an infinity the gradients of silu and gelu, and at NaN that of elu, depend on how the formula is written.
    finite = edges[~torch.isinf(edges)]
    roots = values(0.0, 4.0, INF, 1e-30, 1e30, -1.0, NAN)
    inputs = {"neg": edges, "abs": edges, "exp": edges[(edges != 100) & (edges != 1e4)], "square": edges, "reciprocal": edges,
              "log": torch.cat([roots, values(-0.0, 0.5, 1.0)]), "log1p": values(1e-7, -1e-7, INF, 1e30, 0.0, -0.0, -1.0, -2.0, NAN),
              "sqrt": roots, "rsqrt": values(0.0, 4.0, INF, 1e-20, 1e20, -1.0, NAN), "sin": edges, "cos": edges, "tanh": edges,
              "sigmoid": edges, "relu": edges, "silu": finite}
    for op, x in inputs.items():
        cases.next()
        run(cases, f"{op}-special", op, UNARY[op], {}, [x])
    limits = [{"min": -0.5, "max": 0.5}, {"min": 0.0}, {"max": 1.0}, {"min": 1.0, "max": -1.0}]
    for op, (function, choices) in WITH_ATTRIBUTES.items():
        if op == "pow_scalar":
            continue
        for attrs in limits if op == "clamp" else choices:
            cases.next()
            run(cases, f"{op}-special", op, lambda t: function(t, **attrs), attrs, [finite if op == "gelu" else edges[~torch.isnan(edges)] if op == "elu" else edges])
    cases.next()
    attrs = {"beta": 2.0, "threshold": 1.0}  # beta · x on both sides of the threshold, and on it.
    run(cases, "softplus-special", "softplus", lambda t: F.softplus(t, **attrs), attrs, [values(0.25, 0.5, 0.75, -0.5)])
    for exponent in (0.0, 1.0, 2.0, 3.0, -1.0, -2.0, 0.5):
        cases.next()
        run(cases, "pow_scalar-special", "pow_scalar", lambda t: torch.pow(t, exponent), {"exponent": exponent},
            [values(0.0, -1.0, -2.0, 3.0, -0.5, INF, NAN)])
    pairs = [(1.0, 1.0), (2.0, 3.0), (3.0, 2.0), (NAN, 1.0), (1.0, NAN), (INF, 1.0), (-INF, 2.0), (0.0, -0.0), (INF, INF),
             (1.0, 0.0), (0.0, 0.0), (-1.0, -0.0)]
    powers = [(0.0, 0.0), (0.0, 2.0), (0.0, 1.0), (-2.0, 3.0), (-2.0, 2.0), (-2.0, 0.0), (-2.0, 0.5), (1.0, NAN), (2.0, -1.0)]
    for op, function in BINARY.items():
        cases.next()
        a, b = zip(*(powers if op == "pow" else pairs))
        run(cases, f"{op}-special", op, function, {}, [values(*a), values(*b)])
    rows = [values(1e4, 0.0, -1e4, 100.0, 100.0, 99.0, -1e4, -1e4, -9999.0).reshape(3, 3),
            values(-INF, 0.0, 1.0, 2.0, -INF, -INF, 0.0, 0.0, 0.0).reshape(3, 3), values(100.0, -100.0, NAN, 0.0).reshape(2, 2)]
    for op, x in itertools.product(("softmax", "log_softmax", "logsumexp"), rows):
        cases.next()
        run(cases, f"{op}-special", op, lambda t: getattr(torch, op)(t, 1), {"dim": 1}, [x])
    cases.next()
    mask = torch.tensor([True, False, True, False])
    run(cases, "where-special", "where", lambda a, b: torch.where(mask, a, b), {"condition": tensor(mask)},
        [values(1.0, NAN, -0.0, INF), values(NAN, 2.0, INF, -0.0)])


REDUCED = [((), None), ((5,), [0]), ((3, 4), [0]), ((3, 4), [-1]), ((3, 4), None), ((2, 3, 4), [0, 2]), ((2, 3, 4, 5), [1, -1]),
           ((17, 9), [0]), ((1, 7), [0]), ((130,), [0])]


def reductions(cases):
    functions = {
        "sum": lambda t, dim=None, keepdim=False: torch.sum(t, dim=axes(t, dim), keepdim=keepdim),
        "mean": lambda t, dim=None, keepdim=False: torch.mean(t, dim=axes(t, dim), keepdim=keepdim),
        "var": lambda t, dim=None, keepdim=False, unbiased=True: torch.var(t, dim=dim, unbiased=unbiased, keepdim=keepdim),
        "norm": lambda t, dim=None, keepdim=False, p=2.0: torch.linalg.vector_norm(t, p, dim=dim, keepdim=keepdim),
    }

    def axes(t, dim):
        return tuple(range(t.dim())) if dim is None else tuple(dim)

    def one(label, op, attrs, x):
        run(cases, label, op, lambda t: functions[op](t, **attrs), attrs, [x])

    for op, (place, (shape, dim)) in itertools.product(("sum", "mean"), enumerate(REDUCED)):
        for keepdim in (False, True) if dim is None or place % 2 else (False,):
            cases.next()
            one(op, op, {"dim": dim, "keepdim": keepdim}, cases.normal(*shape))
    for place, ((shape, dim), unbiased) in enumerate(itertools.product(REDUCED, (False, True))):
        if math.prod(shape) == 1 or shape == (1, 7):
            continue
        cases.next()
        one("var", "var", {"dim": dim, "keepdim": place // 2 % 2 == 0, "unbiased": unbiased}, cases.normal(*shape))
    norms = [(p, place) for p in (2.0, INF) for place in range(8)] + [(p, place) for p in (1.0, 3.0, 0.5) for place in (0, 2, 5, 6)]
    for turn, (p, place) in enumerate(norms):
        shape, dim = REDUCED[place]
        cases.next()
        one("norm", "norm", {"dim": dim, "keepdim": turn % 3 == 0, "p": p}, cases.distinct(*shape))
    for op in functions:  # Attributes that are absent have PyTorch's defaults.
        cases.next()
        one(op, op, {}, cases.normal(3, 4))
    for p in (1.0, 2.0, 3.0, INF):
        cases.next()
        one("norm-special", "norm", {"dim": [1], "keepdim": False, "p": p}, values(0.0, 0.0, 0.0, 3.0, -4.0, 0.0).reshape(2, 3))
    for op, shape, dim, keepdim in [("sum", (0, 3), [0], False), ("sum", (0,), None, False), ("sum", (3, 0), [1], True),
                                    ("sum", (0, 3), [1], False), ("mean", (0,), None, False), ("mean", (0, 3), [0], True),
                                    ("norm", (0, 3), [0], False), ("var", (0, 3), [1], False), ("var", (1, 3), [0], False)]:
        cases.next()
        one(f"{op}-special", op, {"dim": dim, "keepdim": keepdim}, cases.normal(*shape))
    extremes = [((5,), 0), ((3, 4), -1), ((2, 3, 4), 1), ((2, 3, 2, 5), -2), ((17, 9), 0)]
    for op, (shape, dim), keepdim in itertools.product(("max", "min"), extremes, (False, True)):
        cases.next()
        run(cases, op, op, lambda t: getattr(torch, op)(t, dim, keepdim).values, {"dim": [dim], "keepdim": keepdim},
            [cases.distinct(*shape)])
    along = [((5,), 0), ((3, 4), 1), ((3, 4), 0), ((2, 3, 4), -2), ((2, 3, 2, 5), 1), ((3, 100), -1), ((0, 4), 1), ((1, 1), 1)]
    for place, (shape, dim) in enumerate(along):
        keepdim = place % 2 == 0
        cases.next()
        run(cases, "logsumexp", "logsumexp", lambda t: torch.logsumexp(t, dim, keepdim), {"dim": dim, "keepdim": keepdim},
            [cases.normal(*shape)])
    for op, (shape, dim) in itertools.product(("softmax", "log_softmax", "cumsum"), along + [((2, 0), 1)]):
        cases.next()
        run(cases, op, op, lambda t: getattr(torch, op)(t, dim), {"dim": dim}, [cases.normal(*shape)])


def products(cases):
    shapes = [((5,), (5,)), ((3, 4), (4,)), ((4,), (4, 3)), ((3, 4), (4, 5)), ((1, 1), (1, 1)), ((2, 3, 4), (4, 5)),
              ((2, 3, 4), (2, 4, 5)), ((3, 4), (2, 4, 5)), ((2, 1, 3, 4), (5, 4, 2)), ((7, 1, 2, 3), (7, 5, 3, 2)),
              ((2, 3, 2, 4), (2, 3, 4, 1)), ((0, 4), (4, 3)), ((3, 0), (0, 2)), ((2, 3, 0), (0, 4)), ((0,), (0,)), ((2, 0, 3), (3, 4)),
              ((17, 33), (33, 9)), ((13, 100), (100, 5)), ((1, 130), (130, 7)), ((65, 3), (3, 1)), ((4,), (2, 4, 3)), ((2, 3, 4), (4,))]
    for a, b in shapes:
        cases.next()
        run(cases, "matmul", "matmul", torch.matmul, {}, [cases.normal(*a), cases.normal(*b)])
    for shape, out in [((4, 3), 5), ((2, 3, 6), 4), ((7,), 3), ((0, 4), 2), ((2, 0), 3), ((9, 33), 17)]:
        cases.next()
        run(cases, "linear", "linear", F.linear, {}, [cases.normal(*shape), cases.normal(out, shape[-1]), cases.normal(out)])
    cases.next()
    inputs = [cases.normal(4, 3), cases.normal(5, 3), cases.normal(5)]
    run(cases, "linear", "linear", F.linear, {}, inputs, [False, True, True])
    for place, shape in enumerate([(6,), (3, 4), (2, 3, 5), (2, 2, 3, 4), (7, 33), (0, 4)]):
        attrs = {"eps": 1e-3} if place % 2 else {}
        cases.next()
        run(cases, "layer_norm", "layer_norm", lambda x, w, b: F.layer_norm(x, x.shape[-1:], w, b, **attrs), attrs,
            [cases.normal(*shape), cases.normal(shape[-1]), cases.normal(shape[-1])])
    for shape, eps in itertools.product([(5, 4), (6, 3, 7), (2, 3, 4, 5), (33, 5)], (None, 1e-3)):
        cases.next()
        attrs = {"training": True} | ({} if eps is None else {"eps": eps})
        run(cases, "batch_norm", "batch_norm", lambda x, w, b: F.batch_norm(x, None, None, w, b, **attrs), attrs,
            [cases.normal(*shape), cases.normal(shape[1]), cases.normal(shape[1])])


def movement(cases):
    def one(op, function, attrs, *shapes):
        cases.next()
        run(cases, op, op, function, attrs, [cases.normal(*s) for s in shapes])

    for source, target in [((2, 6), (3, 4)), ((2, 6), (-1,)), ((2, 3, 4), (4, -1)), ((1,), ()), ((1, 1), ()), ((), (1, 1)),
                           ((0, 3), (3, 0)), ((12,), (2, -1, 3)), ((2, 3, 2, 5), (6, -1))]:
        one("reshape", lambda x: x.reshape(target), {"shape": list(target)}, source)
    for source, target in [((3, 1), (3, 4)), ((4,), (3, 4)), ((), (2, 2)), ((1, 3, 1), (2, 3, 5)), ((2, 1), (-1, 3)), ((1,), (0,)),
                           ((1, 3), (0, 3)), ((2, 1, 3, 1), (2, 4, 3, 2))]:
        one("expand", lambda x: x.expand(target), {"shape": list(target)}, source)
    for shape, a, b in [((3, 4), 0, 1), ((2, 3, 4), -1, 0), ((2, 3, 4), 1, 2), ((2, 3, 4, 5), 0, 3), ((5,), 0, 0), ((0, 3), 0, 1),
                        ((17, 9), -2, -1)]:
        one("transpose", lambda x: x.transpose(a, b), {"dim0": a, "dim1": b}, shape)
    for shape, dims in [((2, 3, 4), (2, 0, 1)), ((2, 3, 4), (0, -1, 1)), ((2, 3, 4, 5), (3, 1, 0, 2)), ((3, 4), (0, 1)), ((4,), (0,)),
                        ((0, 2, 3), (2, 0, 1))]:
        one("permute", lambda x: x.permute(dims), {"dims": list(dims)}, shape)
    for shape, dims in [((5,), (0,)), ((3, 4), (0, 1)), ((2, 3, 4), (-1,)), ((2, 3, 4), (0, 2)), ((0, 2), (0,)), ((2, 3, 2, 4), (1, -1))]:
        one("flip", lambda x: x.flip(dims), {"dims": list(dims)}, shape)
    for shape, dim in [((1, 3), 0), ((3, 1), -1), ((3, 4), 0), ((2, 1, 4), 1), ((1,), 0), ((0, 1), 1)]:
        one("squeeze", lambda x: x.squeeze(dim), {"dim": dim}, shape)
    for shape, dim in [((3,), 0), ((3,), -1), ((3, 4), 1), ((), 0), ((2, 3), -3), ((0, 2), 1)]:
        one("unsqueeze", lambda x: x.unsqueeze(dim), {"dim": dim}, shape)
    for dim, shapes in [(0, [(2, 3), (1, 3), (4, 3)]), (1, [(2, 3), (2, 1)]), (-1, [(2, 3, 2), (2, 3, 5)]), (0, [(5,)]),
                        (0, [(0, 3), (2, 3)]), (1, [(2, 3), (2, 0), (2, 1)]), (2, [(2, 1, 3, 2), (2, 1, 1, 2)]), (0, [(0,), (0,)])]:
        one("concat", lambda *xs: torch.cat(xs, dim), {"dim": dim}, *shapes)
    for dim, shape, count in [(0, (3, 4), 3), (1, (3, 4), 2), (-1, (3, 4), 2), (0, (), 3), (0, (2,), 1), (1, (2, 0), 2), (2, (2, 3, 2), 2)]:
        one("stack", lambda *xs: torch.stack(xs, dim), {"dim": dim}, *[shape] * count)
    one("concat", lambda *xs: torch.cat(xs), {}, (2, 3), (1, 3))
    one("stack", lambda *xs: torch.stack(xs), {}, (2, 3), (2, 3))
    for shape, dim, start, stop, step in [((7,), 0, 1, 6, 2), ((7,), 0, 0, 7, 3), ((4, 5), 1, 1, 3, 1), ((4, 5), -2, 2, 4, 1),
                                          ((4, 5), 0, 3, 3, 1), ((2, 9, 3), 1, 0, 9, 4), ((2, 3, 6, 2), 2, 1, 6, 2), ((0, 4), 1, 0, 4, 3),
                                          ((33,), 0, 5, 31, 13)]:
        def part(x):
            return x[tuple(slice(start, stop, step) if i == dim % x.dim() else slice(None) for i in range(x.dim()))]
        one("slice", part, {"dim": dim, "start": start, "stop": stop, "step": step}, shape)
    for shape, dim, index in [((5,), 0, 2), ((3, 4), 1, -1), ((3, 4), 0, 0), ((2, 3, 4), -2, 1), ((2, 3, 2, 4), 3, 3), ((0, 3), 1, 2)]:
        one("select", lambda x: x.select(dim, index), {"dim": dim, "index": index}, shape)
    for shape, dim, index in [((5,), 0, [4, 0, 0]), ((3, 4), 1, [3, 1, 1, 0, 2]), ((2, 3, 4), -2, [2, 2]), ((6, 5), 0, []),
                              ((2, 3, 2, 4), 3, [0, 3, 3, 3])]:
        one("index_select", lambda x: x.index_select(dim, torch.tensor(index, dtype=torch.int64)), {"dim": dim, "index": index}, shape)
    for shape, dim, index_shape in [((5,), 0, (7,)), ((3, 4), 0, (5, 4)), ((3, 4), 1, (2, 6)), ((2, 3, 4), 0, (3, 2, 4)),
                                    ((2, 3, 4), 1, (2, 5, 3)), ((2, 3, 4), -1, (1, 3, 2)), ((2, 3, 2, 3), 2, (2, 2, 4, 3)), ((3, 4), 1, (3, 0))]:
        cases.next()
        index = cases.integers(*index_shape, high=shape[dim])
        run(cases, "gather", "gather", lambda x: x.gather(dim, index), {"dim": dim, "index": tensor(index)}, [cases.normal(*shape)])
    for rows, width, index_shape in [(5, 3, (4,)), (2, 3, (9,)), (7, 8, (2, 5)), (3, 1, ()), (4, 6, (0,)), (10, 33, (3, 2, 2))]:
        cases.next()
        index = cases.integers(*index_shape, high=rows)
        run(cases, "embedding", "embedding", lambda w: F.embedding(index, w), {"index": tensor(index)}, [cases.normal(rows, width)])
    for condition, a, b in [((5,), (5,), (5,)), ((3, 4), (3, 4), ()), ((3, 1), (4,), (3, 4)), ((4,), (2, 1, 4), (3, 4)),
                            ((0,), (0,), (0,)), ((), (2,), (2,)), ((2, 3, 1, 2), (2, 3, 4, 2), (4, 1))]:
        cases.next()
        mask = cases.uniform(*condition) < 0.5
        run(cases, "where", "where", lambda x, y: torch.where(mask, x, y), {"condition": tensor(mask)}, [cases.normal(*a), cases.normal(*b)])
    for op, shape, diagonal in itertools.product(("tril", "triu"), [(4, 4), (3, 5), (2, 5, 3)], (None, 1, -2)):
        attrs = {} if diagonal is None else {"diagonal": diagonal}
        one(op, lambda x: getattr(torch, op)(x, **attrs), attrs, shape)
    for op in ("tril", "triu"):
        one(op, lambda x: getattr(torch, op)(x, 0), {"diagonal": 0}, (0, 3))


def ops():
    cases = Cases("ops")
    for family in (elementwise, special_values, reductions, products, movement):
        family(cases)
    cases.write()


def second_order():
    cases = Cases("second_order")

    def one(op, function, attrs, inputs):
        inputs = [x.clone().requires_grad_() for x in inputs]
        value = function(*inputs)
        value = value.square() if attrs.get("squared") else value
        grads = torch.autograd.grad(value.sum(), inputs, create_graph=True)
        penalty = sum(g.square().sum() for g in grads)
        second = torch.autograd.grad(penalty, inputs, allow_unused=True) if penalty.requires_grad else [None] * len(inputs)
        second = [torch.zeros_like(x) if s is None else s for x, s in zip(inputs, second)]
        cases.add(f"{op}-second", "second_order", op=op, attrs=attrs, inputs=[tensor(x) for x in inputs],
                  grads=[tensor(g) for g in grads], second_grads=[tensor(s) for s in second])

    names = ("exp", "sin", "tanh", "sigmoid", "square", "log", "sqrt", "rsqrt", "reciprocal", "log1p")
    for op, (shape, attrs) in itertools.product(names, [((3, 4), {}), ((0, 2), {}), ((), {"squared": True})]):
        cases.next()
        x = cases.uniform(*shape, low=0.5, high=2.5) if op in POSITIVE | {"reciprocal"} else cases.normal(*shape)
        one(op, UNARY[op], attrs, [x])
    for op, (a, b) in itertools.product(("mul", "div"), [((5,), (5,)), ((3, 4), (4,)), ((3, 1), (1, 4)), ((2, 3), ())]):
        cases.next()
        one(op, BINARY[op], {}, [cases.normal(*a), cases.uniform(*b, low=0.5, high=2.0)])
    for exponent, shape in itertools.product((2.0, 3.0, 0.5, -1.0), [(), (3, 4)]):
        cases.next()
        one("pow_scalar", lambda t: torch.pow(t, exponent), {"exponent": exponent}, [cases.uniform(*shape, low=0.5, high=2.0)])
    for (a, b), attrs in itertools.product([((3, 4), (4, 2)), ((2, 3, 4), (4, 5)), ((2, 3, 4), (2, 4, 5)), ((4,), (4,)), ((5, 4), (4,))],
                                           ({}, {"squared": True})):
        cases.next()
        one("matmul", torch.matmul, attrs, [cases.normal(*a), cases.normal(*b)])
    for op, (shape, dim) in itertools.product(("softmax", "log_softmax"), [((5,), 0), ((3, 4), 1), ((3, 4), 0), ((2, 3, 4), -2)]):
        cases.next()
        one(op, lambda t: getattr(torch, op)(t, dim), {"dim": dim, "squared": True}, [cases.normal(*shape)])
    cases.write()


# Losses.

REDUCTIONS = ("mean", "sum", "none")
LOSSES = {
    "mse": F.mse_loss, "l1": F.l1_loss, "huber": F.huber_loss, "smooth_l1": F.smooth_l1_loss, "bce": F.binary_cross_entropy,
    "bce_with_logits": F.binary_cross_entropy_with_logits, "cross_entropy": F.cross_entropy, "nll": F.nll_loss, "kl_div": F.kl_div,
}


def losses():
    cases = Cases("losses")

    def one(loss, attrs, x, target):
        x = exact(x).requires_grad_()
        target = exact(target) if target.is_floating_point() else target
        options = attrs | ({"weight": torch.tensor(attrs["weight"])} if "weight" in attrs else {})
        output = LOSSES[loss](x, target, **options)
        gradient = cases.normal(*output.shape)
        (grad,) = torch.autograd.grad(output, x, gradient)
        cases.add(loss, "loss", loss=loss, attrs=number_attrs(attrs), input=tensor(x), target=tensor(target), output=tensor(output),
                  grad_output=tensor(gradient), grad_input=tensor(grad))

    plain = {"mse": [{}], "l1": [{}], "huber": [{}, {"delta": 0.5}, {"delta": 2.0}], "smooth_l1": [{}, {"beta": 0.5}, {"beta": 2.0}]}
    for loss, choices in plain.items():
        shapes = [(), (5,), (2, 3, 4), (100,)] if len(choices) == 1 else [(17,)]
        for attrs, reduction, shape in itertools.product(choices, REDUCTIONS, shapes):
            cases.next()
            one(loss, {"reduction": reduction, **attrs}, cases.normal(*shape, scale=2.0), cases.normal(*shape))
        for attrs in choices:  # Differences of 0, and on both sides of the kink and on it; a loss without its reduction is a mean.
            cases.next()
            one(loss, {"reduction": "none", **attrs}, values(1.0, 1.5, 2.0, 3.0, -1.0, 1e4), values(1.0, 1.0, 1.0, 1.0, 1.0, -1e4))
        for reduction in ("mean", "sum"):
            cases.next()
            one(loss, {"reduction": reduction}, torch.zeros(0, 3), torch.zeros(0, 3))
        cases.next()
        one(loss, {}, cases.normal(4, 2), cases.normal(4, 2))
    for reduction, shape in itertools.product(REDUCTIONS, [(), (4, 3), (33,)]):
        cases.next()
        one("bce", {"reduction": reduction}, cases.uniform(*shape, low=0.05, high=0.95), cases.uniform(*shape))
        cases.next()
        one("bce_with_logits", {"reduction": reduction}, cases.normal(*shape, scale=3.0), cases.uniform(*shape))
    for scale, reduction in itertools.product((100.0, 1e4), REDUCTIONS):
        cases.next()
        one("bce_with_logits", {"reduction": reduction}, values(scale, -scale, scale, -scale, 0.0, 1.0), values(1.0, 0.0, 0.0, 1.0, 0.5, 1.0))
    for reduction in REDUCTIONS:
        cases.next()
        one("bce", {"reduction": reduction}, values(0.25, 0.75, 0.5), values(0.0, 1.0, 1.0))
    for reduction, shape in itertools.product(REDUCTIONS + ("batchmean",), [(5,), (4, 3), (2, 3, 4)]):
        cases.next()
        one("kl_div", {"reduction": reduction}, F.log_softmax(cases.normal(*shape), -1), F.softmax(cases.normal(*shape), -1))
    for reduction in ("sum", "none"):
        cases.next()
        one("kl_div", {"reduction": reduction}, F.log_softmax(cases.normal(2, 3), -1), values(0.0, 0.5, 0.5, 1.0, 0.0, 0.0).reshape(2, 3))

    weights = [0.5, 2.0, 1.0, 0.25]
    variants = [{}, {"weight": weights}, {"ignore_index": 1}, {"weight": weights, "ignore_index": 1}]
    smoothed = [{"label_smoothing": 0.1}, {"label_smoothing": 0.25, "weight": weights},
                {"label_smoothing": 0.1, "weight": weights, "ignore_index": 1}]

    def classified(loss, attrs, shape, target=None):
        cases.next()
        x = cases.normal(*shape, scale=2.0)
        dim = 0 if len(shape) == 1 else 1
        x = F.log_softmax(x, dim) if loss == "nll" else x
        if target is None:
            target = cases.integers(*(shape[:1] + shape[2:] if dim else ()), high=shape[dim])
        one(loss, attrs, x, target)

    for loss, reduction, shape in itertools.product(("cross_entropy", "nll"), REDUCTIONS, [(6, 4), (3, 4, 5)]):
        for attrs in variants + (smoothed if loss == "cross_entropy" else []):
            classified(loss, {"reduction": reduction, **attrs}, shape)
    for loss in ("cross_entropy", "nll"):
        classified(loss, {}, (7, 33))
        classified(loss, {"reduction": "mean"}, (4,))
        classified(loss, {"reduction": "sum"}, (1, 4))
        classified(loss, {"reduction": "sum"}, (0, 4))
        classified(loss, {"reduction": "mean"}, (0, 4))
        classified(loss, {"reduction": "mean"}, (3, 4), torch.tensor([2, -100, 0]))  # The default ignore_index.
        classified(loss, {"reduction": "mean", "ignore_index": 2}, (3, 4), torch.tensor([2, 2, 2]))  # Nothing is left: NaN.
        classified(loss, {"reduction": "sum", "ignore_index": 2}, (3, 4), torch.tensor([2, 2, 2]))
        classified(loss, {"reduction": "mean", "ignore_index": -1}, (3, 4), torch.tensor([2, -1, 0]))
    classified("cross_entropy", {"label_smoothing": 1.0}, (5, 130))
    for reduction in REDUCTIONS:
        cases.next()
        one("cross_entropy", {"reduction": reduction}, values(1e4, 0.0, -1e4, 100.0, -100.0, 0.0).reshape(2, 3), torch.tensor([1, 0]))
    cases.write()


# Clipping.

def clip_adaptive(params, grads, clipping, eps):
    """Unit-wise adaptive clipping (Brock et al. 2021): a unit is a row of a matrix, or the whole of a vector."""
    result = []
    for w, g in zip(params, grads):
        rows = [x.reshape(x.shape[0], -1) if x.dim() > 1 else x.reshape(1, -1) for x in (w, g)]
        bound = clipping * rows[0].norm(dim=1, keepdim=True).clamp(min=eps)
        norm = rows[1].norm(dim=1, keepdim=True)
        result.append(torch.where(norm < bound, rows[1], rows[1] * bound / norm.clamp(min=1e-6)).reshape(g.shape))
    return result


def clips():
    cases = Cases("clips")
    shapes = [(3, 4), (4,), (2, 3, 2), (1,), (), (17, 3)]

    def one(clip, attrs, grads, params=None):
        params = [torch.zeros_like(g) for g in grads] if params is None else params
        leaves = [p.clone().requires_grad_() for p in params]
        for leaf, g in zip(leaves, grads):
            leaf.grad = g.clone()
        norm = None
        if clip == "global_norm":
            norm = torch.nn.utils.clip_grad_norm_(leaves, **attrs).item()
        elif clip == "per_parameter_norm":
            for leaf in leaves:
                torch.nn.utils.clip_grad_norm_([leaf], **attrs)
        elif clip == "value":
            torch.nn.utils.clip_grad_value_(leaves, **attrs)
        elif clip == "adaptive":
            for leaf, g in zip(leaves, clip_adaptive(params, grads, **attrs)):
                leaf.grad = g
        cases.add(clip, "clip", clip=clip, attrs=number_attrs(attrs), params=[tensor(p) for p in params], grads=[tensor(g) for g in grads],
                  expected_grads=[tensor(leaf.grad) for leaf in leaves], expected_norm=number(norm))

    def draw(scale, of=shapes):
        return [cases.normal(*s, scale=scale) for s in of]

    # A threshold that acts, and one that does not, for every norm.
    for clip, p, (threshold, scale) in itertools.product(("global_norm", "per_parameter_norm"), (1.0, 2.0, 3.0, INF),
                                                         [(0.25, 1e-4), (0.25, 1.0), (100.0, 1.0), (1.0, 1e4)]):
        cases.next()
        one(clip, {"max_norm": threshold, "norm_type": p}, draw(scale))
    # Huge and tiny gradients: their squares leave float32, their norms do not.
    for clip, (p, threshold, scale) in itertools.product(("global_norm", "per_parameter_norm"),
                                                         [(2.0, 1.0, 1e30), (1.0, 1.0, 1e30), (3.0, 1.0, 1e30), (INF, 1.0, 1e30),
                                                          (2.0, 1e20, 1e30), (2.0, 1e-3, 1e-30), (3.0, 1e-3, 1e-30), (INF, 1e-3, 1e-30)]):
        cases.next()
        one(clip, {"max_norm": threshold, "norm_type": p}, draw(scale))
    for clip in ("global_norm", "per_parameter_norm"):
        cases.next()
        one(clip, {"max_norm": 1.0}, draw(1.0))
        cases.next()
        one(clip, {"max_norm": 1.0, "norm_type": 2.0}, [torch.zeros(3, 4), torch.zeros(5), torch.zeros(0)])
    cases.next()
    one("global_norm", {"max_norm": 1.0, "norm_type": 2.0}, draw(0.5, [(3,)] * 40))
    for value, scale in itertools.product((0.125, 50.0), (1e-3, 1.0, 1e4, 1e30)):
        cases.next()
        one("value", {"clip_value": value}, draw(scale))
    cases.next()
    one("value", {"clip_value": 0.5}, [values(0.5, -0.5, 0.0, -0.0, 0.75, -0.75), torch.zeros(0)])
    units = [(3, 4), (4,), (2, 3, 2), (), (2, 3, 2, 2), (1,)]
    for clipping, eps, scale, weight in itertools.product((0.01, 0.1), (1e-3, 0.1), (1e-4, 1.0), (0.0, 1.0)):
        cases.next()
        one("adaptive", {"clipping": clipping, "eps": eps}, draw(scale, units), draw(weight, units))
    cases.next()
    one("adaptive", {"clipping": 0.01, "eps": 1e-3}, [torch.zeros(3, 4), torch.zeros(5)], draw(1.0, [(3, 4), (5,)]))
    cases.write()


# Layers.

RECURRENT = {"rnn": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}


def rounded(module):
    """A module whose parameters float32 holds exactly."""
    for p in module.parameters():
        p.data = exact(p.data)
    return module


def layers():
    cases = Cases("layers")

    def one(name, attrs, time, batch, has_state, used=("output", "hn", "cn")):
        layer = rounded(RECURRENT[name](**attrs))
        shape = (batch, time) if attrs.get("batch_first") else (time, batch)
        inputs = {"input": cases.normal(*shape, attrs["input_size"])}
        if has_state:
            parts = attrs.get("num_layers", 1) * (2 if attrs.get("bidirectional") else 1)
            for state in ("h0", "c0") if name == "lstm" else ("h0",):
                inputs[state] = cases.normal(parts, batch, attrs["hidden_size"])
        leaves = {n: x.clone().requires_grad_() for n, x in inputs.items()}
        state = (leaves["h0"], leaves["c0"]) if "c0" in leaves else leaves.get("h0")
        output, last = layer(leaves["input"], state)
        outputs = {"output": output, "hn": last[0], "cn": last[1]} if name == "lstm" else {"output": output, "hn": last}
        gradients = {n: cases.normal(*y.shape) for n, y in outputs.items() if n in used}
        torch.autograd.backward([outputs[n] for n in gradients], list(gradients.values()))
        grads = {n: tensor(x.grad) for n, x in leaves.items()} | {n: tensor(p.grad) for n, p in layer.named_parameters()}
        cases.add(name, "layer", layer=name, attrs=attrs, parameters={n: tensor(p) for n, p in layer.named_parameters()},
                  inputs={n: tensor(x) for n, x in inputs.items()}, outputs={n: tensor(y) for n, y in outputs.items()},
                  grad_outputs={n: tensor(g) for n, g in gradients.items()}, grads={n: g for n, g in grads.items() if g is not None})

    for name in RECURRENT:
        nonlinearities = [{}, {"nonlinearity": "relu"}] if name == "rnn" else [{}]
        for extra in nonlinearities:
            for count, both, first, bias, state in itertools.product((1, 2), (False, True), (False, True), (False, True), (False, True)):
                cases.next()
                sizes = {"input_size": 3, "hidden_size": 4, "num_layers": count, "bidirectional": both, "batch_first": first, "bias": bias}
                one(name, sizes | extra, time=4, batch=2, has_state=state)
        for hidden, time, batch in ((1, 1, 1), (16, 3, 2), (17, 6, 5), (33, 2, 3), (5, 30, 1), (2, 5, 20)):
            cases.next()
            one(name, {"input_size": 6, "hidden_size": hidden}, time, batch, has_state=time % 2 == 0)
        for used in (("output",), ("hn",), ("hn", "cn")):
            cases.next()
            one(name, {"input_size": 3, "hidden_size": 4, "num_layers": 2}, 5, 2, True, used)
    cases.write()


def batch_norms():
    cases = Cases("batch_norms")
    for shape, attrs in itertools.product([(6, 3), (2, 4), (5, 1), (4, 3, 5), (20, 17)],
                                          [{}, {"momentum": 0.5}, {"eps": 0.1}, {"momentum": 0.9, "eps": 1e-3}]):
        cases.next()
        layer = torch.nn.BatchNorm1d(shape[1], **attrs)
        for p in layer.parameters():
            p.data = cases.normal(*p.shape)
        start = {n: tensor(p) for n, p in layer.named_parameters()}
        inputs = [cases.normal(*shape, scale=2.0) + k for k in range(3)]
        outputs = [layer(x) for x in inputs]
        layer.eval()
        cases.add("batch_norm", "batch_norm_running", attrs={"num_features": shape[1]} | attrs, parameters=start,
                  train_inputs=[tensor(x) for x in inputs], train_outputs=[tensor(y) for y in outputs],
                  running_mean=tensor(layer.running_mean), running_var=tensor(layer.running_var), eval_output=tensor(layer(inputs[0])))
    cases.write()


# Optimizers and trainings.

OPTIMIZERS = {
    "sgd": (torch.optim.SGD, [
        {}, {"lr": 0.1}, {"lr": 0.1, "momentum": 0.9}, {"lr": 0.05, "momentum": 0.9, "nesterov": True},
        {"lr": 0.1, "momentum": 0.8, "dampening": 0.3}, {"lr": 0.1, "weight_decay": 0.01}, {"lr": 0.1, "maximize": True},
        {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.1, "maximize": True},
        {"lr": 0.05, "momentum": 0.8, "nesterov": True, "weight_decay": 0.1}]),
    "adam": (torch.optim.Adam, [
        {}, {"lr": 0.01, "betas": [0.8, 0.95]}, {"lr": 0.01, "eps": 1e-3}, {"lr": 0.01, "weight_decay": 0.1}, {"lr": 0.01, "amsgrad": True},
        {"lr": 0.01, "maximize": True}, {"lr": 0.02, "amsgrad": True, "weight_decay": 0.05, "maximize": True}]),
    "adamw": (torch.optim.AdamW, [
        {}, {"lr": 0.01, "weight_decay": 0.3}, {"lr": 0.01, "weight_decay": 0.0, "eps": 1e-3}, {"lr": 0.01, "amsgrad": True},
        {"lr": 0.01, "maximize": True, "betas": [0.7, 0.9]}]),
    "rmsprop": (torch.optim.RMSprop, [
        {}, {"lr": 0.01, "alpha": 0.9}, {"lr": 0.01, "momentum": 0.9}, {"lr": 0.01, "centered": True},
        {"lr": 0.01, "eps": 1e-3, "weight_decay": 0.1},
        {"lr": 0.01, "centered": True, "momentum": 0.5, "weight_decay": 0.1, "eps": 1e-4}]),
    "adagrad": (torch.optim.Adagrad, [
        {}, {"lr": 0.1, "lr_decay": 0.1}, {"lr": 0.1, "initial_accumulator_value": 0.5}, {"lr": 0.1, "weight_decay": 0.1, "eps": 1e-3}]),
    "adadelta": (torch.optim.Adadelta, [{}, {"lr": 0.5, "rho": 0.8}, {"lr": 1.0, "eps": 1e-3, "weight_decay": 0.1}]),
    "adamax": (torch.optim.Adamax, [{}, {"lr": 0.01, "betas": [0.8, 0.95], "weight_decay": 0.1}, {"lr": 0.01, "eps": 1e-2}]),
    "nadam": (torch.optim.NAdam, [
        {}, {"lr": 0.01, "momentum_decay": 0.1}, {"lr": 0.01, "betas": [0.8, 0.95], "weight_decay": 0.1, "eps": 1e-4}]),
    "radam": (torch.optim.RAdam, [{}, {"lr": 0.01, "betas": [0.8, 0.95]}, {"lr": 0.01, "weight_decay": 0.1, "eps": 1e-4}]),
}


def create_optimizer(name, parameters, attrs):
    return OPTIMIZERS[name][0](parameters, foreach=False, **{k: tuple(v) if k == "betas" else v for k, v in attrs.items()})


def optimizers():
    cases = Cases("optimizers")

    def one(name, attrs, params, grads):
        leaves = [p.clone().requires_grad_() for p in params]
        optimizer = create_optimizer(name, leaves, attrs)
        expected = []
        for step in grads:
            for leaf, g in zip(leaves, step):
                leaf.grad = g.clone()
            optimizer.step()
            expected.append([tensor(leaf) for leaf in leaves])
        cases.add(name, "optimizer", optimizer=name, attrs=attrs, params=[tensor(p) for p in params],
                  grads=[[tensor(g) for g in step] for step in grads], expected=expected)

    for name, (_, choices) in OPTIMIZERS.items():
        for place, attrs in enumerate(choices):
            cases.next()
            shapes = [(3, 4), (17,), ()]
            params = [cases.normal(*s) for s in shapes]
            one(name, attrs, params, [[cases.normal(*s) for s in shapes] for _ in range((6, 12, 8)[place % 3])])
        # An element whose gradient is always zero, and one that starts to move late.
        cases.next()
        steps = [[values(0.0, 0.0 if step < 3 else 1.0, 1.0, -2.0)] for step in range(5)]
        one(name, {"lr": 0.1}, [cases.normal(4)], steps)
    cases.write()


def train(cases, label, description, model, x, target, loss, name, attrs, max_norm, count):
    """Trains a model on one batch and adds the case."""
    start = {n: tensor(p) for n, p in model.named_parameters()}
    optimizer = create_optimizer(name, model.parameters(), attrs)
    steps, norms = [], []
    for _ in range(count):
        optimizer.zero_grad()
        value = LOSSES[loss](model(x), target)
        value.backward()
        norms.append(torch.nn.utils.clip_grad_norm_(model.parameters(), INF if max_norm is None else max_norm).item())
        optimizer.step()
        steps.append(value.item())
    cases.add(label, "training", model=description, parameters=start, input=tensor(x), target=tensor(target), loss=loss, optimizer=name,
              optimizer_attrs=attrs, max_norm=max_norm, losses=number(steps), norms=number(norms),
              final_parameters={n: tensor(p) for n, p in model.named_parameters()})


def trainings():
    cases = Cases("trainings")
    activations = {"tanh": torch.nn.Tanh, "relu": torch.nn.ReLU, "sigmoid": torch.nn.Sigmoid, "gelu": torch.nn.GELU,
                   "silu": torch.nn.SiLU, "elu": torch.nn.ELU, "leaky_relu": torch.nn.LeakyReLU, "softplus": torch.nn.Softplus}
    chosen = [("tanh", [6, 9, 4], "cross_entropy", "sgd", {"lr": 0.5}, 0.5),
              ("relu", [6, 9, 4], "cross_entropy", "adam", {"lr": 0.02}, 0.5),
              ("sigmoid", [5, 8, 8, 3], "mse", "adamw", {"lr": 0.02, "weight_decay": 0.1}, 0.1),
              ("gelu", [4, 17, 2], "mse", "rmsprop", {"lr": 0.01, "momentum": 0.5}, None),
              ("silu", [7, 12, 5], "cross_entropy", "nadam", {"lr": 0.02}, 0.3),
              ("elu", [3, 10, 1], "mse", "sgd", {"lr": 0.05, "momentum": 0.9}, 0.2),
              ("tanh", [6, 9, 4], "cross_entropy", "adagrad", {"lr": 0.1}, None),
              ("tanh", [2, 16, 16, 1], "mse", "adam", {"lr": 0.02, "amsgrad": True}, 1.0),
              ("leaky_relu", [5, 11, 3], "cross_entropy", "radam", {"lr": 0.02}, None),
              ("softplus", [4, 7, 2], "mse", "adamax", {"lr": 0.02, "weight_decay": 0.01}, 0.5),
              ("relu", [8, 13, 10], "cross_entropy", "adadelta", {"lr": 1.0}, 1.0),
              ("tanh", [5, 3], "cross_entropy", "sgd", {"lr": 0.2, "momentum": 0.9, "nesterov": True, "weight_decay": 0.01}, None)]
    for activation, sizes, loss, name, attrs, max_norm in chosen:
        cases.next()
        layers = []
        for a, b in zip(sizes, sizes[1:]):
            layers += [torch.nn.Linear(a, b), activations[activation]()]
        model = torch.nn.Sequential(*layers[:-1])
        rounded(model)
        x = cases.normal(20, sizes[0])
        target = cases.integers(20, high=sizes[-1]) if loss == "cross_entropy" else cases.normal(20, sizes[-1])
        train(cases, "mlp", {"type": "mlp", "sizes": sizes, "activation": activation}, model, x, target, loss, name, attrs, max_norm, 20)

    class Reader(torch.nn.Module):
        def __init__(self, kind, inputs, hidden, outputs):
            super().__init__()
            self.rnn = RECURRENT[kind](inputs, hidden, batch_first=True)
            self.head = torch.nn.Linear(hidden, outputs)

        def forward(self, x):
            return self.head(self.rnn(x)[0][:, -1])

    chosen = [("cross_entropy", "sgd", {"lr": 0.3, "momentum": 0.5}, 0.5), ("mse", "adam", {"lr": 0.01}, 0.2),
              ("mse", "rmsprop", {"lr": 0.005, "momentum": 0.5}, None), ("cross_entropy", "adamw", {"lr": 0.02, "weight_decay": 0.1}, 1.0)]
    for kind, (loss, name, attrs, max_norm) in itertools.product(RECURRENT, chosen):
        cases.next()
        sizes = {"input_size": 3, "hidden_size": 9, "output_size": 2}
        model = rounded(Reader(kind, *sizes.values()))
        x = cases.normal(6, 10, 3)
        target = cases.integers(6, high=2) if loss == "cross_entropy" else cases.normal(6, 2)
        train(cases, kind, {"type": kind} | sizes, model, x, target, loss, name, attrs, max_norm, 15)
    cases.write()


# Schedules.

PLATEAU_METRICS = {
    "falling": [1.0 / (1 + i) for i in range(20)],
    "flat": [1.0] * 24,
    "stairs": [3.0 - i // 6 for i in range(24)],
    "just_better": [1.0 - 0.00005 * i for i in range(24)],
    "rising": [0.1 * i for i in range(20)],
    "nan": [1.0, NAN, NAN, NAN, 0.5, NAN, 0.25, 0.25, NAN, INF, 0.125, 0.25],
    "wave": [2.0 + math.sin(0.7 * i) + 0.05 * i for i in range(30)],
}
SCHEDULERS = {
    "step": ("StepLR", [{"step_size": 4}, {"step_size": 1, "gamma": 0.9}, {"step_size": 7, "gamma": 0.5}, {"step_size": 40}]),
    "multi_step": ("MultiStepLR", [
        {"milestones": [2, 5, 9]}, {"milestones": [1, 2, 20], "gamma": 0.5}, {"milestones": [3, 3, 8], "gamma": 0.5}, {"milestones": []}]),
    "exponential": ("ExponentialLR", [{"gamma": 0.9}, {"gamma": 1.0}, {"gamma": 1.1}]),
    "cosine": ("CosineAnnealingLR", [{"t_max": 30}, {"t_max": 10, "eta_min": 0.01}, {"t_max": 7}, {"t_max": 1, "eta_min": 0.001}]),
    "cosine_warm_restarts": ("CosineAnnealingWarmRestarts", [
        {"t_0": 7}, {"t_0": 4, "t_mult": 2}, {"t_0": 1, "t_mult": 3, "eta_min": 0.01}, {"t_0": 10, "eta_min": 0.05}]),
    "linear": ("LinearLR", [
        {}, {"start_factor": 0.1}, {"start_factor": 1.0, "end_factor": 0.2, "total_iters": 12}, {"total_iters": 40},
        {"start_factor": 0.5, "end_factor": 0.0, "total_iters": 1}]),
    "one_cycle": ("OneCycleLR", [
        {"max_lr": 0.5, "total_steps": 30}, {"max_lr": 0.1, "total_steps": 7}, {"max_lr": 0.1, "total_steps": 25, "pct_start": 0.45},
        {"max_lr": 2.0, "total_steps": 30, "div_factor": 10.0, "final_div_factor": 100.0},
        {"max_lr": 1.0, "total_steps": 30, "three_phase": True}, {"max_lr": 1.0, "total_steps": 23, "pct_start": 0.4, "three_phase": True}]),
    "polynomial": ("PolynomialLR", [{}, {"total_iters": 20}, {"total_iters": 20, "power": 2.0}, {"total_iters": 12, "power": 0.5}]),
    "reduce_on_plateau": ("ReduceLROnPlateau", [
        ("flat", {}), ("falling", {"patience": 0}), ("stairs", {"patience": 3, "factor": 0.5}), ("just_better", {"patience": 4}),
        ("rising", {"patience": 2, "factor": 0.7}), ("rising", {"mode": "max", "patience": 0}), ("nan", {"patience": 1, "factor": 0.5}),
        ("wave", {"mode": "max", "patience": 3, "factor": 0.3}), ("wave", {"mode": "min", "patience": 5}),
        ("flat", {"patience": 1, "factor": 0.5, "cooldown": 3}), ("flat", {"patience": 0, "factor": 0.1, "min_lr": 0.01}),
        ("stairs", {"patience": 2, "factor": 0.5, "threshold": 0.6, "cooldown": 1}), ("nan", {"mode": "max", "patience": 0, "factor": 0.5})]),
}


def schedulers():
    cases = Cases("schedulers")
    spelling = {"t_max": "T_max", "t_0": "T_0", "t_mult": "T_mult"}
    for name, (kind, choices) in SCHEDULERS.items():
        for place, choice in enumerate(choices):
            metrics_name, attrs = choice if isinstance(choice, tuple) else (None, choice)
            base = (0.1, 0.03, 1.0)[place % 3]
            optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=base)
            fixed = {"cycle_momentum": False} if name == "one_cycle" else {}
            scheduler = getattr(torch.optim.lr_scheduler, kind)(optimizer, **fixed, **{spelling.get(k, k): v for k, v in attrs.items()})
            optimizer.step()  # PyTorch wants the optimizer's first step before the scheduler's.
            metrics = PLATEAU_METRICS.get(metrics_name)
            lrs = [optimizer.param_groups[0]["lr"]]
            for step in range(attrs.get("total_steps", 30) if metrics is None else len(metrics)):
                scheduler.step(*([] if metrics is None else [metrics[step]]))
                lrs.append(optimizer.param_groups[0]["lr"])
            cases.add(name, "scheduler", scheduler=name, base_lr=base, attrs=attrs, metrics=number(metrics), lrs=number(lrs))
    cases.write()


def main():
    for group in (ops, second_order, losses, clips, layers, batch_norms, optimizers, trainings, schedulers):
        group()
    print(", ".join(f"{kind}: {count}" for kind, count in COUNTS.items()), f"- {sum(COUNTS.values())} cases")


if __name__ == "__main__":
    main()
