#!/usr/bin/env python3
"""Writes the conformance cases of clipped updates, of SPAM and of per-example clipping: what the papers' formulas give.

Plain Python in float64, one scalar at a time, written from the formulas; nothing else is needed but the thresholds of
generate_clipping.py. The output is the same on
every run: every case is seeded by its place. All inputs are numbers that float32 holds exactly.

  Adafactor's clip    Shazeer and Stern 2018, arXiv:1804.04235, section 6: u / max(1, RMS(u) / d)
  StableAdamW         Wortsman et al. 2023, arXiv:2304.13013, algorithm 2: eta / max(1, sqrt(mean(g^2 / max(v, eps^2))))
  Clippy              Tang et al. 2023, arXiv:2302.09178: min(1, min_i (rel |w_i| + abs) / |delta_i|)
  SPAM                Huang et al. 2025, arXiv:2501.06842, algorithm 1
  per-example         Abadi et al. 2016, arXiv:1607.00133, algorithm 1, without the noise
"""
import gzip
import json
import math
import pathlib
import random

from generate_clipping import RULES, Fixed

SEED = 11
TARGET = pathlib.Path(__file__).parent / "cases"
RELATIVE, ABSOLUTE = 0.1, 1e-7  # Clippy's defaults.


def number(value):
    """A number as JSON; nine digits hold any float32 exactly."""
    return [number(x) for x in value] if isinstance(value, list) else float(f"{value:.9g}")


def finite(value):
    """As JSON has no infinity, a text."""
    return "inf" if value == math.inf else value


def tensor(shape, values):
    return {"shape": list(shape), "data": number(list(values))}


class Cases:
    """The cases of the file; each draws its numbers after a seed of its own."""

    def __init__(self):
        self.cases = []
        self.random = random.Random()

    def next(self):
        self.random = random.Random(SEED * 100_003 + len(self.cases))

    def normal(self, count, scale=1.0):
        """Normally distributed, in steps of 1/1024; the scale is a power of two."""
        return [scale * round(self.random.gauss(0, 1) * 1024) / 1024 for _ in range(count)]

    def add(self, label, kind, **fields):
        self.cases.append({"id": f"{label}-{len(self.cases)}", "kind": kind, **fields})

    def write(self):
        document = {"source": "published formulas in float64", "seed": SEED, "cases": self.cases}
        text = json.dumps(document, separators=(",", ":"), allow_nan=False)
        path = TARGET / "updates.json.gz"
        path.write_bytes(gzip.compress(text.encode(), compresslevel=9, mtime=0))
        print(f"{path.name}: {len(self.cases)} cases, {path.stat().st_size} bytes")


# Optimizers: each gives the update delta of one element, with the learning rate, and the mean square that it divides by
# (bias corrected where the optimizer corrects it), and moves what it remembers of the element.

def sgd(a, s, g, t):
    if not a.get("momentum"):
        return a["lr"] * g, None
    mu = a["momentum"]
    b = g if t == 1 else mu * s["b"] + (1 - a.get("dampening", 0)) * g
    s["b"] = b
    return a["lr"] * (g + mu * b if a.get("nesterov") else b), None


def means(a, s, g):
    b1, b2 = a["betas"]
    s["m"] = b1 * s.get("m", 0.0) + (1 - b1) * g
    s["v"] = b2 * s.get("v", 0.0) + (1 - b2) * g * g
    return b1, b2


def adam(a, s, g, t):
    b1, b2 = means(a, s, g)
    v = s["v"]
    if a.get("amsgrad"):
        v = s["largest"] = max(s.get("largest", 0.0), v)
    square = v / (1 - b2 ** t)
    return a["lr"] * s["m"] / (1 - b1 ** t) / (math.sqrt(square) + a["eps"]), square


def nadam(a, s, g, t):
    b1, b2 = means(a, s, g)
    mu, following = (b1 * (1 - 0.5 * 0.96 ** (k * 4e-3)) for k in (t, t + 1))
    s["product"] = s.get("product", 1.0) * mu
    square = s["v"] / (1 - b2 ** t)
    m = following * s["m"] / (1 - s["product"] * following) + (1 - mu) * g / (1 - s["product"])
    return a["lr"] * m / (math.sqrt(square) + a["eps"]), square


def radam(a, s, g, t):
    b1, b2 = means(a, s, g)
    square = s["v"] / (1 - b2 ** t)
    m = s["m"] / (1 - b1 ** t)
    longest = 2 / (1 - b2) - 1
    length = longest - 2 * t * b2 ** t / (1 - b2 ** t)
    if length <= 5:
        return a["lr"] * m, square
    r = math.sqrt((length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length))
    return a["lr"] * m * r * math.sqrt(1 - b2 ** t) / (math.sqrt(s["v"]) + a["eps"]), square


def adamax(a, s, g, t):
    b1, b2 = a["betas"]
    s["m"] = b1 * s.get("m", 0.0) + (1 - b1) * g
    s["u"] = max(b2 * s.get("u", 0.0), abs(g) + a["eps"])
    return a["lr"] / (1 - b1 ** t) * s["m"] / s["u"], None


def rmsprop(a, s, g, t):
    alpha = a["alpha"]
    s["v"] = alpha * s.get("v", 0.0) + (1 - alpha) * g * g
    square = s["v"]
    if a.get("centered"):
        s["mean"] = alpha * s.get("mean", 0.0) + (1 - alpha) * g
        square -= s["mean"] ** 2
    step = g / (math.sqrt(square) + a["eps"])
    if a.get("momentum"):
        step = s["b"] = a["momentum"] * s.get("b", 0.0) + step
    return a["lr"] * step, square


def adagrad(a, s, g, t):
    s["sum"] = s.get("sum", 0.0) + g * g
    return a["lr"] / (1 + (t - 1) * a.get("lr_decay", 0.0)) * g / (math.sqrt(s["sum"]) + a["eps"]), None


def adadelta(a, s, g, t):
    rho = a["rho"]
    s["v"] = rho * s.get("v", 0.0) + (1 - rho) * g * g
    step = g * math.sqrt(s.get("moved", 0.0) + a["eps"]) / math.sqrt(s["v"] + a["eps"])
    s["moved"] = rho * s.get("moved", 0.0) + (1 - rho) * step * step
    return a["lr"] * step, s["v"]


BETAS = [0.9, 0.99]
OPTIMIZERS = {
    "sgd": (sgd, [{"lr": 0.1}, {"lr": 0.05, "momentum": 0.9, "dampening": 0.1}, {"lr": 0.05, "momentum": 0.8, "nesterov": True}]),
    "adam": (adam, [{"lr": 0.02, "betas": BETAS, "eps": 1e-8}, {"lr": 0.02, "betas": BETAS, "eps": 1e-6, "amsgrad": True}]),
    "adamw": (adam, [{"lr": 0.02, "betas": BETAS, "eps": 1e-8}]),
    "rmsprop": (rmsprop, [{"lr": 0.02, "alpha": 0.9, "eps": 1e-8}, {"lr": 0.01, "alpha": 0.9, "eps": 1e-8, "momentum": 0.5, "centered": True}]),
    "adagrad": (adagrad, [{"lr": 0.3, "eps": 1e-10, "lr_decay": 0.1}]),
    "adadelta": (adadelta, [{"lr": 1.0, "rho": 0.9, "eps": 1e-6}]),
    "adamax": (adamax, [{"lr": 0.05, "betas": BETAS, "eps": 1e-8}]),
    "nadam": (nadam, [{"lr": 0.02, "betas": BETAS, "eps": 1e-8}]),
    "radam": (radam, [{"lr": 0.05, "betas": BETAS, "eps": 1e-8}]),
}


def size_of(clip, lr, weights, deltas, gradients, squares):
    """What of the update of one parameter is compared with the threshold."""
    count = len(weights)
    if clip["clip"] == "rms":
        return math.sqrt(sum((d / lr) ** 2 for d in deltas) / count)
    if clip["clip"] == "stable_adamw":
        floor = clip["clip_eps"] ** 2
        return math.sqrt(sum(g * g / max(v, floor) for g, v in zip(gradients, squares)) / count)
    relative, absolute = clip.get("relative", RELATIVE), clip.get("absolute", ABSOLUTE)
    return max(abs(d) / (relative * abs(w) + absolute) for w, d in zip(weights, deltas))


def update_clips(cases):
    """Each optimizer with each clip under a number, then each clip under each threshold that follows the past."""
    clips = [
        {"clip": "rms", "threshold": 1.0}, {"clip": "rms", "threshold": 0.25}, {"clip": "rms", "threshold": 0.001}, {"clip": "rms", "threshold": 100.0},
        {"clip": "stable_adamw", "clip_eps": 1e-8}, {"clip": "stable_adamw", "clip_eps": 0.5},
        {"clip": "clippy"}, {"clip": "clippy", "relative": 0.5, "absolute": 0.05},
    ]
    for name, (rule, choices) in OPTIMIZERS.items():
        for place, base in enumerate(choices):
            for which, clip in enumerate(clips):
                if clip["clip"] == "stable_adamw" and name in ("sgd", "adagrad", "adamax"):
                    continue
                cases.next()
                update_clip(cases, name, rule, base, clip, (0.0, 0.1)[(place + which) % 2], which % 3 == 2)
    sizes = [{"clip": "rms"}, {"clip": "stable_adamw", "clip_eps": 0.01}, {"clip": "clippy", "relative": 0.25, "absolute": 0.05}]
    for number_of, (threshold, (make, choices)) in enumerate(RULES.items()):
        for place, settings in enumerate(choices):
            for which, clip in enumerate(sizes):
                name = ("adam", "adamw", "rmsprop")[(number_of + place + which) % 3]
                rule, bases = OPTIMIZERS[name]
                cases.next()

                # Adam's first update has a size of just 1, of which rounding would decide whether it is above a threshold of 1.
                off = {key: 0.875 if key in ("initial", "absolute") and value == 1.0 else value for key, value in settings.items()}
                update_clip(cases, name, rule, bases[0], clip, 0.1 * (place % 2), which == 1, (threshold, make, off))


def update_clip(cases, name, rule, base, clip, decay, maximize, threshold=None):
    """Five steps under a number, or nine under another threshold, which each parameter has to itself."""
    shapes = [(2, 3), (4,)]
    a = {**base, "weight_decay": decay}
    parameters = [cases.normal(math.prod(shape)) for shape in shapes]
    parameters[1][0] = 0.0  # Where Clippy has nothing but its absolute bound.
    start = [list(p) for p in parameters]
    states = [[{} for _ in p] for p in parameters]
    series = [make_series(threshold, clip) for _ in parameters]
    gradients, expected, coefficients, reports = [], [], [], []
    for t in range(1, 10 if threshold else 6):
        # A gradient that is suddenly 64 times larger, and a parameter whose second element has none.
        step = [cases.normal(len(p), 64.0 if t == 4 else 1.0) for p in parameters]
        step[0][1] = 0.0
        parts, sizes, limits = [], [], []
        for p, g, s, rule_of in zip(parameters, step, states, series):
            searched = [(-x if maximize else x) + (0 if name == "adamw" else decay * w) for x, w in zip(g, p)]
            made = [rule(a, state, x, t) for state, x in zip(s, searched)]
            deltas = [delta for delta, _ in made]
            size = size_of(clip, a["lr"], p, deltas, searched, [square for _, square in made])
            current = rule_of(t)
            limit = current.ask(size, size)
            part = 1.0 if size <= limit else limit / size
            assert threshold is None or size == limit or abs(size / limit - 1) > 1e-4
            if 0 < size < math.inf:
                current.tell(size, size)
            parts.append(part)
            sizes.append(size)
            limits.append(limit)
            kept = 1.0
            if name == "adamw":
                kept -= a["lr"] * decay * (part if clip["clip"] == "stable_adamw" else 1)
            p[:] = [kept * w - part * delta for w, delta in zip(p, deltas)]
        gradients.append([tensor(shape, g) for shape, g in zip(shapes, step)])
        expected.append([tensor(shape, p) for shape, p in zip(shapes, parameters)])
        coefficients.append(number(parts))
        reports.append([max(sizes), min(limits), min(parts), float(min(parts) < 1)])
    extra = {}
    if threshold:
        extra = {"threshold": threshold[0], "settings": {key: finite(value) for key, value in threshold[2].items()}, "reports": [[finite(x) for x in r] for r in reports]}
    cases.add(
        f"{name}-{clip['clip']}{'-' + threshold[0] if threshold else ''}", "update_clip", optimizer=name, attrs={**a, **clip, "maximize": maximize},
        params=[tensor(shape, p) for shape, p in zip(shapes, start)],
        grads=gradients, expected=expected, coefficients=coefficients, **extra)


def make_series(threshold, clip):
    """Gives the rule of a step; the same one at each step but under a schedule."""
    if threshold is None:
        rule = Fixed(clip.get("threshold", 1.0))
    elif threshold[0] == "schedule":
        return lambda t: Fixed(threshold[2]["initial"] * threshold[2]["factor"] ** (t - 1))
    else:
        rule = threshold[1](**threshold[2])
    return lambda t: rule


def spams(cases):
    """SPAM under a number."""
    choices = [
        {"theta": 4.0, "reset": 12, "warm_up": 5, "delay": 3}, {"theta": 4.0, "reset": 12, "warm_up": 0, "delay": 0},
        {"theta": 50.0, "reset": 7, "warm_up": 20, "delay": 2, "weight_decay": 0.1}, {"theta": 1.0, "reset": 1000, "warm_up": 150, "delay": 20},
        {"theta": 2.0, "reset": 9, "warm_up": 4, "delay": 4, "maximize": True, "weight_decay": 0.05}, {"theta": 5000.0, "reset": 10, "warm_up": 3, "delay": 1},
    ]
    for choice in choices:
        cases.next()
        spam(cases, choice)


def spam_thresholds(cases):
    """SPAM under each threshold that follows the past. What a rule sees is the largest g^2 / v, some hundreds rather than 1."""
    scaled = ("absolute", "initial", "maximum", "minimum", "threshold")
    for threshold, (make, choices) in RULES.items():
        for place, settings in enumerate(choices):
            for choice in [
                {"reset": 12, "warm_up": 5, "delay": 3, "maximize": place % 2 == 0},
                {"reset": 1000, "warm_up": 0, "delay": 0, "weight_decay": 0.05},
            ]:
                cases.next()
                spam(cases, choice, (threshold, make, {key: 256 * value if key in scaled else value for key, value in settings.items()}))


def spam(cases, choice, threshold=None):
    """Twenty-seven steps of one parameter."""
    lr, (b1, b2), eps = 0.05, (0.9, 0.99), 1e-6
    size, interval = 6, choice["reset"]
    parameters = cases.normal(size)
    start = list(parameters)
    m, v = [0.0] * size, [0.0] * size
    rule_of = make_series(threshold, {"threshold": choice.get("theta")})
    gradients, expected, reports, cuts = [], [], [], 0
    for t in range(1, 28):
        step = cases.normal(size)
        step[0] *= 128.0 if t % 6 == 5 else 1.0
        step[1] *= -32.0 if t == 8 else 1.0
        step[2] = 0.0 if t < 15 else step[2]  # No gradient for long: nothing is known of its size.
        since = t % interval
        if since == 0:
            m, v = [0.0] * size, [0.0] * size
        warmth = 1.0
        if t >= interval and since < choice["warm_up"]:
            warmth = 1 - 0.99 * (1 + math.cos(math.pi * since / (choice["warm_up"] + 1))) / 2
        ratios = [g * g / x for g, x in zip(step, v) if x > 0] if since >= choice["delay"] else []
        largest = max(ratios, default=0.0)
        rule = rule_of(t)
        theta = rule.ask(largest, largest)
        assert threshold is None or largest == theta or abs(largest / theta - 1) > 1e-4
        if largest > 0:
            rule.tell(largest, largest)
        reports.append([largest, theta, theta / largest if largest > theta else 1.0, float(largest > theta)])
        for i in range(size):
            g = -step[i] if choice.get("maximize") else step[i]
            if since >= choice["delay"] and v[i] > 0 and largest > theta and g * g > theta * v[i]:
                g = math.copysign(math.sqrt(theta * v[i]), g)
                cuts += 1
            m[i] = b1 * m[i] + (1 - b1) * g
            v[i] = b2 * v[i] + (1 - b2) * g * g
            delta = lr * warmth * m[i] / (1 - b1 ** t) / (math.sqrt(v[i] / (1 - b2 ** t)) + eps)
            parameters[i] = parameters[i] * (1 - lr * choice.get("weight_decay", 0.0)) - delta
        gradients.append(tensor((size,), step))
        expected.append(tensor((size,), parameters))
    assert cuts > 0 or threshold or choice["theta"] > 1000
    extra = {}
    if threshold:
        extra = {"threshold": threshold[0], "settings": {key: finite(value) for key, value in threshold[2].items()}}
        if threshold[0] not in ("fixed", "schedule"):  # Those compare each element as it is read.
            extra["reports"] = [[finite(x) for x in r] for r in reports]
    cases.add(
        f"spam{'-' + threshold[0] if threshold else ''}", "spam", attrs={"lr": lr, "betas": [b1, b2], "eps": eps, **choice},
        param=tensor((size,), start), grads=gradients, expected=expected, **extra)


def per_examples(cases):
    """Of y = x W + b the loss of an example is the sum of (y - t)^2, so that dW = 2 x (y - t)^T and db = 2 (y - t)."""
    for rows, inputs, outputs, threshold in [(1, 2, 1, 1.0), (4, 3, 2, 2.0), (7, 5, 3, 0.5), (5, 2, 2, 1000.0), (3, 4, 1, 1e-3), (6, 1, 1, 1.0)]:
        cases.next()
        weight = [cases.normal(outputs) for _ in range(inputs)]
        bias = cases.normal(outputs)
        xs = [cases.normal(inputs, (1.0, 0.125, 4.0)[row % 3]) for row in range(rows)]
        ts = [cases.normal(outputs) for _ in range(rows)]
        sums, norms, clipped = [0.0] * (inputs * outputs + outputs), [], 0
        for x, t in zip(xs, ts):
            off = [sum(x[i] * weight[i][j] for i in range(inputs)) + bias[j] - t[j] for j in range(outputs)]
            gradient = [2 * x[i] * off[j] for i in range(inputs) for j in range(outputs)] + [2 * o for o in off]
            norm = math.sqrt(sum(g * g for g in gradient))
            norms.append(norm)
            clipped += norm > threshold
            sums = [s + g * min(1, threshold / norm) for s, g in zip(sums, gradient)]
        mean = [s / rows for s in sums]
        cases.add(
            "per-example", "per_example", attrs={"threshold": threshold},
            weight=tensor((inputs, outputs), [w for row in weight for w in row]), bias=tensor((outputs,), bias),
            x=tensor((rows, inputs), [v for row in xs for v in row]), target=tensor((rows, outputs), [v for row in ts for v in row]),
            norms=number(norms), clipped=clipped,
            expected_weight=tensor((inputs, outputs), mean[:inputs * outputs]), expected_bias=tensor((outputs,), mean[inputs * outputs:]))


def main():
    cases = Cases()
    update_clips(cases)
    spams(cases)
    per_examples(cases)
    spam_thresholds(cases)
    cases.write()


if __name__ == "__main__":
    main()
